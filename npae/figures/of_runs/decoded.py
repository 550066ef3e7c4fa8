"""Figures from codes that no row stands behind: draws of the prior, grids, and the ways between two codes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from npae.backend import Array
from npae.errors import InputError
from npae.figures.images import ImageShape
from npae.figures.interpolation import interpolation as draw_interpolation
from npae.figures.labelled_rows import labelled_rows
from npae.figures.manifold import manifold as draw_manifold
from npae.figures.of_runs.new_rows import draw_samples
from npae.figures.of_runs.subject import Choices, Subject
from npae.figures.samples import samples as draw_grid
from npae.figures.samples_by_label import samples_by_label
from npae.figures.style import unit_name
from npae.figures.traverse import traverse as draw_traverse

SAMPLES, SAMPLE_PROFILES = 60, 12  # images are small, and drawn fast; a line profile is a panel of its own
STYLES = 5


def samples(run: Subject, choices: Choices) -> Figure:
    """New data."""
    rows, seed = choices.rows or (SAMPLES if run.dataset.image_shape else SAMPLE_PROFILES), choices.seed or 0
    if choices.label is not None:
        return draw_grid(run.model.sample(rows, seed=seed, y=run.condition(rows, choices.label)), run.dataset.image_shape)
    x = draw_samples(run.model, rows, seed=seed, like=run.trained.rows)
    if run.model.companion == "labels":
        return samples_by_label(x, np.arange(rows) % run.model.spec["classes"], run.dataset.image_shape, run.dataset.label_names)
    return draw_grid(x, run.dataset.image_shape)


def manifold(run: Subject, choices: Choices) -> Figure:
    """The plane of codes at the prior's quantiles."""
    return _plane(run, choices, "quantiles")


def manifold_linspace(run: Subject, choices: Choices) -> Figure:
    """The plane of codes in equal steps."""
    return _plane(run, choices, "linspace")


def traverse(run: Subject, choices: Choices) -> Figure:
    """Two units vary, the others and the label stay."""
    units = choices.units or _units_that_show_most(run, choices)
    if units[0] == units[1] or not all(0 <= unit < run.model.latent for unit in units):
        numbers = ",".join(str(unit + 1) for unit in units)
        raise InputError(f"--units {numbers}: {run.name} has units 1 to {run.model.latent}; give two different ones of them")
    others = "" if run.model.latent == 2 else f"all units but {unit_name(units[0])} and {unit_name(units[1])} are 0"
    said = "; ".join(filter(None, (_label_said(run, choices), others)))
    rest = np.zeros(run.model.latent)
    return draw_traverse(lambda z: _decode(run, z, choices), _shape(run), rest=rest, units=units, grid=choices.grid or 11, note=said)


def vary_label(run: Subject, choices: Choices) -> Figure:
    """The label varies, the code stays."""
    classes = int(run.model.spec["classes"])
    z = run.model.prior(choices.rows or STYLES, choices.seed or 0)
    named = {f"code {i + 1}": run.model.decode(np.repeat(code[None], classes, axis=0), np.arange(classes)) for i, code in enumerate(z)}
    return labelled_rows(named, _shape(run), headings=[run.label_name(k) for k in range(classes)])


def interpolation(run: Subject, choices: Choices) -> Figure:
    """The ways between the codes of two rows."""
    if choices.indices is not None and len(choices.indices) != 2:
        raise InputError(
            f"--indices {','.join(map(str, choices.indices))}: expected two rows, from whose code to whose to go, such as 3,14"
        )
    pair = run.picked(run.seen, choices.indices or _two(run))
    x, y = run.rows(run.seen, pair)
    label = choices.label if choices.label is not None or y is None else int(y[0])
    chosen = Choices(label=label)
    a, b = run.model.encode(x, y)
    said = f"from row {pair[0]} to row {pair[1]} of the {run.seen.which}"
    note = "; ".join(filter(None, (said, _label_said(run, chosen))))
    return draw_interpolation(lambda z: _decode(run, z, chosen), a, b, _shape(run), note=note)


def _plane(run: Subject, choices: Choices, kind: Literal["quantiles", "linspace"]) -> Figure:
    grid, extent = choices.grid or 15, 15.0 if choices.extent is None else choices.extent
    said = _label_said(run, choices)
    return draw_manifold(lambda z: _decode(run, z, choices), _shape(run), grid=grid, kind=kind, extent=extent, note=said)


def _units_that_show_most(run: Subject, choices: Choices) -> tuple[int, int]:
    """The two latent units that change the decoded picture most between -1 and 1: a unit that the decoder ignores has nothing to show."""
    ones = np.eye(run.model.latent)
    change = ((_decode(run, ones, choices) - _decode(run, -ones, choices)) ** 2).sum(axis=1)
    first, second = sorted(int(unit) for unit in np.argsort(-change, kind="stable")[:2])
    return first, second


def _decode(run: Subject, z: Array, choices: Choices) -> Array:
    return run.model.decode(z, run.condition(len(z), choices.label))


def _label_said(run: Subject, choices: Choices) -> str:
    y = run.condition(1, choices.label)
    return "" if y is None else f"label {run.label_name(int(y[0]))}"


def _shape(run: Subject) -> ImageShape:
    assert run.dataset.image_shape is not None, "the figure needs images"
    return run.dataset.image_shape


def _two(run: Subject) -> tuple[int, int]:
    """The first row, and the first one of another label; without labels the second row."""
    labels = run.seen.labels
    other = np.flatnonzero(labels != labels[0]) if labels is not None else np.array([], dtype=np.int64)
    return 0, int(other[0]) if len(other) else 1
