"""The layers of a Chain run with what stands around them: fewer launches, the same numbers up to rounding.

    Dense, activation           y = f(x W + b)                          one launch
    activation on top           da = dy o f'                            one launch
    Dense above Dense           dx = (dy W^T) o f'                      one launch: with the derivative of the activation in between
    two heads                   y = x W + b,  y2 = x W2 + b2            one launch
    two heads above Dense       dx = (dy W^T + dy2 W2^T) o f'           one launch
    Dense                       dW += x^T dy,  db += sum_B dy           one launch, beside what goes on down the layers

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
from npae.layers.activations import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from npae.layers.dense import Dense
from npae.layers.dropout import Dropout
from npae.layers.node import Node
from npae.layers.parallel import Parallel
from npae.parameters import GRADIENT_LINES, PENALTY_LINE

NAMES: dict[type[Node], str] = {
    LeakyReLU: "leaky_relu", ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh", ELU: "elu", Softplus: "softplus",
}  # fmt: skip


class DenseAnd:
    """A Dense layer with the activation behind it, or without."""

    def __init__(self, dense: Dense, activation: Node | None, place: int) -> None:
        self.dense, self.activation, self.line = dense, activation, GRADIENT_LINES[place % 2]
        self.name = NAMES[type(activation)] if activation else "linear"
        self.parameter = _parameter(activation)
        self.below_dense = False  # then the product above brings the activation's derivative with it

    def forward(self, x: Array) -> Array:
        """y = f(x W + b)"""
        dense, y = self.dense, self.begin(x)
        dense.backend.kernel("affine")(x, dense.W.value, dense.b.value, self.name, self.parameter, y)
        return y

    def begin(self, x: Array) -> Array:
        """Remembers x, and gives the array that y is written into."""
        self.x, self.y = x, self.dense.buffer("fused y", (len(x), self.dense.n_out))
        return self.y

    def add_gradients(self, da: Array) -> None:
        """dW and db, on a line of their own if there is anything to do beside them; da is the gradient of x W + b."""
        if self.dense.learning:
            backend = self.dense.backend
            with contextlib.nullcontext() if self.ends else backend.beside(self.line):
                backend.join(PENALTY_LINE)
                backend.kernel("affine_weight_gradient")(self.x, da, self.dense.W.grad_beside, self.dense.b.grad_beside)

    @property
    def ends(self) -> bool:
        """Nobody reads the gradient with respect to x."""
        return self.dense.learning and not self.dense.needs_dx

    def through_activation(self, dy: Array) -> Array:
        """da = dy o f'(a), where no product above has brought f' along"""
        if self.activation is None or self.below_dense:
            return dy
        da = self.dense.buffer("fused da", dy.shape)
        self.dense.backend.kernel("activation_gradient")(dy, self.name, self.parameter, self.y, da)
        return da

    def backward(self, dy: Array, below: DenseAnd | None) -> Array | None:
        """The gradient of x; where `below` is given, that of what it made before its activation."""
        da, dense = self.through_activation(dy), self.dense
        self.add_gradients(da)
        if self.ends:
            return None
        dx = dense.buffer("fused dx", self.x.shape)
        dense.backend.kernel("affine_data_gradient")(da, dense.W.value, *_activation(below, self.x), dx, False)
        return dx


def _parameter(activation: Node | None) -> float:
    """Its slope or floor, where it has one."""
    return activation.slope if isinstance(activation, LeakyReLU) else activation.floor if isinstance(activation, Softplus) else 0.0


def _activation(below: DenseAnd | None, x: Array) -> tuple[str, float, Array]:
    """Name and parameter of the activation below, and its output."""
    return (below.name, below.parameter, below.y) if below else ("linear", 0.0, x)


class Heads:
    """Two Dense layers side by side on one input."""

    def __init__(self, heads: Sequence[Dense], place: int) -> None:
        self.heads = [DenseAnd(head, None, place + k) for k, head in enumerate(heads)]

    def forward(self, x: Array) -> tuple[Array, ...]:
        """(x W + b, x W2 + b2)"""
        ys = [head.begin(x) for head in self.heads]
        one, other = (head.dense for head in self.heads)
        one.backend.kernel("heads")(x, one.W.value, one.b.value, ys[0], other.W.value, other.b.value, ys[1])
        return tuple(ys)

    def backward(self, dys: tuple[Array, ...], below: DenseAnd | None) -> Array | None:
        """dx = (dy W^T + dy2 W2^T) o f', f the activation below"""
        one, other = self.heads
        for head, dy in zip(self.heads, dys, strict=True):
            head.add_gradients(dy)
        if one.ends:
            return None
        dx, W, W2 = one.dense.buffer("fused dx", one.x.shape), one.dense.W.value, other.dense.W.value
        one.dense.backend.kernel("heads_data_gradient")(dys[0], W, dys[1], W2, *_activation(below, one.x), dx)
        return dx


def _dense_heads(layer: Parallel) -> list[Dense]:
    """Its heads, if all of them are Dense layers."""
    heads = [head for head in layer.heads.values() if isinstance(head, Dense)]
    return heads if len(heads) == len(layer.heads) else []


class FusedLayers:
    """The layers of a Chain, Dense ones together with their activations."""

    def __init__(self, layers: Sequence[Node]) -> None:
        self.parts: list[DenseAnd | Heads | Node] = []
        for layer in layers:
            last, place = self.parts[-1] if self.parts else None, len(self.parts)
            if isinstance(layer, Dense):
                self.parts.append(DenseAnd(layer, None, place))
            elif isinstance(layer, Parallel) and len(heads := _dense_heads(layer)) == 2:
                self.parts.append(Heads(heads, place))
            elif isinstance(last, DenseAnd) and last.activation is None and self._from_output(layer):
                self.parts[-1] = DenseAnd(last.dense, layer, place - 1)
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
