"""A product of matrices from tiles:  C_ij = sum_k A_ik B_kj        i < M, j < N, k < K

    product(kind, a, b, c, M, N, K, row, step, ldb, ldc)        A_ik at a + i row + k step, B_kj at b + k ldb + j, C_ij at c + i ldc + j
    product_in_panels(kind, a, b, c, M, N, K, row, ldc, start)  A_ik at a + i row + k, B in panels (panels.py); C_ij begins with the number
                                                                at start + j, where start is not 0

Addresses in bytes, strides in elements, so A may be a matrix or its transpose. Tiles are TALL or LOW rows high and at most WIDE vectors
wide, as many as the registers hold: 32 of 64 bytes with AVX-512, half as many of half the size without.
PANEL(kind) = columns of a whole tile; callers that finish a product panel by panel find the panel still in the first-level cache.
"""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import FAST, jit
from npae.kernels.step.memory import size_of
from npae.kernels.step.registers import BYTES, WIDE
from npae.kernels.step.tile import tile

TALL, LOW = 6, 4
NARROW = 8  # rows of a tile that is half a vector wide: multipliers of 32 bytes take two such at a time

_tall, _low = tile(TALL, WIDE, False), tile(LOW, WIDE, False)
_end4, _end3, _end2, _end1 = (tile(LOW, min(vectors, WIDE), True) for vectors in (4, 3, 2, 1))
_half = tile(NARROW, 1, True, BYTES // 2)


@jit(FAST)
def panel_width(kind: Any) -> int:
    """Columns of a whole tile."""
    columns: int = WIDE * BYTES // size_of(kind)
    return columns


@jit(FAST)
def height(left: int) -> int:
    """Rows of the next tile, so that few of the last one stick out."""
    return TALL if left > 2 * LOW or left in (TALL, TALL - 1) else LOW


@jit(FAST)
def _whole(kind: Any, a: int, b: int, c: int, M: int, K: int, row: int, step: int, ldb: int, ldc: int, start: int) -> None:
    """All rows of one panel."""
    size, i = size_of(kind), 0
    while i < M:
        left = M - i
        if height(left) == TALL:
            _tall(kind, a + size * i * row, b, c + size * i * ldc, K, left, row, step, ldb, ldc, start, 0)
            i += TALL
        else:
            _low(kind, a + size * i * row, b, c + size * i * ldc, K, left, row, step, ldb, ldc, start, 0)
            i += LOW


@jit(FAST)
def _part(kind: Any, a: int, b: int, c: int, M: int, N: int, K: int, row: int, step: int, ldb: int, ldc: int, start: int) -> None:
    """All rows of the last N columns, where they are not a whole panel."""
    size = size_of(kind)
    lanes = BYTES // size
    vectors = (N + lanes - 1) // lanes
    last = N - (vectors - 1) * lanes
    if vectors == 1 and last <= lanes // 2:
        for i in range(0, M, NARROW):
            _half(kind, a + size * i * row, b, c + size * i * ldc, K, M - i, row, step, ldb, ldc, start, last)
        return
    for i in range(0, M, LOW):
        a_i, c_i = a + size * i * row, c + size * i * ldc
        if vectors == 1:
            _end1(kind, a_i, b, c_i, K, M - i, row, step, ldb, ldc, start, last)
        elif vectors == 2:
            _end2(kind, a_i, b, c_i, K, M - i, row, step, ldb, ldc, start, last)
        elif vectors == 3:
            _end3(kind, a_i, b, c_i, K, M - i, row, step, ldb, ldc, start, last)
        else:
            _end4(kind, a_i, b, c_i, K, M - i, row, step, ldb, ldc, start, last)


@jit(FAST)
def product(kind: Any, a: int, b: int, c: int, M: int, N: int, K: int, row: int, step: int, ldb: int, ldc: int) -> None:
    """C = A B, panel by panel."""
    width, size = panel_width(kind), size_of(kind)
    whole = N // width * width
    for j in range(0, whole, width):
        _whole(kind, a, b + size * j, c + size * j, M, K, row, step, ldb, ldc, 0)
    if whole < N:
        _part(kind, a, b + size * whole, c + size * whole, M, N - whole, K, row, step, ldb, ldc, 0)


@jit(FAST)
def product_in_panels(kind: Any, a: int, b: int, c: int, M: int, N: int, K: int, row: int, ldc: int, start: int) -> None:
    """C = start + A B, B in panels."""
    width, size = panel_width(kind), size_of(kind)
    whole = N // width * width
    for j in range(0, whole, width):
        _whole(kind, a, b + size * j * K, c + size * j, M, K, row, 1, width, ldc, start + size * j if start else 0)
    if whole < N:
        _part(
            kind, a, b + size * whole * K, c + size * whole, M, N - whole, K, row, 1, N - whole, ldc, start + size * whole if start else 0
        )
