"""The last phase of a step: every layer's weights and bias, in parts.

    updates(lowering, optimizer) -> Updates        operations, their parts, and the sums of squares that an L2 term reads

A part is some rows of a panel of W; of a sparse first layer it is a block of whole rows; a bias is one part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.compiled.lowering import Done, Lowering, Matrix, Named
from npae.kernels.philox import scratch_bytes as noise_bytes
from npae.kernels.step.codes import BLOCK, PART_ROWS
from npae.kernels.step.operations import Bias, Draw, SparseWeights, Weights
from npae.optim import Adam
from npae.parameters import Parameter

Part = tuple[int, int]  # first row, first column; or the block


@dataclass
class InPanels:
    """A W that a run keeps in panels, with its m and v: where they lie, and where the panels do."""

    done: Done
    matrices: tuple[int, int, int]
    panels: tuple[int, int, int]
    squares: Array | None  # the sums of its parts


@dataclass
class Updates:
    """Operations by name; the parts of each; which W are in panels; which biases are squared."""

    operations: list[Named] = field(default_factory=list)
    parts: list[list[Part]] = field(default_factory=list)
    in_panels: list[InPanels] = field(default_factory=list)
    squared: list[tuple[Array, Array]] = field(default_factory=list)  # value, and the place of its sum
    squares: Array | None = None  # all of them


def updates(lowering: Lowering, optimizer: Adam) -> Updates:
    """What moves the parameters."""
    made, place = Updates(), 0
    count = sum(len(parts_of(lowering, done)) + 1 for done, _, decay in lowering.moved if decay)
    made.squares = lowering.buffers.array("squares", count, np.float64) if count else None
    for done, dy, decay in lowering.moved:
        for parameter in (done.layer.dense.W, done.layer.dense.b):
            parts = parts_of(lowering, done) if parameter.value.ndim == 2 else [(0, 0)]
            squares = made.squares[place : place + len(parts)] if made.squares is not None and decay else None
            place += len(parts) if squares is not None else 0
            made.parts.append(parts)
            made.operations.append(_operation(lowering, optimizer, made, done, dy, parameter, squares, decay))
    return made


def parts_of(lowering: Lowering, done: Done) -> list[Part]:
    """The parts of a layer's weights, panel by panel."""
    if is_sparse(lowering, done):
        return [(block, 0) for block in range(lowering.nonzeros[3])]
    dense = done.layer.dense
    return [(i, j) for j in range(0, dense.n_out, lowering.width) for i in range(0, dense.n_in, PART_ROWS)]


def is_sparse(lowering: Lowering, done: Done) -> bool:
    """Whether the layer reads the data's nonzeros."""
    return lowering.sparse is not None and done.x.name == "x"


def _operation(
    lowering: Lowering, optimizer: Adam, made: Updates, done: Done, dy: Matrix, parameter: Parameter, squares: Array | None, decay: float
) -> Named:
    dense, name, w, x = done.layer.dense, done.layer.name, address(parameter.value), done.x
    offset, sums = w - address(optimizer.parameters.value), address(squares) if squares is not None else 0
    m, v = address(optimizer.m) + offset, address(optimizer.v) + offset
    if parameter is dense.b:
        if squares is not None:
            made.squared.append((parameter.value, squares))
        return f"{name}.b", Bias(dy.at, dy.stride, dense.n_out, w, m, v, sums, decay)
    if is_sparse(lowering, done):
        return f"{name}.W", SparseWeights(*lowering.nonzeros, dense.n_in, dy.at, dy.stride, dense.n_out, w, m, v)
    m_panels, v_panels = (lowering.buffers.numbers(f"{name}.W {moment} in panels", dense.n_in, dense.n_out) for moment in "mv")
    panels = (done.panels, m_panels, v_panels)
    made.in_panels.append(InPanels(done, (w, m, v), panels, squares))
    return f"{name}.W", Weights(
        x.at, x.stride, dense.n_in, dy.at, dy.stride, dense.n_out, *panels, done.turned, done.depth, done.above, sums, decay
    )


def scratch_bytes(lowering: Lowering) -> int:
    """What one thread needs while it makes a part, or draws noise."""
    size, batch = lowering.item, lowering.batch
    widest = max(done.layer.dense.n_out for done, _, _ in lowering.moved)  # of a bias, and of a sparse layer's rows
    gradient = max(PART_ROWS * lowering.width, (BLOCK if lowering.sparse else 1) * widest)
    widest_noise = max((one.columns for phase in lowering.phases for _, one in phase if isinstance(one, Draw)), default=0)
    most = max(size * gradient + 8 * BLOCK + (4 + size) * BLOCK * batch, 8 * batch + noise_bytes(widest_noise))
    return 64 * math.ceil(most / 64 + 1)
