"""Element-wise activations: y = f(x), dx = dy f'(x).      x y dx dy (B, F)

    name        f(x)                          f'(x)                      f' is computed from
    leaky_relu  x if x >= 0 else slope x      1 if x >= 0 else slope     x     Maas et al. 2013
    relu        max(x, 0)                     1 if x > 0 else 0          x     Nair & Hinton 2010
    sigmoid     1 / (1 + e^-x)                y (1 - y)                  y
    tanh        tanh x                        1 - y^2                    y
    elu         x if x > 0 else e^x - 1       1 if x > 0 else y + 1      y     Clevert et al. 2016
    softplus    floor + log(1 + e^x)          1 / (1 + e^-x)             x     Dugas et al. 2001

At the kink the right-hand slope is taken by leaky_relu, the left-hand one by relu and elu, as the frameworks do.
Sources: as named; sigmoid and tanh, LeCun, Bottou, Orr & Müller 1998, "Efficient backprop", section 4.4.
`linear` is no node: a Chain simply has none there.
"""

from __future__ import annotations

from collections.abc import Callable

from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers.node import Node


class LeakyReLU(Node):
    """y = x where x >= 0, slope x elsewhere."""

    def __init__(self, slope: float = 0.01) -> None:
        if not 0 <= slope <= 1:
            raise InputError(f"slope {slope} is not in [0, 1]: what a negative input is multiplied by")
        self.slope = slope

    def forward(self, x: Array) -> Array:
        """y = max(x, slope x), since slope <= 1"""
        self.x = x
        y = self.backend.xp.multiply(x, self.slope, out=self.buffer("y", x.shape))
        return self.backend.xp.maximum(x, y, out=y)

    def backward(self, dy: Array) -> Array:
        """dx = dy f',  f' = slope + (1 - slope) [x >= 0]"""
        xp = self.backend.xp
        positive = xp.greater_equal(self.x, 0, out=self.buffer("positive", dy.shape, bool))
        dx = xp.multiply(positive, 1 - self.slope, out=self.buffer("dx", dy.shape), casting="same_kind")
        dx += self.slope
        dx *= dy
        return dx


class ReLU(Node):
    """y = max(x, 0)."""

    def forward(self, x: Array) -> Array:
        """y = max(x, 0)"""
        self.y = self.backend.xp.maximum(x, 0, out=self.buffer("y", x.shape))
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy if x > 0 else 0"""
        positive = self.backend.xp.greater(self.y, 0, out=self.buffer("positive", dy.shape, bool))
        return self.backend.xp.multiply(dy, positive, out=self.buffer("dx", dy.shape))


class Sigmoid(Node):
    """y = 1 / (1 + e^-x), as (1 + tanh(x/2)) / 2, which cannot overflow."""

    def forward(self, x: Array) -> Array:
        """y = (1 + tanh(x/2)) / 2"""
        self.y = self.backend.xp.multiply(x, 0.5, out=self.buffer("y", x.shape))
        self.backend.xp.tanh(self.y, out=self.y)
        self.y += 1
        self.y *= 0.5
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy y (1 - y)"""
        dx = self.backend.xp.subtract(1, self.y, out=self.buffer("dx", dy.shape))
        dx *= self.y
        dx *= dy
        return dx


class Tanh(Node):
    """y = tanh x."""

    def forward(self, x: Array) -> Array:
        """y = tanh x"""
        self.y = self.backend.xp.tanh(x, out=self.buffer("y", x.shape))
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy (1 - y^2)"""
        dx = self.backend.xp.multiply(self.y, self.y, out=self.buffer("dx", dy.shape))
        self.backend.xp.subtract(1, dx, out=dx)
        dx *= dy
        return dx


class ELU(Node):
    """y = x where x > 0, e^x - 1 elsewhere."""

    def forward(self, x: Array) -> Array:
        """y = x if x > 0 else e^x - 1"""
        xp = self.backend.xp
        self.positive = xp.greater(x, 0, out=self.buffer("positive", x.shape, bool))
        self.y = xp.minimum(x, 0, out=self.buffer("y", x.shape))  # e^x of a large positive x would overflow
        xp.expm1(self.y, out=self.y)
        xp.copyto(self.y, x, where=self.positive)
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy if x > 0 else dy (y + 1)"""
        dx = self.backend.xp.add(self.y, 1, out=self.buffer("dx", dy.shape))
        dx *= dy
        self.backend.xp.copyto(dx, dy, where=self.positive)
        return dx


class Softplus(Node):
    """y = floor + log(1 + e^x) > floor: a standard deviation from an unbounded number."""

    def __init__(self, floor: float = 0.0) -> None:
        self.floor = floor

    def forward(self, x: Array) -> Array:
        """y = floor + log(1 + e^x) = floor + max(x, 0) + log(1 + e^-|x|)"""
        self.x = x
        y = self.backend.xp.logaddexp(x, 0, out=self.buffer("y", x.shape))
        y += self.floor
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy / (1 + e^-x) = dy (1 + tanh(x/2)) / 2"""
        dx = self.backend.xp.multiply(self.x, 0.5, out=self.buffer("dx", dy.shape))
        self.backend.xp.tanh(dx, out=dx)
        dx += 1
        dx *= 0.5
        dx *= dy
        return dx


ACTIVATIONS: dict[str, Callable[[], Node] | None] = {
    "linear": None,
    "leaky_relu": LeakyReLU,
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "elu": ELU,
    "softplus": Softplus,
}


def activation(name: str) -> list[Node]:
    """The named activation as the nodes to put into a Chain: one, or none for `linear`."""
    if name not in ACTIVATIONS:
        raise InputError(f"activation '{name}' is not known{nearest(name, ACTIVATIONS)}")
    make = ACTIVATIONS[name]
    return [make()] if make else []
