"""Squared L2 norm of some of the parameters ("weight decay" that is part of the objective).

    L = sum_p p^2          dp += weight * 2 p          no 1/2, not divided by the batch, biases too

Source: the Flux document's vae_loss; its gradient is part of the update, unlike decoupled weight decay.
"""

from __future__ import annotations

from npae.layers.node import Node
from npae.parameters import Parameters


class L2(Node):
    """sum p^2 over one part of a model's flat parameter vector."""

    def attach(self, parameters: Parameters, part: str) -> None:
        """Look at the tensors whose names start with `part`."""
        place = parameters.part(part)
        self.value, self.grad = parameters.value[place], parameters.grad[place]

    def forward(self) -> float:
        """sum p^2"""
        return self.backend.dot(self.value, self.value)

    def backward(self, weight: float) -> None:
        """dp += 2 weight p"""
        scaled = self.backend.xp.multiply(self.value, 2 * weight, out=self.buffer("scaled", self.value.shape))
        self.grad += scaled
