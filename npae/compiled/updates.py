"""The last phase of a step: every layer's weights and bias, in parts.

    updates(lowering, optimizer) -> Updates        works, one for each share of a layer and each bias, and the sums of squares of an L2 term

A part is some rows of a panel of W; of a sparse first layer it is a block of whole rows of a share; a bias is one part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.compiled.lowering import Lowering
from npae.compiled.notes import Done, Matrix, Share
from npae.compiled.work import Range, Work
from npae.kernels.philox import scratch_bytes as noise_bytes
from npae.kernels.step.codes import BLOCK, HEAD, PART_ROWS, WORD
from npae.kernels.step.operations import Bias, Draw, SparseWeights, Weights
from npae.optim import Adam


@dataclass
class Updates:
    """The works of the last phase, and the tables of npae/kernels/step/start.py."""

    works: list[Work] = field(default_factory=list)
    copies: list[tuple[int, ...]] = field(default_factory=list)
    turns: list[tuple[int, ...]] = field(default_factory=list)
    squared: list[tuple[int, ...]] = field(default_factory=list)
    biases: list[tuple[int, ...]] = field(default_factory=list)
    squares: Array | None = None  # the sums of all parts
    taken: int = 0


def updates(lowering: Lowering, optimizer: Adam) -> Updates:
    """What moves the parameters, in the order in which threads share it out: each moves the shares that it reads."""
    made = Updates()
    count = sum(1 + sum(len(parts_of(lowering, done, share)) for share in done.shares) for done, _, decay in lowering.moved if decay)
    made.squares = lowering.buffers.array("squares", count, np.float64) if count else None
    for done, dy, decay in lowering.moved:
        for share in done.shares:
            made.works.append(_weights(lowering, optimizer, made, done, share, lowering.columns(dy, share.first, share.width), decay))
        made.works.append(_bias(lowering, optimizer, made, done, dy, decay))
    made.works.sort(key=lambda work: work.place)
    return made


def parts_of(lowering: Lowering, done: Done, share: Share) -> list[Range]:
    """The parts of a share's weights, panel by panel."""
    if lowering.reads_nonzeros(done.x):
        return [(block, 0) for block in range(lowering.nonzeros[3])]
    return [(i, j) for j in range(0, share.width, lowering.width) for i in range(0, done.layer.dense.n_in, PART_ROWS)]


def _sums(made: Updates, count: int, decay: float) -> Array | None:
    """Places for the sums of the squares of so many parts, where somebody asks for them."""
    if made.squares is None or not decay:
        return None
    made.taken += count
    return made.squares[made.taken - count : made.taken]


def _moments(lowering: Lowering, optimizer: Adam, value: int) -> tuple[int, int]:
    """Where m and v of the parameters there lie."""
    offset = value - address(optimizer.parameters.value)
    return address(optimizer.m) + offset, address(optimizer.v) + offset


def _weights(lowering: Lowering, optimizer: Adam, made: Updates, done: Done, share: Share, dy: Matrix, decay: float) -> Work:
    dense, name, x, parts = done.layer.dense, done.layer.name_of(share.first, share.width), done.x, parts_of(lowering, done, share)
    w = address(dense.W.value) + lowering.item * share.first
    matrices, sums = (w, *_moments(lowering, optimizer, w)), _sums(made, len(parts), decay)
    m_panels, v_panels = (lowering.buffers.numbers(f"{name}.W {moment} in panels", dense.n_in, share.width) for moment in "mv")
    panels, sparse = (share.panels, m_panels, v_panels), lowering.reads_nonzeros(x)
    width = lowering.sparse_width if sparse else lowering.width
    made.copies += [(*places, dense.n_in, share.width, dense.n_out, width) for places in zip(matrices, panels, strict=True)]
    if share.turned:
        made.turns.append((share.panels, share.turned, dense.n_in, share.width, share.depth, share.above))
    if sums is not None:
        made.squared.append((share.panels, dense.n_in, share.width, address(sums)))
    of_share = (dense.n_in, dy.at, dy.stride, share.width, *panels)
    operation = (
        SparseWeights(x.at, x.stride, *of_share)
        if sparse
        else Weights(x.at, x.stride, *of_share, share.turned, share.depth, share.above, address(sums) if sums is not None else 0, decay)
    )
    return Work([(f"{name}.W", operation)], parts, share.place)


def _bias(lowering: Lowering, optimizer: Adam, made: Updates, done: Done, dy: Matrix, decay: float) -> Work:
    dense, sums = done.layer.dense, _sums(made, 1, decay)
    b = address(dense.b.value)
    if sums is not None:
        made.biases.append((b, dense.n_out, address(sums)))
    moved = (b, *_moments(lowering, optimizer, b))
    bias = Bias(dy.at, dy.stride, dense.n_out, *moved, address(sums) if sums is not None else 0, decay)
    return Work([(f"{done.layer.name}.b", bias)], [(0, 0)])


def scratch_bytes(lowering: Lowering) -> int:
    """What one thread needs while it makes a part, or draws noise."""
    size, batch = lowering.item, lowering.batch
    operations = [one for phase in lowering.phases for work in phase for _, one in work.operations]
    most = [size * max(PART_ROWS * lowering.width, *(done.layer.dense.n_out for done, _, _ in lowering.moved))]  # of W, of b
    most += [8 * batch + noise_bytes(one.columns) for one in operations if isinstance(one, Draw)]
    if lowering.sparse:
        most.append(BLOCK * WORD // 8 * math.ceil(batch / WORD))  # marks of a block of columns
    return HEAD + 64 * math.ceil(max(most) / 64 + 1)
