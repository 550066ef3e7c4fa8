"""A tile of a matrix product, held in registers:  C_rj = sum_k A_rk B_kj        r < ROWS, j < some vectors

    tile(rows, vectors, ends)  ->  the intrinsic  f(kind, a, b, c, K, M, row, step, ldb, ldc, last)
    multiplied(v, ...)         in a function that is being built: its sums, still in registers, for update.py to go on with

A_rk lies at a + r row + k step, B_kj at b + k ldb + j, C_rj at c + r ldc + j: addresses in bytes, strides in elements; `kind` is any number
of the arrays' dtype. Rows from M on repeat row M - 1, so a tile may stick out below. With `ends` only the first `last` lanes of the last
vector are read and written, so it may stick out on the right too.

Each element is one chain of fused multiply-adds over k = 0, 1, ...: its value does not depend on the tile that it is computed in, nor on
the width of the registers. That is what makes a step the same to the last bit on one thread and on many, on AVX2 and on AVX-512.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, Vectors, fetch_line, instruction, types


def tile(rows: int, vectors: int, ends: bool) -> Callable[..., Any]:
    """The intrinsic for so many rows and vectors."""

    def typed(context: Any, kind: Any, a: Any, b: Any, c: Any, K: Any, M: Any, row: Any, step: Any, ldb: Any, ldc: Any, last: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, a, b, c, K, M, row, step, ldb, ldc, last = arguments
            v = Vectors(builder, kind)
            masks = masks_of(v, vectors, last if ends else None)
            kept = rows_of(v, rows, M)
            sums = multiplied(v, kept, masks, a, b, K, row, step, ldb)
            for r, line in enumerate(sums):
                c_row = builder.add(c, v.bytes(builder.mul(ldc, kept[r])))
                for j, total in enumerate(line):
                    v.store(total, c_row, INT(BYTES * j), masks[j])
            return context.get_dummy_value()

        return types.void(kind, *[types.int64] * 10), generate

    return instruction(typed)


def masks_of(v: Vectors, vectors: int, last: Any) -> list[Any]:
    """Of each vector of a row: none, or the first `last` lanes of the last one."""
    return [None] * (vectors - 1) + [None if last is None else v.first(last)]


def rows_of(v: Vectors, rows: int, M: Any) -> list[Any]:
    """The rows of a tile; from M on, M - 1 again."""
    build = v.builder
    return [build.select(build.icmp_signed("<", INT(r), M), INT(r), build.sub(M, INT(1))) for r in range(rows)]


def multiplied(
    v: Vectors,
    rows: list[Any],
    masks: list[Any],
    a: Any,
    b: Any,
    K: Any,
    row: Any,
    step: Any,
    ldb: Any,
    ahead: tuple[Any, ...] = (),
    pace: Any = None,
) -> list[list[Any]]:
    """The sums of a tile, rows of vectors. With every k the lines at the addresses `ahead` are fetched, which move on by `pace` bytes."""
    build = v.builder
    a_rows = [v.bytes(build.mul(row, r)) for r in rows]
    step_bytes, ldb_bytes = v.bytes(step), v.bytes(ldb)
    before, loop, after = build.block, build.append_basic_block("k"), build.append_basic_block("end")
    build.branch(loop)
    build.position_at_end(loop)
    k, a_k, b_k = (build.phi(INT) for _ in range(3))
    soon = [build.phi(INT) for _ in ahead]
    sums = [[build.phi(v.type) for _ in masks] for _ in rows]
    for phi, start in ((k, INT(0)), (a_k, a), (b_k, b), *zip(soon, ahead, strict=True), *((phi, v.zero) for line in sums for phi in line)):
        phi.add_incoming(start, before)
    for line in soon:
        fetch_line(build, line)
    b_row = [v.load(b_k, INT(BYTES * j), mask) for j, mask in enumerate(masks)]
    for r, a_row in enumerate(a_rows):
        factor = v.spread(a_k, a_row)
        for j, b_j in enumerate(b_row):
            phi = sums[r][j]
            sums[r][j] = v.fma(factor, b_j, phi)
            phi.add_incoming(sums[r][j], loop)
    k_next = build.add(k, INT(1))
    for phi, following in ((k, k_next), (a_k, build.add(a_k, step_bytes)), (b_k, build.add(b_k, ldb_bytes))):
        phi.add_incoming(following, loop)
    for line in soon:
        line.add_incoming(build.add(line, pace), loop)
    build.cbranch(build.icmp_signed("<", k_next, K), loop, after)
    build.position_at_end(after)
    return sums
