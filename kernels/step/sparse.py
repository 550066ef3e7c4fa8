"""The first layer from the nonzeros of its input: its output, and the step of its weights.        x (B, F), nonzeros by nonzeros.py

    forward     y = f(x W + b)                       rows r0 .. r1 - 1
    weights     g_ij = sum_b x_bi dy_bj, and Adam    one block of rows i of W, all columns j

W, m and v are in panels (panels.py) of summed_together columns. A batch's nonzeros are stored row by row; `starts` (B, blocks + 1) says
at which place each block of columns begins. The gradient needs them column by column: marks.py says where they are, and x what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npae.kernels.jit import FAST, jit
from npae.kernels.kernel import Array
from npae.kernels.step.activation import activate
from npae.kernels.step.adam import moved, rounded
from npae.kernels.step.codes import BLOCK, HEAD, LINEAR
from npae.kernels.step.marks import HALF_BYTES, mark, summed_where_marked, words_of
from npae.kernels.step.memory import fetch, matrix_at, size_of
from npae.kernels.step.nonzeros import gathered, summed_together
from npae.kernels.step.registers import BYTES, SUMMED
from npae.kernels.step.tile import masks_of
from npae.kernels.step.vectors import INT, Vectors, fetch_line, instruction, types

NEXT = 3  # rows of W from now, which are brought near
LARGE, MANY = 1 << 20, 64  # bytes of a W that is brought near before it is read, by at least so many rows: they read most of it
TOGETHER = 2  # blocks that the forward pass takes at a time: their rows of W stay near, and a row's sums are seldom put aside


@jit(FAST)
def sparse_forward(
    kind: Any,
    indices: int,
    values: int,
    starts: int,
    features: int,
    blocks: int,
    w: int,
    b: int,
    n_out: int,
    y: int,
    y_stride: int,
    activation: int,
    parameter: float,
    r0: int,
    r1: int,
) -> None:
    """y = f(x W + b)"""
    size, begins, width = size_of(kind), matrix_at(0, starts, r1, blocks + 1), summed_together(kind)
    far = size * features * n_out > LARGE and r1 - r0 >= MANY
    each = size * BLOCK * TOGETHER * min(width, n_out) // (r1 - r0) if far else 0  # bytes of the next blocks' W, for each row
    for j in range(0, n_out, width):
        n, panel = min(width, n_out - j), w + size * j * features
        for block in range(0, blocks, TOGETHER):
            soon = panel + size * BLOCK * (block + TOGETHER) * n
            for r in range(r0, r1):
                fetch(soon + each * (r - r0), each)
                place, to = begins[r, block], y + size * (r * y_stride + j)
                count = begins[r, min(block + TOGETHER, blocks)] - place
                start = to if block else b + size * j if activation == LINEAR else 0
                gathered(kind, indices + 4 * place, values + size * place, count, panel, to, n, n, start)
    if activation != LINEAR:
        activate(kind, activation, parameter, y, y_stride, b, r0, r1, n_out)


def _move(vectors: int, ends: bool) -> Callable[..., Any]:
    """f(kind, marks, words, x, x_stride, dy, dy_stride, w, m, v, last, numbers): one row of W in a panel of so many vectors.

    The row lies at w; with `ends` only the first `last` lanes of its last vector do. `numbers` are Adam's."""

    def typed(
        context: Any,
        kind: Any,
        marks: Any,
        words: Any,
        x: Any,
        x_stride: Any,
        dy: Any,
        dy_stride: Any,
        w: Any,
        m: Any,
        v: Any,
        last: Any,
        numbers: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, marks, words, x, x_stride, dy, dy_stride, w, m, v, last, numbers = arguments
            vector = Vectors(builder, kind)
            for moment in (w, m, v):
                for j in range(vectors):
                    fetch_line(builder, builder.add(moment, INT(BYTES * (vectors * NEXT + j))))
            masks = masks_of(vector, vectors, last if ends else None)
            for j, g in enumerate(summed_where_marked(vector, masks, marks, words, x, x_stride, dy, dy_stride)):
                moved(vector, g, (w, m, v), INT(BYTES * j), masks[j], numbers)
            return context.get_dummy_value()

        return types.void(kind, *[types.int64] * 11), generate

    return instruction(typed)


_move_all = _move(SUMMED, False)
_move4, _move3, _move2, _move1 = (_move(vectors, True) for vectors in (4, 3, 2, 1))


@jit(FAST)
def sparse_weights(
    kind: Any,
    x: int,
    x_stride: int,
    features: int,
    dy: int,
    dy_stride: int,
    n_out: int,
    w: int,
    m: int,
    v: int,
    block: int,
    batch: int,
    scratch: int,
    rates: Array,
) -> None:
    """BLOCK rows of W, or what there is of them."""
    size, first, lanes, words = size_of(kind), BLOCK * block, BYTES // size_of(kind), words_of(batch)
    columns, width, marks, x_first = min(BLOCK, features - first), summed_together(kind), scratch + HEAD, x + size * first
    mark(kind, x_first, x_stride, batch, columns, marks)
    rounded(kind, rates, 0.0, scratch)
    for j in range(0, n_out, width):
        n, dy_j = min(width, n_out - j), dy + size * j
        vectors = (n + lanes - 1) // lanes
        last = n - (vectors - 1) * lanes
        for column in range(columns):
            at = size * (j * features + (first + column) * n)
            of, x_c, w_c, m_c, v_c = marks + HALF_BYTES * column, x_first + size * column, w + at, m + at, v + at
            if n == width:
                _move_all(kind, of, words, x_c, x_stride, dy_j, dy_stride, w_c, m_c, v_c, last, scratch)
            elif vectors == 4:
                _move4(kind, of, words, x_c, x_stride, dy_j, dy_stride, w_c, m_c, v_c, last, scratch)
            elif vectors == 3:
                _move3(kind, of, words, x_c, x_stride, dy_j, dy_stride, w_c, m_c, v_c, last, scratch)
            elif vectors == 2:
                _move2(kind, of, words, x_c, x_stride, dy_j, dy_stride, w_c, m_c, v_c, last, scratch)
            else:
                _move1(kind, of, words, x_c, x_stride, dy_j, dy_stride, w_c, m_c, v_c, last, scratch)
