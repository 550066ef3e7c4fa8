"""Bring a training to the moment before a step: the steps before it are made, as training makes them.

A training is a function of its configuration, so the weights at any step can be had again. Validation and early stopping are left out: they
change no weight before the step.
Raises InputError for a step that comes before the trainer's own.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from npae.backend import Array
from npae.errors import InputError
from npae.models import Terms
from npae.training.loop import Trainer


class _Reached(Exception):
    """The step that was asked for comes next."""


def reach(trainer: Trainer, steps: int) -> None:
    """Train until `steps` steps are made."""
    made = trainer.optimizer.steps
    if steps < made:
        raise InputError(f"step {steps + 1} comes before step {made + 1}, which this training makes next; start it anew")
    if steps == made:
        return
    trainer.validation, trainer.patience, trainer.epochs = None, 0, sys.maxsize

    def stop(trainer: Trainer, terms: Terms) -> None:
        if trainer.optimizer.steps >= steps:
            raise _Reached

    with suppress(_Reached):
        trainer.run(on_batch=stop)


def coming_rows(trainer: Trainer) -> Array:
    """The rows of the step to come, of the next epoch where this one is at its end."""
    rows = trainer.coming_rows()
    if rows is None:  # an epoch's last batch was made, and the epoch was not closed
        trainer.epoch, trainer.batch = trainer.epoch + 1, 0
        rows = trainer.coming_rows()
    assert rows is not None
    return rows
