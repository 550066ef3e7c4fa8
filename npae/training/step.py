"""One training step: noise, forward, backward, Adam; or many of them in one call of compiled code.

noise = draw(seed, t, rows)          every random number of step t
terms = loss and gradient            forward, backward; the gradient lies in one flat vector
theta = Adam(theta, gradient)

Its forms, `STEPS`: "ordinary" is the above, layer by layer, and the specification; the others give the same numbers up to rounding.
"compiled" is npae/compiled; "captured" is npae/captured, a CUDA graph that is replayed, and "eager" the same launches one by one; "auto" is
captured on a GPU, and on a CPU compiled where that is covered and an epoch long enough to be worth it. The number of epochs has no say: a
run that is resumed for more of them goes on in the same form, bit for bit.
Raises InputError where a compiled step is asked for and not covered, or a captured one without a GPU; NonFiniteError for a loss or gradient
that is not finite, before anything moves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from npae.backend import Array
from npae.captured import CapturedSteps
from npae.compiled import CompiledSteps, NotCovered
from npae.errors import InputError, NonFiniteError, nearest
from npae.models import Model, Terms
from npae.noise import Noise
from npae.optim import Adam

STEPS = ("auto", "compiled", "captured", "eager", "ordinary")
WORTH = 1e10  # multiplications in an epoch from which on compiling pays: about a second of the ordinary step
TOGETHER = 0.1  # seconds that the steps of one call take: Ctrl-C and progress wait so long


class TrainingStep:
    """A step for one model and optimiser; its arrays are allocated once for each batch size."""

    def __init__(self, model: Model, optimizer: Adam, seed: int) -> None:
        self.model, self.optimizer, self.seed = model, optimizer, seed
        self._noise: dict[int, Noise] = {}

    def __call__(self, x: Array, *given: Array) -> Terms:
        """Move the parameters one step for the batch x (B, F) and its companion, already checked; terms are those before it."""
        t = self.optimizer.steps
        noise = self._noise[len(x)] = self.model.draw(self.seed, t, len(x), out=self._noise.get(len(x)))
        terms = self.model.forward_backward(x, noise, t, None, *given)
        check_gradient(self.model, clipped=self.optimizer.clip_norm is not None)
        self.optimizer.update()
        return terms


def check_gradient(model: Model, *, clipped: bool) -> None:
    """Every number of the gradient is finite, and where it is not clipped also its square, which Adam keeps in v."""
    parameters, xp = model.parameters, model.backend.xp
    with np.errstate(all="ignore"):
        if math.isfinite(float(xp.dot(parameters.grad, parameters.grad))):  # one pass, which almost always settles it
            return
        for what, power in (("the gradient", 1), *(() if clipped else (("the square of the gradient", 2),))):
            for name in parameters.names():
                if not xp.isfinite(parameters[name].grad ** power).all():
                    raise NonFiniteError(f"{what} of {name} is not finite; lower the learning rate or --set clip_norm=1")


@dataclass(frozen=True)
class Rows:
    """What an epoch goes through, on the host: data x (N, F), what each row comes with, and how it is cut into batches."""

    x: Array
    given: tuple[Array, ...]
    binarise: str
    batch: int
    steps: int  # in an epoch


class SeveralSteps:
    """Steps on batches of one data set, as many in a call as TOGETHER allows; none where they are ordinary ones."""

    def __init__(self, step: str, model: Model, optimizer: Adam, seed: int, rows: Rows) -> None:
        if step not in STEPS:
            raise InputError(f"step '{step}' is not known{nearest(step, STEPS)}")
        self.form, self.why, self.steps, self.seconds = "ordinary", "as asked", rows.steps, 0.0  # seconds of a step
        self.compiled: CompiledSteps | None = None
        self.captured: CapturedSteps | None = None
        on_gpu = model.backend.name == "cupy"
        if step in ("captured", "eager") or (step == "auto" and on_gpu):
            x, given = (
                (model.backend.from_host(rows.x), tuple(model.backend.from_host(part) for part in rows.given)) if on_gpu else (rows.x, ())
            )
            self.captured = CapturedSteps(
                model, optimizer, seed, x, given, most=rows.steps, binarise=rows.binarise, replayed=step != "eager"
            )
            self.form, self.why = "eager" if step == "eager" else "captured", "on a GPU" if step == "auto" else "as asked"
        elif step != "ordinary":
            self._compile(step, model, optimizer, seed, rows)

    def _compile(self, step: str, model: Model, optimizer: Adam, seed: int, rows: Rows) -> None:
        """Take the compiled step if it was asked for, or is covered and worth it."""
        work = 3.0 * rows.batch * len(model.parameters) * rows.steps
        if step == "auto" and work < WORTH:
            self.why = f"{work:.1e} multiplications in an epoch: compiling pays from {WORTH:.0e}"
            return
        changing = "binarise dynamic" if rows.binarise == "dynamic" else "labels or targets" if rows.given else ""
        try:
            if changing:
                raise NotCovered(changing)
            compiled = CompiledSteps(model, optimizer, seed, rows.x)
            compiled.plan(rows.batch)
        except NotCovered as reason:
            if step == "compiled":
                raise InputError(f"step 'compiled' does not cover {reason}; take step auto or ordinary") from None
            self.why = f"not covered: {reason}"
            return
        self.compiled, self.form = compiled, "compiled"
        self.why = "as asked" if step == "compiled" else "covered, and epochs long enough to be worth compiling"

    @property
    def record(self) -> dict[str, str]:
        """The form that was chosen, and why."""
        return {"form": self.form, "why": self.why}

    @property
    def together(self) -> int:
        """Steps in the next call; 0 where they are ordinary ones."""
        if self.form == "ordinary":
            return 0
        return min(self.steps, max(1, int(TOGETHER / self.seconds))) if self.seconds else 1

    def __call__(self, batches: Sequence[Array], epoch: int) -> list[Terms]:
        """The terms of as many steps as were made: those before one whose loss or gradient is not finite, where there is one."""
        started = time.perf_counter()
        with np.errstate(all="ignore"):
            if self.captured:
                terms = self.captured.run(batches, epoch)
            else:
                assert self.compiled is not None
                terms = self.compiled.run(batches)
        self.seconds = (time.perf_counter() - started) / len(batches)
        return terms
