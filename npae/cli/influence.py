"""The gradient of each training row as a norm: which rows pull hardest on the weights, and how large a batch should be.

  npae influence runs/vae                              at the weights of its checkpoint
  npae influence vae --data mnist --steps 1800 --picture hardest.png
  npae influence runs/vae --rows 5000 --top 40 --json

The gradient-noise scale is the number of rows at which the gradient of a batch is as much signal as noise: with far fewer, a larger batch
pays; with far more, it hardly changes the step. A row that pulls hard is one that is not fitted yet: rare, mislabelled, or noise.
Rows are numbered from 0, as they stand in the data, also where some of them were set aside to validate.
A model that is no run is trained first (--steps).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from npae.cli.audit import steps_of
from npae.cli.screen import show, table_of
from npae.cli.training_at import add_training, training_at
from npae.errors import InputError
from npae.inspection.influence import QUANTILES, Influence, influence
from npae.training.run import Run, places_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many rows, and what of them to show."""
    add_training(parser)
    parser.add_argument("--steps", type=int, metavar="N", help="steps to train first (default: 600; of a run, as many as it has)")
    parser.add_argument("--rows", type=int, default=2000, metavar="N", help="training rows to look at, in whole batches (default: 2000)")
    parser.add_argument("--top", type=int, default=24, metavar="N", help="the hardest rows to show (default: 24)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw those rows to FILE.png or FILE.svg")


def run(arguments: argparse.Namespace) -> int:
    """Look, print, draw."""
    if arguments.top < 1:
        raise InputError(f"--top {arguments.top}: at least 1 row has to be shown")
    training = training_at(arguments, arguments.what, steps_of(arguments))
    shape = training.dataset.image_shape
    if arguments.picture and shape is None:
        raise InputError(f"--picture {arguments.picture}: the rows of '{training.dataset.name}' are no images; give --set image_shape=HxW")
    found = influence(training.trainer, arguments.rows)
    hardest = _hardest(training, found, arguments.top)
    if arguments.picture and shape is not None:
        _draw(training, found, hardest, shape, arguments.picture)
    if arguments.json:
        scale = {"trace": found.scale.trace, "signal": found.scale.signal, "rows": found.scale.rows}
        shares = {"by_parameter": found.by_parameter, "pull_of_the_hardest_percent": found.pull(0.01)}
        quantiles = {f"{q:g}": float(np.quantile(found.norms, q)) for q in QUANTILES}
        content = {**found.about, "noise_scale": scale, "norms": quantiles, **shares, "hardest": [asdict(one) for one in hardest]}
        content |= {"notes": found.notes}
        print(json.dumps(content, indent=1, allow_nan=False))
    else:
        _print(found, hardest)
    return 0


@dataclass(frozen=True)
class Hard:
    """A row by its place in the data, the norm of its gradient, and its label, where there are any."""

    row: int
    norm: float
    label: int | None


def _hardest(training: Run, found: Influence, top: int) -> list[Hard]:
    """The first of them."""
    labels, where = training.split.train.labels, places_of(training.configuration, training.dataset)
    return [
        Hard(int(where[row]), float(norm), None if labels is None else int(labels[row]))
        for row, norm in zip(found.rows[:top], found.norms[:top], strict=True)
    ]


def _draw(training: Run, found: Influence, hardest: list[Hard], shape: tuple[int, ...], path: Path) -> None:
    from npae.figures.influential import influential
    from npae.figures.style import save

    median, rows, norms = float(np.median(found.norms)), [one.row for one in hardest], [one.norm for one in hardest]
    note = f"the hardest {len(hardest)} of {len(found.norms)} training rows for a {training.model.kind} after {found.about['step']} steps"
    images = training.model.backend.to_host(training.trainer.x)[found.rows[: len(hardest)]]
    save(influential(images, rows, norms, median, shape, note=note), path)


def _print(found: Influence, hardest: list[Hard]) -> None:
    about, scale, labelled = found.about, found.scale, hardest[0].label is not None
    show(f"{about['model']} after {about['step']} steps: {about['rows']} training rows in batches of {about['batch_size']}", "")
    batch = "not told from 0: look at more --rows" if scale.rows is None else f"{scale.rows:.4g} rows"
    show(f"gradient-noise scale: {batch} (trace of the covariance {scale.trace:.4g}, squared mean gradient {scale.signal:.4g})")
    quantiles = ", ".join(f"{np.quantile(found.norms, q):.4g} ({'largest' if q == 1 else f'{100 * q:g} %'})" for q in QUANTILES)
    show(f"norms of the rows' gradients: {quantiles}; the hardest 1 % of the rows make {100 * found.pull(0.01):.1f} % of the pull")
    parts = ", ".join(f"{name} {100 * share:.1f} %" for name, share in sorted(found.by_parameter.items(), key=lambda one: -one[1])[:4])
    show(f"where they pull, by squares: {parts}", *found.notes, "")
    table = table_of("row", "norm", "times the median", *(["label"] if labelled else []), right=(0, 1, 2))
    median = float(np.median(found.norms))
    for one in hardest:
        table.add_row(str(one.row), f"{one.norm:.4g}", f"{one.norm / (median or 1):.1f}", *([str(one.label)] if labelled else []))
    show(table)
