"""The layers of a Chain run with what stands around them: fewer launches, the same numbers up to rounding.

    Dense, activation           y = f(x W + b)                       one launch
    Dense above Dense           dx = (dy W^T) o f'                   one launch: with the derivative of the activation in between
    Dense heads above Dense     dx = (sum of dy_h W_h^T) o f'        one launch a head
    Dense                       dW += x^T dy,  db += sum_B dy        one launch

`fused(node)` makes every Chain below the node run so for a while; the layers themselves stay what they are, and forward and backward must
both be inside. An activation is taken together with its Dense if its derivative follows from its output y alone.
Only a step on a GPU asks for it, where a launch costs more than the work of a small layer.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from npae.backend import Array
from npae.layers.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from npae.layers.dense import Dense
from npae.layers.dropout import Dropout
from npae.layers.node import Node
from npae.layers.parallel import Parallel

NAMES: dict[type[Node], str] = {LeakyReLU: "leaky_relu", ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh"}


class DenseAnd:
    """A Dense layer with the activation behind it, or without."""

    def __init__(self, dense: Dense, activation: Node | None) -> None:
        self.dense, self.activation = dense, activation
        self.name = NAMES[type(activation)] if activation else "linear"
        self.slope = activation.slope if isinstance(activation, LeakyReLU) else 0.0
        self.below_dense = False  # then the product above brings the activation's derivative with it

    def forward(self, x: Array) -> Array:
        """y = f(x W + b)"""
        dense = self.dense
        self.x, self.y = x, dense.buffer("fused y", (len(x), dense.n_out))
        dense.backend.kernel("affine")(x, dense.W.value, dense.b.value, self.name, self.slope, self.y)
        if self.activation and not self.below_dense:
            self.activation.stand_in(x=self.y, y=self.y)  # each of NAMES has the same derivative at either
        return self.y

    def backward(self, da: Array, below: DenseAnd | None, onto: Array | None = None) -> Array | None:
        """da is the gradient of x W + b; what comes back is that of the layer below, before its activation if `below` is given.

        It is added to `onto`, which another head on the same layer gave.
        """
        dense = self.dense
        if dense.learning:
            dense.backend.kernel("affine_weight_gradient")(self.x, da, dense.W.grad, dense.b.grad)
            if not dense.needs_dx:
                return None
        dx = dense.buffer("fused dx", self.x.shape) if onto is None else onto
        name, slope, y = (below.name, below.slope, below.y) if below else ("linear", 0.0, self.x)
        dense.backend.kernel("affine_data_gradient")(da, dense.W.value, name, slope, y, dx, onto is not None)
        return dx


class Heads:
    """Dense layers side by side on one input."""

    def __init__(self, heads: Parallel) -> None:
        self.heads = [DenseAnd(head, None) for head in heads.heads.values() if isinstance(head, Dense)]

    def forward(self, x: Array) -> tuple[Array, ...]:
        """(x W_1 + b_1, ..., x W_n + b_n)"""
        return tuple(head.forward(x) for head in self.heads)

    def backward(self, das: tuple[Array, ...], below: DenseAnd | None) -> Array | None:
        """The sum over the heads, and with the last of them the derivative of the activation below."""
        dx = None
        for place, (head, da) in enumerate(zip(self.heads, das, strict=True), 1):
            dx = head.backward(da, below if place == len(self.heads) else None, dx)
        return dx


class FusedLayers:
    """The layers of a Chain, Dense ones together with their activations."""

    def __init__(self, layers: Sequence[Node]) -> None:
        self.parts: list[DenseAnd | Heads | Node] = []
        for layer in layers:
            last = self.parts[-1] if self.parts else None
            if isinstance(layer, Dense):
                self.parts.append(DenseAnd(layer, None))
            elif isinstance(layer, Parallel) and all(isinstance(head, Dense) for head in layer.heads.values()):
                self.parts.append(Heads(layer))
            elif isinstance(last, DenseAnd) and last.activation is None and self._from_output(layer):
                self.parts[-1] = DenseAnd(last.dense, layer)
            else:
                self.parts.append(layer)
        for part, above in itertools.pairwise(self.parts):
            if isinstance(part, DenseAnd):
                part.below_dense = isinstance(above, DenseAnd | Heads)

    @staticmethod
    def _from_output(layer: Node) -> bool:
        """f'(x) follows from y = f(x)."""
        return type(layer) in NAMES and not (isinstance(layer, LeakyReLU) and layer.slope == 0)

    def forward(self, x: Any, uniforms: Sequence[Array]) -> Any:
        """x -> y"""
        given = iter(uniforms)
        for part in self.parts:
            x = part.forward(x, next(given, None)) if isinstance(part, Dropout) else part.forward(x)
        return x

    def backward(self, dy: Any) -> Any:
        """dy -> dx; below another Dense, dy is already the gradient before the activation"""
        for place in reversed(range(len(self.parts))):
            part, below = self.parts[place], self.parts[place - 1] if place else None
            if isinstance(part, DenseAnd) and part.activation and not part.below_dense:
                dy = part.activation.backward(dy)
            if isinstance(part, DenseAnd | Heads):
                dy = part.backward(dy, below if isinstance(below, DenseAnd) else None)
            else:
                dy = part.backward(dy)
        return dy


@contextlib.contextmanager
def fused(node: Node) -> Iterator[None]:
    """Every Chain at and below the node runs its layers together."""
    from npae.layers.chain import Chain

    chains = [one for one in node.everything() if isinstance(one, Chain)]
    for chain in chains:
        chain.together = FusedLayers(chain.layers)
    try:
        yield
    finally:
        for chain in chains:
            chain.together = None
