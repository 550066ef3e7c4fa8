"""The training loop: epochs of shuffled batches, validation, early stopping, the best weights; stop anywhere and go on bit for bit.

The whole state of a training is: the parameters, Adam's m, v and step count, the epoch, the batch within it, the running sums of the terms,
the history, the best weights so far, and what the guard (training/guard.py) keeps. Shuffling and noise are functions of (seed, epoch) and
(seed, step), so nothing else is random.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npae.backend import Array
from npae.data.batches import batch_count, batch_indices
from npae.data.binarise import binarise_dynamic, binarise_fixed, binarise_held_out, check_binarise
from npae.errors import InputError, NonFiniteError
from npae.models import Model, Terms
from npae.optim import Adam
from npae.training.averages import Averages, evaluate_terms
from npae.training.blas import blas_threads_for
from npae.training.fingerprint import fingerprint_of
from npae.training.guard import Guard, check_guard
from npae.training.history import History
from npae.training.interrupt import deferred_interrupts
from npae.training.step import Rows, SeveralSteps, TrainingStep

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
    y: Array | None = None  # what each row of x comes with: its label or its target
    validation_y: Array | None = None
    patience: int = 0
    watch: int = 0  # so many of the first training rows are evaluated after each epoch
    step: str = "ordinary"  # its form: ordinary, compiled, auto
    guard: str = "stop"  # what is done about a step that is not finite: stop, skip, halve
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
        if isinstance(self.patience, bool) or not isinstance(self.patience, int) or self.patience < 0:
            raise InputError(f"patience {self.patience!r} is not a number of epochs: it must be a whole number of at least 0")
        if self.patience and not self.model.comparable:
            raise InputError(
                f"patience {self.patience}: the losses of a {self.model.kind} cannot be compared between epochs; leave patience at 0"
            )
        if self.patience and self.validation is None:
            raise InputError(f"patience {self.patience} needs validation data to watch; give validation, or patience 0")
        self.x = self.model.checked_rows(binarise_fixed(self.x) if check_binarise(self.binarise) == "fixed" else self.x)
        self.given = tuple(self.model.backend.to_host(part) for part in self.model.check_companion(self.y, len(self.x)))
        if self.validation is not None:
            self.validation = self.model.checked_rows(binarise_held_out(self.validation, self.binarise, self.seed))
            self.model.check_companion(self.validation_y, len(self.validation))
        if isinstance(self.watch, bool) or not isinstance(self.watch, int) or not 0 <= self.watch <= len(self.x):
            raise InputError(
                f"watch {self.watch!r} is not a number of rows: it must be a whole number from 0 to the {len(self.x)} training rows"
            )
        self._check_batches()
        self.guarded = Guard(check_guard(self.guard))
        self.take_step = TrainingStep(self.model, self.optimizer, self.seed)
        self.batches = batch_count(len(self.x), self.batch_size, self.drop_last)
        batch = min(self.batch_size, len(self.x))
        rows = Rows(self.x, self.given, self.binarise, batch, self.batches)
        self.several = SeveralSteps(self.step, self.model, self.optimizer, self.seed, rows)
        self._room: dict[int, Array] = {}

    def _check_batches(self) -> None:
        """No batch may have fewer rows than the model's objective needs; better said now than at the end of an epoch."""
        rest = len(self.x) % self.batch_size
        smallest = min(self.batch_size, len(self.x)) if self.drop_last or not rest else rest
        held_out = smallest if self.validation is None else len(self.validation) // math.ceil(len(self.validation) / self.batch_size)
        for what, rows in (("training", smallest), ("validation", held_out)):
            if rows < self.model.minimum_rows:
                raise InputError(
                    f"batch_size {self.batch_size} leaves a {what} batch of {rows}, and a {self.model.kind} compares pairs of rows:"
                    f" it needs at least {self.model.minimum_rows}; choose another --batch-size, or --set drop_last=true"
                )

    @property
    def finished(self) -> bool:
        """All epochs done, or stopped early."""
        return self.epoch >= self.epochs or self.stopped_early

    @property
    def stopped_early(self) -> bool:
        """`patience` epochs have passed since the best one."""
        return bool(self.patience) and self.epoch - self.best.epoch >= self.patience

    def run(self, *, on_epoch: OnEpoch | None = None, on_batch: OnBatch | None = None, every_batch: bool = True) -> History:
        """Train until the end; `on_epoch` and `on_batch` are called after each.

        Without `every_batch`, on_batch is called several times a second instead, which leaves a compiled step many batches to a call.
        """
        work = 3.0 * min(self.batch_size, len(self.x)) * len(self.model.parameters)
        overflows = np.errstate(all="ignore")  # they show in the loss, which is checked
        with deferred_interrupts() as check, overflows, blas_threads_for(work):
            while not self.finished:
                try:
                    self._run_epoch(on_batch, check, every_batch and on_batch is not None)
                except NonFiniteError as error:
                    self.guarded.answer(self, error)  # or it raises; what is left of the epoch comes next
                    continue
                if on_epoch:
                    on_epoch(self)
                check()
        self.history.best_epoch = self.best.epoch or None
        return self.history

    def _run_epoch(self, on_batch: OnBatch | None, check: Callable[[], None], one_by_one: bool) -> None:
        """What is left of one epoch, then validation and its row of the history."""
        started = time.perf_counter() - self.seconds
        if not self.batch:
            self.guarded.begin_epoch(self)
        indices = self._batches()
        while self.batch < self.batches:
            for rows, terms in self._steps(indices[self.batch :], one_by_one):
                self.averages.add(terms, len(rows))
                self.batch += 1
            self.seconds = time.perf_counter() - started
            if on_batch:
                on_batch(self, terms)
            check()
        self._finish_epoch(started)

    def _steps(self, coming: list[Array], one_by_one: bool) -> list[tuple[Array, Terms]]:
        """The next batch with its terms, or the next few of its size where the step is compiled."""
        if self.several.together:
            count = 1 if one_by_one else self.several.together
            batches = [rows for rows in coming[:count] if len(rows) == len(coming[0])]
            done = self.several(batches, self.epoch)
            if done:
                return list(zip(batches, done, strict=False))
        return [(coming[0], self._step(coming[0]))]  # which says why, where a compiled step finds its loss not finite

    def _step(self, rows: Array) -> Terms:
        x, given = self.inputs(rows)
        try:
            return self.take_step(x, *given)
        except NonFiniteError as error:
            where = f"step {self.optimizer.steps + 1} (epoch {self.epoch + 1}, batch {self.batch + 1} of {self.batches})"
            raise NonFiniteError(f"{where}: {error}") from None

    def inputs(self, rows: Array) -> tuple[Array, tuple[Array, ...]]:
        """Those rows as this epoch's step is given them, and what they come with."""
        there = self.model.backend.from_host
        x = there(np.take(self.x, rows, axis=0, out=self._batch_room(len(rows)), mode="clip"))
        if self.binarise == "dynamic":
            x = binarise_dynamic(x, self.seed, self.epoch, rows, self.model.backend)
        return x, tuple(there(part[rows]) for part in self.given)

    def _batches(self) -> list[Array]:
        """The row numbers of every batch of the epoch under way."""
        return batch_indices(len(self.x), self.batch_size, seed=self.seed, epoch=self.epoch, shuffle=self.shuffle, drop_last=self.drop_last)

    def coming_rows(self) -> Array | None:
        """The row numbers of the next batch; None after an epoch's last one."""
        return self._batches()[self.batch] if self.batch < self.batches else None

    def begin_epoch_again(self) -> None:
        """Forget what was done of the epoch under way, but for the time it took."""
        self.batch, self.averages = 0, Averages()

    def _batch_room(self, rows: int) -> Array:
        return self._room.setdefault(rows, np.empty((rows, self.model.features), self.x.dtype))

    def _finish_epoch(self, started: float) -> None:
        epoch = self.epoch + 1
        validation = None if self.validation is None else self._evaluate("validation", self.validation, self.validation_y, self.batch_size)
        row: dict[str, Any] = {
            "epoch": epoch,
            "step": self.optimizer.steps,
            "learning_rate": self.optimizer.rate(self.optimizer.steps - self.averages.batches),
            "batches": self.averages.batches,
            "weights": self.averages.weights,
            "train": self.averages.mean(),
            "validation": validation,
            "seconds": time.perf_counter() - started,
            "fingerprint": fingerprint_of(self.model),
        }
        if self.guarded.incidents:
            row["guard"] = self.guarded.incidents
        if self.watch:
            row["watched"] = self._evaluate("watched rows", *self.watched, self.watch)
        if validation is not None and self.model.comparable and validation["total"] < self.best.loss:
            weights = self.model.backend.to_host(self.model.parameters.value).copy()
            self.best = Best(epoch, validation["total"], weights)
        self.history.append(row)
        self.epoch, self.batch, self.averages, self.seconds = epoch, 0, Averages(), 0.0
        self.guarded.incidents = []

    @property
    def watched(self) -> tuple[Array, Array | None]:
        """The first rows of the training data, with what they come with."""
        x: Array = binarise_held_out(self.x[: self.watch], self.binarise, self.seed)
        return x, None if self.y is None else self.y[: self.watch]

    def _evaluate(self, what: str, x: Array, y: Array | None, batch_size: int) -> dict[str, float]:
        """The terms of those rows, dropout off, as the epoch leaves the model."""
        terms = evaluate_terms(self.model, x, y, batch_size=batch_size, seed=self.seed).mean()
        bad = [name for name in ("total", *self.model.players) if not math.isfinite(terms[name])]
        if bad:
            loss = "loss" if bad[0] == "total" else f"the loss of the {bad[0]}"
            raise NonFiniteError(
                f"step {self.optimizer.steps} ({what} after epoch {self.epoch + 1}): {loss} is {terms[bad[0]]};"
                " lower the learning rate or --set clip_norm=1"
            )
        return terms

    def use_best(self) -> None:
        """Put the best epoch's weights into the model."""
        if self.best.parameters is not None:
            self.model.parameters.value[...] = self.model.backend.from_host(self.best.parameters)
