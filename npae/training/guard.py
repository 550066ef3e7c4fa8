"""What is done about a step that is not finite: its loss, its gradient, or the square of that which Adam keeps. Nothing has moved yet.

    stop    the training ends
    skip    the batch is left out: no step is made of it, and it does not count in the epoch's means
    halve   the weights and Adam's memory go back to where the epoch began, and the learning rate is halved for what is left

The step is made once more with every node listened to (inspection/trace.py), so that the line can name the node, the tensor and the rows
where it began, and all that the step depends on is stored in a file for npae replay-step (repro.py). The epoch's row of the history says:
"guard": [{"step": 812, "batch": 212, "action": "skip", "why": ..., "node": "decoder.0", "tensor": "y", "rows": [...], ...}].
Where that cannot help (the weights themselves are not finite, no batch of an epoch is left, HALVINGS were made) the training ends.
Going back to the epoch's beginning, and not to whatever was last written to disk, keeps a training a function of its configuration.
Raises NonFiniteError for what ends the training.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npae.backend import Array
from npae.errors import InputError, NonFiniteError, nearest
from npae.inspection.trace import Row, Trace, trace_step
from npae.training.repro import Step, write_step

if TYPE_CHECKING:
    from npae.training.loop import Trainer

GUARDS = ("stop", "skip", "halve")
HALVINGS = 20  # a millionth of the learning rate: what is not finite then never will be
FILES = 10  # repro files in a run: a training that skips a thousand batches leaves the first few
NAMED = 5  # rows in a line


def check_guard(name: str) -> str:
    """The name, if there is such a guard."""
    if name not in GUARDS:
        raise InputError(f"guard '{name}' is not one of {', '.join(GUARDS)}{nearest(name, GUARDS, listed=True)}")
    return name


@dataclass
class Start:
    """Where an epoch began."""

    parameters: Array
    m: Array
    v: Array
    steps: int


@dataclass
class Guard:
    """The guard of one training. `folder`: where repro files go; `lines`: what was done, to be said; `places`: the numbers by which
    the owner of the data knows the rows that train (split.py), where they are not their own."""

    action: str
    folder: Path | None = None
    incidents: list[dict[str, Any]] = field(default_factory=list)  # of the epoch under way
    halvings: int = 0
    start: Start | None = None
    lines: list[str] = field(default_factory=list)
    places: Array | None = None

    def begin_epoch(self, trainer: Trainer) -> None:
        """Keep what `halve` would go back to."""
        if self.action == "halve":
            adam = trainer.optimizer
            parameters, m, v = (trainer.model.backend.to_host(part).copy() for part in (trainer.model.parameters.value, adam.m, adam.v))
            self.start = Start(parameters, m, v, adam.steps)

    def answer(self, trainer: Trainer, error: NonFiniteError) -> None:
        """Do what is to be done, or raise what ends the training."""
        rows = trainer.coming_rows()
        incident: dict[str, Any] = {
            "step": trainer.optimizer.steps + 1,
            "batch": trainer.batch + 1,
            "action": self.action,
            "why": str(error),
        }
        line = str(error)
        if rows is not None:
            known = rows if self.places is None else self.places[rows]
            step = replace(Step.of(trainer, rows, str(error)), rows=known)
            first = trace(step).first
            line += _named(first, known) + self._stored(step)
            if first is not None:
                incident |= {"node": first.node, "tensor": first.tensor, "rows": [int(known[row]) for row in first.rows]}
        why_not = self._why_not(trainer, rows)
        if why_not is not None:
            raise NonFiniteError(line + why_not) from None
        done = self._skip(trainer) if self.action == "skip" else self._go_back(trainer)
        self.incidents.append(incident | {"learning_rate": trainer.optimizer.learning_rate})
        self.lines.append(f"{line}: {done}")

    def _why_not(self, trainer: Trainer, rows: Array | None) -> str | None:
        """What ends the training, to be added to the line; None where the guard can do something."""
        if self.action == "stop":
            return ""
        if self.action == "halve":
            if trainer.batch == 0:  # the same weights, batch and noise would come again
                return "; guard=halve cannot help: it is so with the weights that the epoch began with"
            return f"; after {self.halvings} halvings of the learning rate" if self.halvings == HALVINGS else None
        if rows is None:
            return "; guard=skip has no batch to skip there"
        if not trainer.model.backend.xp.isfinite(trainer.model.parameters.value).all():
            return "; guard=skip cannot help: the weights themselves are not finite"
        last = trainer.batch + 1 == trainer.batches and not trainer.averages.batches
        return "; guard=skip has skipped every other batch of this epoch" if last else None

    def _skip(self, trainer: Trainer) -> str:
        trainer.batch += 1
        return "batch skipped"

    def _go_back(self, trainer: Trainer) -> str:
        model, adam, device, start = trainer.model, trainer.optimizer, trainer.model.backend.from_host, self.start
        assert start is not None
        model.parameters.value[...], adam.m[...], adam.v[...] = (device(part) for part in (start.parameters, start.m, start.v))
        adam.steps = start.steps
        self.halve(trainer, 1)
        trainer.begin_epoch_again()
        return f"back to the beginning of epoch {trainer.epoch + 1} with learning rate {adam.learning_rate:g}"

    def halve(self, trainer: Trainer, times: int) -> None:
        """Halve the learning rate so many times; exact, so that a restored training has the same one."""
        self.halvings += times
        trainer.optimizer.learning_rate *= 0.5**times

    def _stored(self, step: Step) -> str:
        if self.folder is None:
            return ""
        path = self.folder / f"step-{step.steps + 1:08d}.safetensors"
        if not path.exists() and len(list(self.folder.glob("step-*.safetensors"))) >= FILES:
            return ""
        try:
            self.folder.mkdir(exist_ok=True)
            write_step(path, step)
        except OSError as error:  # what happened is worth more than its file
            return f"; {path} could not be written ({error.strerror})"
        return f"; see npae replay-step {path}"


def trace(step: Step) -> Trace:
    """That step with every node listened to."""
    noise = step.model.draw(step.seed, step.steps, len(step.x))
    return trace_step(step.model, step.x, noise, step.steps, step.given)


def _named(first: Row | None, rows: Array) -> str:
    """; first in decoder.0 (Dense): W[3, 0] is nan, batch rows 1, 7 (training rows 40, 12)"""
    if first is None:
        return ""
    if not first.rows:
        return f"; first in {first.place}"
    if len(first.rows) == len(rows):
        return f"; first in {first.place}, every row of the batch"
    shown, more = first.rows[:NAMED], f" and {len(first.rows) - NAMED} more" if len(first.rows) > NAMED else ""
    numbers = f"{', '.join(map(str, shown))}{more}"
    return f"; first in {first.place}, batch rows {numbers} (training rows {', '.join(str(rows[row]) for row in shown)}{more})"
