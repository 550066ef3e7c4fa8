"""From layers to operations on addresses: what a training step does, phase after phase, for one batch size.

    forward    x -> Dense, Drop -> y             each layer notes its input and its output
    backward   dy -> Back -> dx                  from the last layer to the second: nobody asks for the data's gradient
    updates    Weights, Bias of every layer      the last phase, in parts

A phase ends where rows of the batch need to know of other rows. The operations of most phases run over blocks of rows, one after the other
while the block is still in the cache. The first and the last layer, where they are wide, are phases of their own: each thread has shares
of their columns, and reads and moves the weights of these, and of others only where it helps a thread that is late. With respect to what
the last layer reads every share makes a part of the gradient, and the parts are summed in order: as many on one thread as on many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from npae.backend import Array
from npae.compiled.buffers import Buffers, address, on_lines
from npae.compiled.layers import Layer, NotCovered
from npae.compiled.nonzeros import Nonzeros
from npae.compiled.notes import Done, Matrix, Share, Term
from npae.compiled.work import Range, Work, blocks, shares
from npae.kernels.step.codes import BERNOULLI_SIGMOID, LINEAR, SIGMOID
from npae.kernels.step.operations import (
    Back,
    Decode,
    Dense,
    Draw,
    Drop,
    Gather,
    GatherSparse,
    Join,
    Norm,
    Operation,
    SparseDense,
)
from npae.models import Model

BLOCKS_PER_THREAD = 2  # of rows: one more to take where another thread is late
MANY = 1_000_000  # parameters from which on it is one: each block reads all weights again, which no longer lie near
WIDE = 50_000  # weights of a layer from which on it is cut into shares
SHARES = 4  # at most
MOST_ROWS = 256  # that a share takes at a time
NARROWEST = 512  # bytes of a row of a share of the first layer: narrower, its nonzeros are read too often


@dataclass
class Lowering:
    """Collects the operations of one model, for a batch of `batch` rows on so many threads."""

    model: Model
    data: Array
    batch: int
    sparse: Nonzeros | None
    threads: int = 1
    buffers: Buffers = field(init=False)
    phases: list[list[Work]] = field(default_factory=list)
    moved: list[tuple[Done, Matrix, float]] = field(default_factory=list)  # layers, dy, decay: what the last phase updates
    terms: list[Term] = field(default_factory=list)
    weights: Callable[[int], dict[str, float]] = lambda step: {}  # of the terms in a step, where not 1

    def __post_init__(self) -> None:
        self.buffers = Buffers(self.model.dtype)
        from npae.kernels.step import registers  # loads LLVM, which --help can do without

        self.item = self.model.dtype.itemsize
        self.width, self.sparse_width = (vectors * registers.BYTES // self.item for vectors in (registers.WIDE, registers.SUMMED))
        self.nonzeros = (0, 0, 0, 0)
        self.few = len(self.model.parameters) < MANY
        self.by_rows()

    def by_rows(self) -> None:
        """What follows is a phase over blocks of rows."""
        each = BLOCKS_PER_THREAD if self.threads > 1 and self.few else 1
        self._begin([Work([], blocks(self.batch, self.threads * each))])

    def by_shares(self, own: list[Share]) -> None:
        """What follows is a phase of a work for each share, over all rows, or blocks of them for more threads, or for the cache."""
        rows = blocks(self.batch, max(-(-self.threads // len(own)), -(-self.batch // MOST_ROWS)))
        self._begin([Work([], rows, share.place) for share in own])

    def one_by_one(self, count: int) -> None:
        """What follows is a phase of so many works side by side, each done once."""
        self._begin([Work([], [(0, 0)]) for _ in range(count)])

    def _begin(self, works: list[Work]) -> None:
        if self.phases and not any(work.operations for work in self.phases[-1]):
            self.phases.pop()
        self.phases.append(works)

    def do(self, name: str, operation: Operation, work: int = 0) -> None:
        """One more operation of this phase."""
        self.phases[-1][work].operations.append((name, operation))

    def cut(self, layer: Layer, most: int) -> list[Range]:
        """The columns of a layer's shares."""
        dense = layer.dense
        return shares(dense.n_out, self.item, most if self.few and dense.n_in * dense.n_out >= WIDE else 1)

    def matrix(self, name: str, width: int, apart: int | None = None) -> Matrix:
        """A new one, as many rows as the batch, one behind the other or so far apart."""
        stride = width if apart is None else apart
        return Matrix(name, self.buffers.numbers(name, self.batch, stride), stride, width)

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
        self.do("x", GatherSparse(features, x.at, self.sparse.blocks, *self.sparse.fields, indices, values, starts))
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

    def columns(self, matrix: Matrix, first: int, width: int) -> Matrix:
        """Some columns of a matrix."""
        return Matrix(matrix.name, matrix.at + self.item * first, matrix.stride, width)

    def reads_nonzeros(self, x: Matrix) -> bool:
        """Whether a layer with this input reads the nonzeros of the data."""
        return self.sparse is not None and x.name == "x"

    def dense(self, layer: Layer, x: Matrix, y: Matrix) -> Done:
        """y = f(x W + b); from the nonzeros of x where x is the data, and then in shares, as many as threads can take."""
        most = min(self.threads, SHARES, y.width * self.item // NARROWEST) if x.name == "x" else 1
        own = self._shares(layer, x, self.cut(layer, most))
        if len(own) > 1:
            self.by_shares(own)
        for work, share in enumerate(own):
            name = layer.name_of(share.first, share.width)
            part, b = self.columns(y, share.first, share.width), address(layer.dense.b.value) + self.item * share.first
            of_output = (share.panels, b, part.width, part.at, part.stride, layer.code, layer.parameter)
            if self.reads_nonzeros(x):
                indices, values, starts, count = self.nonzeros
                self.do(name, SparseDense(indices, values, starts, x.width, count, *of_output), work)
            else:
                self.do(name, Dense(x.at, x.stride, x.width, *of_output), work)
        if len(own) > 1:
            self.by_rows()
        return Done(layer, x, y, y, own)

    def _shares(self, layer: Layer, x: Matrix, columns: Sequence[Range]) -> list[Share]:
        """With room for their weights, one share behind the other."""
        panels = self.buffers.numbers(f"{layer.name}.W in panels", x.width, layer.dense.n_out)
        return [
            Share(first, width, panels + self.item * x.width * first, place=(k + 0.5) / len(columns))
            for k, (first, width) in enumerate(columns)
        ]

    def decode(
        self, layer: Layer, x: Matrix, target: Matrix, likelihood: int, scale: float, clip: float, term: str, constant: float
    ) -> tuple[Done, Matrix]:
        """The decoder's last layer with the loss, and the gradient with respect to x W + b; in shares, with respect to x as well."""
        y, n_in = self.matrix(layer.name, layer.dense.n_out), layer.dense.n_in
        own = self._shares(layer, x, self.cut(layer, SHARES))
        if likelihood == BERNOULLI_SIGMOID and layer.code != SIGMOID:
            raise NotCovered(f"probabilities that are not a sigmoid's ({layer.name}, {layer.activation})")
        activation = LINEAR if likelihood == BERNOULLI_SIGMOID else layer.code
        kept = self.matrix(f"{layer.name} kept", y.width) if activation else None
        totals, done = self.buffers.totals(term, self.batch * len(own)), Done(layer, x, y, y, own)
        if len(own) > 1:
            done.parts = self.buffers.numbers(f"parts of d {x.name}", self.batch * len(own), n_in)
            self.by_shares(own)
        for work, share in enumerate(own):
            name = layer.name_of(share.first, share.width)
            part, of_target = (self.columns(matrix, share.first, share.width) for matrix in (y, target))
            put_aside = self.columns(kept, share.first, share.width).at if kept else 0
            b, sums = address(layer.dense.b.value) + self.item * share.first, totals + 8 * self.batch * work
            of_layer = (x.at, x.stride, n_in, share.panels, b, share.width, part.at, y.stride, put_aside, activation)
            decode = Decode(*of_layer, likelihood, of_target.at, sums, layer.parameter, scale, clip)
            self.do(name, decode, work)
            if len(own) > 1:
                share.turned, share.depth = self.buffers.numbers(f"{name}.W turned, in panels", share.width, n_in), share.width
                dx = done.parts + self.item * self.batch * n_in * work
                self.do(f"part of d {x.name}", Back(part.at, y.stride, share.width, share.turned, n_in, dx, n_in, 0, 0, 0, 0.0), work)
        if len(own) > 1:
            self.by_rows()
        self.terms.append(Term(term, totals, self.batch * len(own), scale, constant))
        return done, y

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
        apart = on_lines(n_in, self.item) if below else n_in
        dx = self.matrix(f"d {below.layer.name}" if below else name, n_in, apart)
        code, parameter = (below.layer.code, below.layer.parameter) if below else (0, 0.0)
        y, mask = (below.y.at, below.mask) if below else (0, 0)
        if heads[0].parts:
            self.do(dx.name, Join(heads[0].parts, len(heads[0].shares), n_in, dx.at, dx.stride, mask, y, code, parameter))
            return dx
        turned, above = self.buffers.numbers(f"{heads[0].layer.name}.W turned, in panels", n_out, n_in), 0
        for head in heads:
            (share,) = head.shares
            share.turned, share.depth, share.above = turned, n_out, above
            above += share.width
        self.do(dx.name, Back(dy.at, dy.stride, n_out, turned, n_in, dx.at, dx.stride, mask, y, code, parameter))
        return dx
