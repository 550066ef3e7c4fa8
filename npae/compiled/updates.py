"""The last phase of a step: every layer's weights and bias, in tiles.

    updates(lowering, optimizer) -> Updates        operations, their tiles, and the sums of squares that an L2 term reads

A tile is CHUNK rows and one panel of columns of W; of a sparse first layer a block of rows; a bias is one tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.compiled.lowering import Done, Lowering, Matrix, Named
from npae.kernels.step.codes import CHUNK
from npae.kernels.step.operations import Bias, SparseWeights, Weights
from npae.optim import Adam
from npae.parameters import Parameter

Tile = tuple[int, int]  # first row, first column


@dataclass
class Updates:
    """Operations by name; the tiles of each; which tensors have a transposed copy, and which are squared."""

    operations: list[Named] = field(default_factory=list)
    tiles: list[list[Tile]] = field(default_factory=list)
    turned: list[tuple[Array, int]] = field(default_factory=list)
    squared: list[tuple[Array, slice]] = field(default_factory=list)  # value, and the place of its tiles' sums
    squares: Array | None = None  # all of them


def updates(lowering: Lowering, optimizer: Adam, panel: int) -> Updates:
    """What moves the parameters."""
    made = Updates()
    count = sum(len(tiles_of(lowering, done, panel)) + 1 for done, _, decay in lowering.moved if decay)
    made.squares = lowering.buffers.array("squares", count, np.float64) if count else None
    place = 0
    for done, dy, decay in lowering.moved:
        dense = done.layer.dense
        for parameter, tiles in ((dense.W, tiles_of(lowering, done, panel)), (dense.b, [(0, 0)])):
            squares = 0
            if made.squares is not None and decay:
                squares = address(made.squares) + 8 * place
                made.squared.append((parameter.value, slice(place, place + len(tiles))))
                place += len(tiles)
            made.operations.append(_operation(lowering, optimizer, done, dy, parameter, squares, decay))
            made.tiles.append(tiles)
        if done.turned:
            made.turned.append((dense.W.value, done.turned))
    return made


def tiles_of(lowering: Lowering, done: Done, panel: int) -> list[Tile]:
    """The tiles of a layer's weights, panel by panel."""
    if is_sparse(lowering, done):
        return [(block, 0) for block in range(lowering.nonzeros[3])]
    dense = done.layer.dense
    return [(i, j) for j in range(0, dense.n_out, panel) for i in range(0, dense.n_in, CHUNK)]


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
    return f"{name}.W", Weights(x.at, x.stride, x.width, dy.at, dy.stride, dense.n_out, w, m, v, done.turned, x.width, squares, decay)


def scratch_bytes(lowering: Lowering, panel: int) -> int:
    """What one thread needs while it makes a tile."""
    size, batch = lowering.item, lowering.batch
    widest = max(done.layer.dense.n_out for done, _, _ in lowering.moved)
    sorted_block = 8 * CHUNK + (4 + size) * CHUNK * batch
    return 64 * math.ceil((size * CHUNK * max(panel, widest) + sorted_block) / 64 + 1)
