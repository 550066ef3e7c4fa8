"""One training step: noise, forward, backward, Adam; or many of them in one call of compiled code.

noise = draw(seed, t, rows)          every random number of step t
terms = loss and gradient            forward, backward; the gradient lies in one flat vector
theta = Adam(theta, gradient)

Its forms, `STEPS`: "ordinary" is the above, layer by layer, and the specification; "compiled" is npae/compiled, which gives the same
numbers up to rounding; "auto" compiles where that is covered and an epoch long enough to be worth it. The number of epochs has no say:
a run that is resumed for more of them goes on in the same form, bit for bit.
Raises InputError where a compiled step is asked for and not covered; NonFiniteError for a loss or gradient that is not finite, before
anything moves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from npae.backend import Array
from npae.compiled import CompiledSteps, NotCovered
from npae.errors import InputError, NonFiniteError, nearest
from npae.models import Model, Terms
from npae.noise import Noise
from npae.optim import Adam

STEPS = ("auto", "compiled", "ordinary")
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


class SeveralSteps:
    """Steps on batches of one data set, as many in a call as TOGETHER allows; none where the step is not compiled."""

    def __init__(
        self, step: str, model: Model, optimizer: Adam, seed: int, data: Array, *, batch: int, steps: int, changing: str = ""
    ) -> None:
        """`steps` in an epoch; `changing` names what makes of the data something else in each step."""
        if step not in STEPS:
            raise InputError(f"step '{step}' is not known{nearest(step, STEPS)}")
        self.compiled: CompiledSteps | None = None
        self.seconds = 0.0  # of a step
        self.why = "as asked" if step != "auto" else "covered, and epochs long enough to be worth compiling"
        work = 3.0 * batch * len(model.parameters) * steps
        if step == "ordinary":
            return
        if step == "auto" and work < WORTH:
            self.why = f"{work:.1e} multiplications in an epoch: compiling pays from {WORTH:.0e}"
            return
        try:
            if changing:
                raise NotCovered(changing)
            self.compiled = CompiledSteps(model, optimizer, seed, data)
            self.compiled.plan(batch)
        except NotCovered as reason:
            if step == "compiled":
                raise InputError(f"step 'compiled' does not cover {reason}; take step auto or ordinary") from None
            self.compiled, self.why = None, f"not covered: {reason}"

    @property
    def record(self) -> dict[str, str]:
        """The form that was chosen, and why."""
        return {"form": "compiled" if self.compiled else "ordinary", "why": self.why}

    @property
    def together(self) -> int:
        """Steps in the next call."""
        return max(1, int(TOGETHER / self.seconds)) if self.seconds else 1

    def __call__(self, batches: Sequence[Array]) -> list[Terms]:
        """The terms of as many steps as were made: those before one whose loss or gradient is not finite, where there is one."""
        assert self.compiled is not None
        started = time.perf_counter()
        with np.errstate(all="ignore"):
            terms = self.compiled.run(batches)
        self.seconds = (time.perf_counter() - started) / len(batches)
        return terms
