"""The training loop: epochs of shuffled batches, validation, early stopping, the best weights; stop anywhere and go on bit for bit.

The whole state of a training is: the parameters, Adam's m, v and step count, the epoch, the batch within it, the running sums of the terms,
the history, and the best weights so far. Shuffling and noise are functions of (seed, epoch) and (seed, step), so nothing else is random.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npae.backend import Array
from npae.data.batches import batch_count, batch_indices
from npae.data.binarise import binarise_dynamic
from npae.errors import InputError, NonFiniteError
from npae.models import Model, Terms
from npae.optim import Adam, Schedule
from npae.training.averages import Averages, evaluate_terms
from npae.training.history import History
from npae.training.step import TrainingStep

OnEpoch = Callable[["Trainer"], None]
OnBatch = Callable[["Trainer", Terms], None]


@dataclass
class Best:
    """The weights of the epoch with the lowest validation loss."""

    epoch: int = 0
    loss: float = float("inf")
    parameters: Array | None = None


@dataclass
class Trainer:
    """A training that can be run, stopped, stored and continued."""

    model: Model
    optimizer: Adam
    x: Array
    epochs: int
    batch_size: int = 100
    seed: int = 0
    shuffle: bool = True
    drop_last: bool = False
    binarise: str = "none"
    validation: Array | None = None
    patience: int = 0
    epoch: int = 0  # finished epochs
    batch: int = 0  # finished batches of the epoch under way
    averages: Averages = field(default_factory=Averages)
    history: History = field(default_factory=History)
    best: Best = field(default_factory=Best)
    seconds: float = 0.0  # of the epoch under way

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} {value!r} is not a whole number of at least 1")
        if self.patience and self.validation is None:
            raise InputError(f"patience {self.patience} needs validation data to watch; give validation, or patience 0")
        self.x = self.model.check_data(self.x)
        if self.validation is not None:
            self.validation = self.model.check_data(self.validation)
        self.take_step = TrainingStep(self.model, self.optimizer, self.seed)
        self.batches = batch_count(len(self.x), self.batch_size, self.drop_last)

    @property
    def finished(self) -> bool:
        """All epochs done, or stopped early."""
        return self.epoch >= self.epochs or self.stopped_early

    @property
    def stopped_early(self) -> bool:
        """`patience` epochs have passed since the best one."""
        return bool(self.patience) and self.epoch - self.best.epoch >= self.patience

    def run(self, *, on_epoch: OnEpoch | None = None, on_batch: OnBatch | None = None) -> History:
        """Train until the end; `on_epoch` and `on_batch` are called after each."""
        while not self.finished:
            self.run_epoch(on_batch)
            if on_epoch:
                on_epoch(self)
        self.history.best_epoch = self.best.epoch or None
        return self.history

    def run_epoch(self, on_batch: OnBatch | None = None) -> None:
        """What is left of one epoch, then validation and its row of the history."""
        started = time.perf_counter() - self.seconds
        indices = batch_indices(
            len(self.x), self.batch_size, seed=self.seed, epoch=self.epoch, shuffle=self.shuffle, drop_last=self.drop_last
        )
        rate = self.optimizer.rate()
        for place, rows in enumerate(indices):
            if place < self.batch:
                continue
            terms = self._step(rows)
            self.averages.add(terms, len(rows))
            self.batch += 1
            self.seconds = time.perf_counter() - started
            if on_batch:
                on_batch(self, terms)
        self.epoch += 1
        self._finish_epoch(rate, started)

    def _step(self, rows: Array) -> Terms:
        x = np.take(self.x, rows, axis=0, out=self._batch_buffer(len(rows)), mode="clip")
        if self.binarise == "dynamic":
            x = binarise_dynamic(x, self.seed, self.epoch, rows, self.model.backend)
        try:
            return self.take_step(x)
        except NonFiniteError as error:
            where = f"step {self.optimizer.steps + 1} (epoch {self.epoch + 1}, batch {self.batch + 1} of {self.batches})"
            raise NonFiniteError(f"{where}: {error}") from None

    def _batch_buffer(self, rows: int) -> Array:
        return self.model.buffer("batch", (rows, self.model.features))

    def _finish_epoch(self, rate: float, started: float) -> None:
        row: dict[str, Any] = {
            "epoch": self.epoch,
            "step": self.optimizer.steps,
            "learning_rate": rate,
            "batches": self.averages.batches,
            "weights": self.averages.weights,
            "train": self.averages.mean(),
            "validation": None,
        }
        if self.validation is not None:
            row["validation"] = evaluate_terms(self.model, self.validation, batch_size=self.batch_size, seed=self.seed).mean()
            if row["validation"]["total"] < self.best.loss:
                host = self.model.backend.to_host(self.model.parameters.value).copy()
                self.best = Best(self.epoch, row["validation"]["total"], host)
        row["seconds"] = time.perf_counter() - started
        self.history.append(row)
        self.batch, self.averages, self.seconds = 0, Averages(), 0.0

    def use_best(self) -> None:
        """Put the best epoch's weights into the model."""
        if self.best.parameters is not None:
            self.model.parameters.value[...] = self.model.backend.from_host(self.best.parameters)


def fit(
    model: Model,
    x: Array,
    *,
    epochs: int = 20,
    batch_size: int = 100,
    learning_rate: float = 1e-3,
    validation: Array | None = None,
    patience: int = 0,
    seed: int = 0,
    shuffle: bool = True,
    drop_last: bool = False,
    binarise: str = "none",
    optimizer: Adam | None = None,
    schedule: str = "constant",
    clip_norm: float | None = None,
    on_epoch: OnEpoch | None = None,
) -> History:
    """Train `model` on x (N, F) with Adam; returns the history, one row an epoch.

    With `validation` (M, F) and `patience` > 0 training stops after `patience` epochs without a lower validation loss, and the model is
    left with the best epoch's weights. `optimizer` replaces the Adam made from learning_rate, schedule and clip_norm.
    Raises InputError for data of the wrong shape or range, NonFiniteError for a loss that is not finite.
    """
    if optimizer is None:
        total = epochs * batch_count(len(x), batch_size, drop_last)
        optimizer = Adam(model.parameters, learning_rate, clip_norm=clip_norm, schedule=Schedule(schedule, total))
    trainer = Trainer(model, optimizer, x, epochs, batch_size, seed, shuffle, drop_last, binarise, validation=validation, patience=patience)
    history = trainer.run(on_epoch=on_epoch)
    if patience:
        trainer.use_best()
    return history
