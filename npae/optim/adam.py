"""Adam over the flat parameter vector.      theta g m v (P,), t = 1, 2, ...

    m = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2

    epsilon_placement "bias_corrected"   theta -= lr mhat / (sqrt(vhat) + eps)      mhat = m/(1-b1^t), vhat = v/(1-b2^t)
                                         algorithm 1 of the paper; Flux, PyTorch, JAX (optax)
    epsilon_placement "uncorrected"      theta -= lr sqrt(1-b2^t)/(1-b1^t) m / (sqrt(v) + eps)
                                         "epsilon hat", end of section 2; Keras and TensorFlow (and so ADCME)

The two differ where sqrt(v) is not large against epsilon: in the first steps, and for rarely used weights.
clip_norm scales a gradient whose Euclidean norm is above it down to it (Pascanu et al. 2013).
Source: Kingma & Ba 2015, "Adam: a method for stochastic optimization".
"""

from __future__ import annotations

import math

from npae.backend import Array
from npae.errors import InputError, NonFiniteError, nearest
from npae.optim.schedule import Schedule
from npae.parameters import Parameters

PLACEMENTS = ("bias_corrected", "uncorrected")


def _above_zero(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} {value} must be a finite number above 0")
    return float(value)


class Adam:
    """Holds m, v and the number of steps made; `update` moves the parameters by one step along their gradient."""

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 1e-3,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_placement: str = "bias_corrected",
        clip_norm: float | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        if epsilon_placement not in PLACEMENTS:
            raise InputError(f"epsilon_placement '{epsilon_placement}' is not known{nearest(epsilon_placement, PLACEMENTS)}")
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise InputError(f"{name} {beta} is not in [0, 1): the share of a moment that is kept each step")
        self.parameters = parameters
        self.learning_rate = _above_zero("learning_rate", learning_rate)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, _above_zero("epsilon", epsilon)
        self.epsilon_placement = epsilon_placement
        self.clip_norm = None if clip_norm is None else _above_zero("clip_norm", clip_norm)
        self.schedule = schedule or Schedule()
        self.m: Array = parameters.backend.xp.zeros_like(parameters.value)
        self.v: Array = parameters.backend.xp.zeros_like(parameters.value)
        self.steps = 0

    def rate(self, step: int | None = None) -> float:
        """The learning rate of a step (from 0), or of the step to come."""
        return self.learning_rate * self.schedule.factor(self.steps if step is None else step)

    def coefficients(self, step: int) -> tuple[float, float]:
        """alpha and root_scale of a step (from 0), as npae.kernels.adam takes them."""
        rate, correction1, correction2 = self.rate(step), 1 - self.beta1 ** (step + 1), 1 - self.beta2 ** (step + 1)
        if self.epsilon_placement == "bias_corrected":
            return rate / correction1, 1 / math.sqrt(correction2)
        return rate * math.sqrt(correction2) / correction1, 1.0

    def update(self) -> None:
        """theta -= step; the gradient itself is left as it is."""
        self.apply(*self.coefficients(self.steps), self._gradient_scale())
        self.steps += 1

    def apply(self, alpha: float | Array, root_scale: float | Array, gradient_scale: float | Array) -> None:
        """The kernel, with numbers of this step that may lie on a GPU; a gradient_scale of NaN moves nothing. `steps` is the caller's."""
        theta, g = self.parameters.value, self.parameters.grad
        adam = self.parameters.backend.kernel("adam")
        adam(theta, g, self.m, self.v, alpha, self.beta1, self.beta2, root_scale, self.epsilon, gradient_scale)

    def _gradient_scale(self) -> float:
        """1, or what brings the gradient's norm down to clip_norm."""
        if self.clip_norm is None:
            return 1.0
        squares = self.parameters.backend.xp.square(self.parameters.grad, dtype="float64")
        norm = math.sqrt(float(squares.sum()))
        if not math.isfinite(norm):
            raise NonFiniteError(f"the gradient's norm is {norm}: it cannot be clipped to {self.clip_norm}; lower the learning rate")
        return min(1.0, self.clip_norm / norm) if norm else 1.0
