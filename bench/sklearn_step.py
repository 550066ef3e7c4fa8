"""scikit-learn's training step as a worker: MLPRegressor.partial_fit of x to itself.        python -m bench.sklearn_step FOLDER MODEL

    loss_      mean (y - x)^2 / 2            its gradient is that of the sum over features, 1/(2 B) sum (y - x)^2, without the 1/F

Adam divides the gradient's scale out again, but for epsilon, which is scaled here so that the steps are those of the problem. It can
express plain autoencoders with one activation in every hidden layer, an output without one, and squared error (bench/peers.py).
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from sklearn.neural_network import MLPRegressor

from bench.peer import Clock, Peer
from bench.peers import SKLEARN_ACTIVATIONS
from bench.problem import BATCHES
from bench.workers import serve
from npae.backend import Array


class SklearnStep(Peer):
    """Gather, partial_fit."""

    def __init__(self) -> None:
        super().__init__()
        self.network, self.data = self.problem.network, self.problem.data
        self.start()

    def start(self) -> None:
        """From the problem's parameters, which replace those that a first fit draws."""
        *hidden, _ = self.network.layers
        adam = self.network.adam
        self.regressor = MLPRegressor(
            hidden_layer_sizes=[layer.outputs for layer in hidden],
            activation=SKLEARN_ACTIVATIONS[hidden[0].activation],
            solver="adam",
            alpha=0.0,
            batch_size=self.rows,
            learning_rate_init=adam.rate,
            beta_1=adam.beta1,
            beta_2=adam.beta2,
            shuffle=False,
            random_state=0,
        )
        self.regressor.partial_fit(self.problem.x[0], self.problem.x[0])
        for layer, W, b in zip(self.network.layers, self.regressor.coefs_, self.regressor.intercepts_, strict=True):
            W[...], b[...] = self.problem.parameters[f"{layer.name}.W"], self.problem.parameters[f"{layer.name}.b"]
        del self.regressor._optimizer
        self.taken = 0

    def step(self, x: Array) -> float:
        """The loss before it, on the problem's scale."""
        adam, factor, self.taken = self.network.adam, self.network.likelihood.factor, self.taken + 1
        root = 1.0 if adam.placement == "uncorrected" else math.sqrt(1 - adam.beta2**self.taken)
        epsilon = adam.epsilon * root / (2 * factor)
        if self.taken == 1:
            self.regressor.epsilon = epsilon  # of the Adam that partial_fit is about to make
        else:
            self.regressor._optimizer.epsilon = epsilon
        self.regressor.partial_fit(x, x)
        return float(2 * factor * x.shape[1] * self.regressor.loss_)

    def steps(self, count: int) -> dict[str, float]:
        """One after the other."""
        total, clock = 0.0, Clock()
        for rows in itertools.islice(self.endless, count):
            total += self.step(self.data[rows])
        return clock.stop(count, total)

    def agree(self) -> dict[str, Any]:
        """Leaves a fresh start behind."""
        self.start()
        losses = [self.step(self.problem.x[k]) for k in range(BATCHES)]
        self.start()
        return {"terms": {self.network.likelihood.term: losses[0], "total": losses[0]}, "later": losses[-1]}


if __name__ == "__main__":
    serve(SklearnStep)
