"""Figures from two runs or more, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from npae.backend import Array
from npae.errors import InputError
from npae.figures.beside import beside as draw_beside
from npae.figures.of_runs.new_rows import draw_samples, random_codes
from npae.figures.of_runs.subject import Choices, Subject

EACH = 25


def beside(runs: Sequence[Subject], choices: Choices) -> Figure:
    """New data of each run."""
    seed = choices.seed or 0
    said = "codes of a model without prior are drawn from a Gaussian fitted to its training codes"
    return _blocks(runs, lambda run, rows: draw_samples(run.model, rows, seed=seed, like=run.trained.rows), choices, said)


def random_decoded(runs: Sequence[Subject], choices: Choices) -> Figure:
    """Random codes of each run, decoded."""
    seed = choices.seed or 0
    said = "codes of a model without prior: each unit drawn apart, with its mean and standard deviation over the training codes"

    def decoded(run: Subject, rows: int) -> Array:
        z = random_codes(run.model, rows, seed=seed, like=run.trained.rows)
        return run.model.decode(z, run.condition(rows, choices.label))

    return _blocks(runs, decoded, choices, said)


def _blocks(runs: Sequence[Subject], make: Callable[[Subject, int], Array], choices: Choices, said: str) -> Figure:
    first = runs[0].dataset
    for run in runs[1:]:
        if run.dataset.image_shape != first.image_shape:
            raise InputError(
                f"{run.name} was trained on images of {run.dataset.image_shape}, {runs[0].name} on {first.image_shape}; take runs on images"
                " of one size"
            )
    shape = first.image_shape
    assert shape is not None, "the figure needs images"
    named = {_title(runs, place): make(run, choices.rows or EACH) for place, run in enumerate(runs)}
    return draw_beside(named, shape, note="" if all(run.model.has_prior for run in runs) else said)


def _title(runs: Sequence[Subject], place: int) -> str:
    """The run's name, with its place where another has the same."""
    name = runs[place].name
    return f"{name} ({place + 1})" if [run.name for run in runs].count(name) > 1 else name
