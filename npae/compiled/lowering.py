"""From layers to operations on addresses: what a training step does, phase after phase, for one batch size.

    forward    x -> Dense, Drop -> y             each layer notes its input and its output
    backward   dy -> Back -> dx                  from the last layer to the second: nobody asks for the data's gradient
    updates    Weights, Bias of every layer      the last phase, in parts

A phase ends where rows of the batch need to know of other rows. The operations of each phase but the last run over blocks of rows, one
after the other while the block is still in the cache; those of the last run over parts of the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from npae.backend import Array
from npae.compiled.buffers import Buffers, address
from npae.compiled.layers import Layer
from npae.compiled.nonzeros import Nonzeros
from npae.kernels.step.operations import (
    Back,
    Decode,
    Dense,
    Draw,
    Drop,
    Gather,
    GatherSparse,
    Norm,
    Operation,
    SparseDense,
)
from npae.models import Model


@dataclass(frozen=True)
class Matrix:
    """Rows of a batch: where they begin, how far apart they are, and how wide."""

    name: str
    at: int
    stride: int
    width: int


@dataclass
class Done:
    """A layer that has been run forward: what backward and the update need."""

    layer: Layer
    x: Matrix
    y: Matrix  # before dropout
    output: Matrix  # after it
    mask: int = 0
    panels: int = 0  # W in panels
    turned: int = 0  # W^T in panels, with its rows, and the rows of other heads above those of this one
    depth: int = 0
    above: int = 0


@dataclass
class Term:
    """One term of the objective: factor * sum of the numbers there + constant."""

    name: str
    at: int
    count: int
    factor: float
    constant: float = 0.0
    of_parameters: bool = False  # known before the step
    hidden: bool = False  # looked at, and not shown


Named: TypeAlias = tuple[str, Operation]


@dataclass
class Lowering:
    """Collects the operations of one model, for a batch of `batch` rows."""

    model: Model
    data: Array
    batch: int
    sparse: Nonzeros | None
    buffers: Buffers = field(init=False)
    phases: list[list[Named]] = field(default_factory=lambda: [[]])
    moved: list[tuple[Done, Matrix, float]] = field(default_factory=list)  # layers, dy, decay: what the last phase updates
    terms: list[Term] = field(default_factory=list)
    weights: Callable[[int], dict[str, float]] = lambda step: {}  # of the terms in a step, where not 1

    def __post_init__(self) -> None:
        self.buffers = Buffers(self.model.dtype)
        from npae.kernels.step.registers import BYTES, WIDE  # loads LLVM, which --help can do without

        self.item = self.model.dtype.itemsize
        self.width = WIDE * BYTES // self.item
        self.nonzeros = (0, 0, 0, 0)

    def do(self, name: str, operation: Operation) -> None:
        """One more operation of this phase."""
        self.phases[-1].append((name, operation))

    def matrix(self, name: str, width: int) -> Matrix:
        """A new one, as many rows as the batch."""
        return Matrix(name, self.buffers.numbers(name, self.batch, width), width, width)

    def gather(self) -> Matrix:
        """The batch, and its nonzeros."""
        features, x = self.model.features, self.matrix("x", self.model.features)
        if not self.sparse:
            self.do("x", Gather(address(self.data), features, x.at))
            return x
        indices = self.buffers.indices("nonzero.index", self.batch, features)
        values = self.buffers.numbers("nonzero.value", self.batch, features)
        starts = self.buffers.integers("nonzero.start", self.batch, self.sparse.blocks + 1)
        self.nonzeros = (indices, values, starts, self.sparse.blocks)
        self.do("x", GatherSparse(features, x.at, self.sparse.blocks, *self.sparse.addresses, indices, values, starts))
        return x

    def watch_gradient(self) -> None:
        """Ends a step whose gradient is not finite before it moves anything: what is not finite on the way reaches the first layer."""
        dy, totals = self.moved[-1][1], self.buffers.totals("first layer's gradient", self.batch)
        self.do(f"|{dy.name}|", Norm(dy.at, dy.stride, dy.width, totals))
        self.terms.append(Term("", totals, self.batch, 1.0, hidden=True))

    def draw(self, name: str) -> int:
        """The step's noise of that name, as model.draw would draw it."""
        stream, distribution, columns = self.model.noise_columns()[name]
        out = self.buffers.numbers(name, self.batch, columns)
        self.do(name, Draw(int(distribution == "normal"), stream, columns, out))
        return out

    def forward(self, layers: list[Layer], x: Matrix, dropouts: list[int]) -> list[Done]:
        """The body of a chain; `dropouts` are its layers' uniform numbers."""
        done, uniforms = [], iter(dropouts)
        for layer in layers:
            y = self.matrix(layer.name, layer.dense.n_out)
            done.append(self.dense(layer, x, y))
            x = y
            if layer.dropout:
                done[-1].mask = next(uniforms)
                x = done[-1].output = self.matrix(f"{layer.name}.dropped", y.width)
                self.do(f"{layer.name}.dropped", Drop(y.at, done[-1].mask, x.at, y.width, layer.dropout.rate))
        return done

    def dense(self, layer: Layer, x: Matrix, y: Matrix) -> Done:
        """y = f(x W + b); from the nonzeros of x where x is the data."""
        w, b, panels = address(layer.dense.W.value), address(layer.dense.b.value), 0
        if x.name == "x" and self.sparse:
            indices, values, starts, blocks = self.nonzeros
            self.do(
                layer.name,
                SparseDense(indices, values, starts, x.width, blocks, w, b, y.width, y.at, y.stride, layer.code, layer.parameter),
            )
        else:
            panels = self.buffers.numbers(f"{layer.name}.W in panels", x.width, y.width)
            self.do(layer.name, Dense(x.at, x.stride, x.width, panels, b, y.width, y.at, y.stride, layer.code, layer.parameter))
        return Done(layer, x, y, y, panels=panels)

    def decode(
        self, layer: Layer, x: Matrix, target: Matrix, likelihood: int, scale: float, clip: float, totals: int
    ) -> tuple[Done, Matrix]:
        """The decoder's last layer with the loss, and the gradient with respect to x W + b."""
        y = self.matrix(layer.name, layer.dense.n_out)
        kept = self.buffers.numbers(f"{layer.name} kept", self.batch, y.width) if layer.code else 0
        panels, b = self.buffers.numbers(f"{layer.name}.W in panels", x.width, y.width), address(layer.dense.b.value)
        of_layer = (x.at, x.stride, x.width, panels, b, y.width, y.at, kept, layer.code)
        self.do(layer.name, Decode(*of_layer, likelihood, target.at, totals, layer.parameter, scale, clip))
        return Done(layer, x, y, y, panels=panels), y

    def backward(self, done: list[Done], dy: Matrix, decay: float = 0.0) -> Matrix:
        """From dy, the gradient before the activation of the last of these layers, to that of the first, which is returned."""
        for place in reversed(range(len(done))):
            self.moved.append((done[place], dy, decay))
            if place:
                dy = self.back([done[place]], dy, done[place - 1])
        return dy

    def back(self, heads: list[Done], dy: Matrix, below: Done | None, name: str = "") -> Matrix:
        """dx = dy W^T, summed over heads side by side, and through the dropout and the activation of the layer below."""
        n_in, n_out = heads[0].x.width, sum(head.layer.dense.n_out for head in heads)
        turned, above = self.buffers.numbers(f"{heads[0].layer.name}.W turned, in panels", n_out, n_in), 0
        for head in heads:
            head.turned, head.depth, head.above = turned, n_out, above
            above += head.layer.dense.n_out
        dx = self.matrix(f"d {below.layer.name}" if below else name, n_in)
        code, parameter = (below.layer.code, below.layer.parameter) if below else (0, 0.0)
        y, mask = (below.y.at, below.mask) if below else (0, 0)
        self.do(dx.name, Back(dy.at, dy.stride, n_out, turned, n_in, dx.at, mask, y, code, parameter))
        return dx
