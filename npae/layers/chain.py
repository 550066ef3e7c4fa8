"""Layers one after another.

    y = f_n(... f_2(f_1(x)))          dx = f_1'(f_2'(... f_n'(dy)))

The output of each layer is the input of the next; backward walks the same list from its end.
Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from npae.backend import Array
from npae.layers.dropout import Dropout
from npae.layers.fused import FusedLayers
from npae.layers.node import Node


class Chain(Node):
    """f_n o ... o f_1.    `uniforms` gives each Dropout inside its numbers, in order; without it, in inference, none drops."""

    together: FusedLayers | None = None  # inside `fused`: Dense layers with what stands around them

    def __init__(self, *layers: Node) -> None:
        self.layers = layers

    def children(self) -> Iterator[tuple[str, Node]]:
        """Layers are named by their place: encoder.0, encoder.1, ..."""
        for place, layer in enumerate(self.layers):
            yield str(place), layer

    def dropouts(self) -> list[Dropout]:
        """The dropout layers, in order."""
        return [layer for layer in self.layers if isinstance(layer, Dropout)]

    def forward(self, x: Any, uniforms: Sequence[Array] = ()) -> Any:
        """x -> f_1 -> ... -> f_n -> y"""
        if self.together:
            return self.together.forward(x, uniforms)
        given = iter(uniforms)
        for layer in self.layers:
            x = layer.forward(x, next(given, None)) if isinstance(layer, Dropout) else layer.forward(x)
        return x

    def backward(self, dy: Any) -> Any:
        """dy -> f_n' -> ... -> f_1' -> dx"""
        if self.together:
            return self.together.backward(dy)
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy
