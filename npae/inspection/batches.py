"""Batches of a training with their noise, for looks at an objective that move nothing.

The model is a float64 copy, so that differences of the objective can be told from its rounding; the batches are those that come next, and
the noise is that of their steps: nothing here is drawn anew when the same batch is looked at twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from npae.backend import Array
from npae.data.batches import batch_indices
from npae.inspection.gradcheck import float64_twin
from npae.inspection.reach import coming_rows
from npae.layers import forget
from npae.models import Model, Terms
from npae.noise import Noise
from npae.training.loop import Trainer


@dataclass(frozen=True)
class Batch:
    """The rows of one step, what they come with, its noise, and its number (from 0); `rows`: their places in the training data."""

    x: Array
    given: tuple[Array, ...]
    noise: Noise
    step: int
    rows: Array


def coming_batches(trainer: Trainer, count: int) -> tuple[Model, list[Batch]]:
    """The float64 copy of the model, and the next `count` batches of this epoch, or as many as it still has."""
    coming_rows(trainer)  # the next epoch, where this one is at its end
    twin = float64_twin(trainer.model)
    order = batch_indices(
        len(trainer.x), trainer.batch_size, seed=trainer.seed, epoch=trainer.epoch, shuffle=trainer.shuffle, drop_last=trainer.drop_last
    )
    epoch = order[trainer.batch : trainer.batch + count]
    return twin, [_batch(trainer, twin, rows, trainer.optimizer.steps + place) for place, rows in enumerate(epoch)]


def look(model: Model, batch: Batch, held: Mapping[str, Any] | None = None) -> tuple[Terms, Array]:
    """The terms of a batch, and a copy of the gradient; `held` takes the place of what backward holds constant here."""
    forget(model)
    if held is None:
        held = model.held_constant(batch.x, batch.noise, *batch.given)
    terms = model.forward_backward(batch.x, batch.noise, batch.step, held, *batch.given)
    return terms, model.backend.to_host(model.parameters.grad).copy()


def objective(model: Model, terms: Terms) -> float:
    """What all players together minimise."""
    return terms.total + sum(terms[player] for player in model.players)


def _batch(trainer: Trainer, twin: Model, rows: Array, step: int) -> Batch:
    x, given = trainer.inputs(rows)
    host = trainer.model.backend.to_host
    wide = twin.check_data(host(x).copy())
    companion = twin.check_companion(host(given[0]) if given else None, len(x))
    return Batch(wide, companion, twin.draw(trainer.seed, step, len(x)), step, rows)
