"""The table of all figures of runs, by name.

    DRAWINGS["codes"]                         what it shows, needs and takes
    draw("codes", [run], Choices(rows=500))   a matplotlib Figure
    applicable(run)                           the names of those that this one run can have

Raises InputError for an unknown name, for a run that lacks what the figure needs, for a choice it does not take, and for the wrong number
of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from npae.errors import InputError, nearest
from npae.evaluation.tsne import PERPLEXITY
from npae.figures.of_runs import decoded, encoded, rebuilt, several, trained
from npae.figures.of_runs.needs import (
    ENCODER,
    HISTORY,
    IMAGES,
    PLANE,
    POSTERIOR,
    PRIOR,
    READS_LABELS,
    SAME_KIND,
    TWO_UNITS,
    Need,
    rows_to_look_at,
    training_rows,
)
from npae.figures.of_runs.subject import Choices, Subject
from npae.figures.rows import MOST


@dataclass(frozen=True)
class Drawing:
    """One figure. `draw` takes the run (the runs, where it is of several) and the choices; `most_rows` can be seen at once."""

    shows: str
    draw: Callable[[Any, Choices], Figure]
    needs: tuple[Need, ...] = ()
    takes: tuple[str, ...] = ()
    most_rows: int = MOST
    several: bool = False


POINTS = 100_000  # more of them cover one another
REBUILDS = (ENCODER, SAME_KIND)

DRAWINGS: dict[str, Drawing] = {
    "loss": Drawing("each term over the epochs, train and validation", trained.loss, (HISTORY,)),
    "shares": Drawing("the weighted terms and their sum over the steps", trained.shares, (HISTORY,)),
    "reconstructions": Drawing("held-out rows over their reconstructions", rebuilt.reconstructions, REBUILDS, ("rows", "indices")),
    "batch": Drawing("7 rows of a training batch over their reconstructions", rebuilt.batch, REBUILDS, ("rows", "seed")),
    "five": Drawing(
        "training rows 100, 14234, 6906, 300, 349 over their reconstructions",
        rebuilt.five,
        (*REBUILDS, training_rows(max(rebuilt.NAMED_ROWS) + 1)),
    ),
    "grid": Drawing("the first 9 training rows, reconstructed, 3 by 3", rebuilt.grid, REBUILDS),
    "denoised": Drawing("noisy, denoised and clean rows", rebuilt.denoised, REBUILDS, ("rows", "corrupt", "seed")),
    "samples": Drawing("new data", decoded.samples, (SAME_KIND,), ("rows", "label", "seed")),
    "manifold": Drawing(
        "the plane of codes at the prior's quantiles, decoded", decoded.manifold, (PLANE, IMAGES, SAME_KIND), ("label", "grid")
    ),
    "manifold-linspace": Drawing(
        "the plane of codes from -15 to 15, decoded",
        decoded.manifold_linspace,
        (PLANE, IMAGES, SAME_KIND),
        ("label", "grid", "extent"),
    ),
    "traverse": Drawing(
        "two latent units varied, the others and the label fixed",
        decoded.traverse,
        (PRIOR, TWO_UNITS, IMAGES, SAME_KIND),
        ("label", "units", "grid"),
    ),
    "vary-label": Drawing("the label varied, the code fixed", decoded.vary_label, (READS_LABELS, IMAGES), ("rows", "seed")),
    "interpolation": Drawing(
        "from one row's code to another's, linear and spherical",
        decoded.interpolation,
        (*REBUILDS, IMAGES, rows_to_look_at(2)),
        ("indices", "label"),
    ),
    "codes": Drawing("2-d codes by label", encoded.codes, (ENCODER, PLANE), ("rows", "seed"), POINTS),
    "tsne": Drawing(
        "codes on a t-SNE map by label",
        encoded.tsne,
        (ENCODER, TWO_UNITS, rows_to_look_at(int(PERPLEXITY) + 1)),
        ("rows", "seed"),
        POINTS,
    ),
    "kl": Drawing("the KL divergence of each latent unit", encoded.kl, (POSTERIOR, PRIOR)),
    "posterior": Drawing(
        "the aggregated posterior of each latent unit beside the prior",
        encoded.posterior,
        (ENCODER, PRIOR, rows_to_look_at(2)),
        ("seed",),
    ),
    "beside": Drawing("new data of several runs", several.beside, (IMAGES, SAME_KIND), ("rows", "seed"), several=True),
    "random-codes": Drawing(
        "random codes of several runs, decoded", several.random_decoded, (IMAGES, SAME_KIND), ("rows", "label", "seed"), several=True
    ),
}


def drawing(name: str) -> Drawing:
    """The figure of that name."""
    if name not in DRAWINGS:
        raise InputError(f"figure '{name}' is not known{nearest(name, DRAWINGS)}")
    return DRAWINGS[name]


def lacking(name: str, run: Subject) -> Need | None:
    """The first thing that the figure needs and this run does not have."""
    return next((need for need in DRAWINGS[name].needs if not need.met(run)), None)


def applicable(run: Subject) -> list[str]:
    """The figures that this one run can have."""
    return [name for name, one in DRAWINGS.items() if not one.several and lacking(name, run) is None]


def draw(name: str, runs: Sequence[Subject], choices: Choices) -> Figure:
    """The figure of that name."""
    chosen = drawing(name)
    for given in choices.given():
        if given not in chosen.takes:
            possible = ", ".join(f"--{option}" for option in chosen.takes) or "no options"
            raise InputError(f"--{given} means nothing to figure '{name}', which takes {possible}")
    if choices.rows is not None and choices.rows > chosen.most_rows:
        raise InputError(f"--rows {choices.rows}: at most {chosen.most_rows:,} fit in figure '{name}'; ask for fewer")
    if chosen.several != (len(runs) > 1):
        raise InputError(f"figure '{name}' of {len(runs)} run{'s'[: len(runs) > 1]}: expected {'two or more' if chosen.several else 'one'}")
    for run in runs:
        if need := lacking(name, run):
            raise InputError(f"figure '{name}' needs {need.name}, and {need.lack(run)}")
    return chosen.draw(runs if chosen.several else runs[0], choices)
