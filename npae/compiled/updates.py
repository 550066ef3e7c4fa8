"""The last phase of a step: every layer's weights and bias, in parts.

    updates(lowering, optimizer) -> Updates        operations, their parts, and the sums of squares that an L2 term reads

A part is some whole rows of W, which lie one behind the other with their m and v, so that Adam streams through them; of a sparse first
layer it is a block of rows; a bias is one part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.compiled.lowering import Done, Lowering, Matrix, Named
from npae.kernels.step.codes import BLOCK, LANES
from npae.kernels.step.operations import Bias, SparseWeights, Weights
from npae.optim import Adam
from npae.parameters import Parameter

Part = tuple[int, int]  # first row, last + 1; or the block
PART = 12_288  # numbers of W in a part, about: what it needs of W, m, v and g stays in the second-level cache


@dataclass
class Updates:
    """Operations by name; the parts of each; which tensors have a transposed copy, and which are squared."""

    operations: list[Named] = field(default_factory=list)
    parts: list[list[Part]] = field(default_factory=list)
    turned: list[tuple[Array, int]] = field(default_factory=list)
    squared: list[tuple[Array, int, slice]] = field(default_factory=list)  # value, rows in a part, and the place of the parts' sums
    squares: Array | None = None  # all of them


def updates(lowering: Lowering, optimizer: Adam) -> Updates:
    """What moves the parameters."""
    made = Updates()
    count = sum(len(parts_of(lowering, done)) + 1 for done, _, decay in lowering.moved if decay)
    made.squares = lowering.buffers.array("squares", count, np.float64) if count else None
    place = 0
    for done, dy, decay in lowering.moved:
        dense = done.layer.dense
        for parameter, parts in ((dense.W, parts_of(lowering, done)), (dense.b, [(0, 0)])):
            squares = 0
            if made.squares is not None and decay:
                squares = address(made.squares) + 8 * place
                made.squared.append((parameter.value, rows_of(lowering, done), slice(place, place + len(parts))))
                place += len(parts)
            made.operations.append(_operation(lowering, optimizer, done, dy, parameter, squares, decay))
            made.parts.append(parts)
        if done.turned:
            made.turned.append((dense.W.value, done.turned))
    return made


def parts_of(lowering: Lowering, done: Done) -> list[Part]:
    """The parts of a layer's weights."""
    if is_sparse(lowering, done):
        return [(block, 0) for block in range(lowering.nonzeros[3])]
    n_in, rows = done.layer.dense.n_in, rows_of(lowering, done)
    return [(first, min(first + rows, n_in)) for first in range(0, n_in, rows)]


def rows_of(lowering: Lowering, done: Done) -> int:
    """Rows of W in a part."""
    return BLOCK if is_sparse(lowering, done) else LANES * max(1, round(PART / (LANES * done.layer.dense.n_out)))


def is_sparse(lowering: Lowering, done: Done) -> bool:
    """Whether the layer reads the data's nonzeros."""
    return lowering.sparse is not None and done.x.name == "x"


def _operation(lowering: Lowering, optimizer: Adam, done: Done, dy: Matrix, parameter: Parameter, squares: int, decay: float) -> Named:
    dense, name, w = done.layer.dense, done.layer.name, address(parameter.value)
    offset = w - address(optimizer.parameters.value)
    m, v = address(optimizer.m) + offset, address(optimizer.v) + offset
    if parameter is dense.b:
        return f"{name}.b", Bias(dy.at, dy.stride, dense.n_out, w, m, v, squares, decay)
    if is_sparse(lowering, done):
        indices, values, starts, blocks = lowering.nonzeros
        return f"{name}.W", SparseWeights(
            indices, values, starts, dense.n_in, blocks, dy.at, dy.stride, dense.n_out, w, m, v, squares, decay
        )
    x = done.x
    return f"{name}.W", Weights(
        x.at, x.stride, dy.at, dy.stride, dense.n_out, w, m, v, done.turned, x.width, squares, rows_of(lowering, done), decay
    )


def scratch_bytes(lowering: Lowering) -> int:
    """What one thread needs while it makes a part."""
    size, batch = lowering.item, lowering.batch
    layers = [done for done, _, _ in lowering.moved]
    gradient = max(rows_of(lowering, done) * done.layer.dense.n_out for done in layers)
    sorted_block = 8 * BLOCK + (4 + size) * BLOCK * batch
    return 64 * math.ceil((size * gradient + sorted_block) / 64 + 1)
