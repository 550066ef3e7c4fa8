"""Several heads that read the same input, such as the mean and the log-std of a Gaussian encoder.

    (y_1, ..., y_n) = (f_1(x), ..., f_n(x))          dx = f_1'(dy_1) + ... + f_n'(dy_n)

x is used n times, so its gradient is the sum over the heads.
Source: the chain rule; the two heads of a Gaussian encoder, Kingma & Welling 2014, appendix C.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from npae.backend import Array
from npae.layers.node import Node


class Parallel(Node):
    """Named heads on one input: Parallel(mu=Dense(...), s=Dense(...))."""

    def __init__(self, **heads: Node) -> None:
        self.heads = heads

    def children(self) -> Iterator[tuple[str, Node]]:
        """Heads by their name."""
        yield from self.heads.items()

    def forward(self, x: Array) -> tuple[Array, ...]:
        """(f_1(x), ..., f_n(x))"""
        return tuple(head.forward(x) for head in self.heads.values())

    def backward(self, dys: tuple[Array, ...]) -> Array | None:
        """dx = sum over the heads; nothing from heads that read the data itself"""
        dxs = [head.backward(dy) for head, dy in zip(self.heads.values(), dys, strict=True)]
        dx: Array | None = dxs[0]
        if dx is not None:
            for other in dxs[1:]:
                dx += other
        return dx
