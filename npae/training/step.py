"""One training step: noise, forward, backward, Adam.

noise = draw(seed, t, rows)          every random number of step t
terms = loss and gradient            forward, backward; the gradient lies in one flat vector
theta = Adam(theta, gradient)
"""

from __future__ import annotations

from npae.backend import Array
from npae.models import Model, Terms
from npae.noise import Noise
from npae.optim import Adam


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
        self.optimizer.update()
        return terms
