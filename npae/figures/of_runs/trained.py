"""Figures from the history of a run: how its objective went."""

from __future__ import annotations

from matplotlib.figure import Figure

from npae.figures.loss_curves import loss_curves
from npae.figures.of_runs.subject import Choices, Subject
from npae.figures.term_shares import term_shares


def loss(run: Subject, choices: Choices) -> Figure:
    """A panel a term."""
    return loss_curves(run.history, unit=run.model.likelihood.unit, best_epoch=run.best_epoch, note=run.model.caveat)


def shares(run: Subject, choices: Choices) -> Figure:
    """All weighted terms in one panel, over the steps."""
    return term_shares(run.history, unit=run.model.likelihood.unit, note=run.model.caveat)
