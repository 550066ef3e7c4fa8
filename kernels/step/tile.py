"""A tile of a matrix product, held in registers:  C_rj = sum_k A_rk B_kj        r < ROWS, j < some vectors

    tile(rows, vectors, ends)  ->  the intrinsic  f(kind, a, b, c, K, M, row, step, ldb, ldc, last)

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
from npae.kernels.step.vectors import INT, Vectors, instruction, types


def tile(rows: int, vectors: int, ends: bool) -> Callable[..., Any]:
    """The intrinsic for so many rows and vectors."""

    def typed(context: Any, kind: Any, a: Any, b: Any, c: Any, K: Any, M: Any, row: Any, step: Any, ldb: Any, ldc: Any, last: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _generate(Vectors(builder, kind), rows, vectors, ends, *arguments[1:])
            return context.get_dummy_value()

        return types.void(kind, *[types.int64] * 10), generate

    return instruction(typed)


def _generate(
    v: Vectors,
    rows: int,
    vectors: int,
    ends: bool,
    a: Any,
    b: Any,
    c: Any,
    K: Any,
    M: Any,
    row: Any,
    step: Any,
    ldb: Any,
    ldc: Any,
    last: Any,
) -> None:
    build = v.builder
    masks = [v.first(last) if ends and j == vectors - 1 else None for j in range(vectors)]
    below = build.sub(M, INT(1))
    kept = [build.select(build.icmp_signed("<", INT(r), M), INT(r), below) for r in range(rows)]
    a_rows, c_rows = ([v.bytes(build.mul(stride, r)) for r in kept] for stride in (row, ldc))
    step_bytes, ldb_bytes = v.bytes(step), v.bytes(ldb)

    before, loop, after = build.block, build.append_basic_block("k"), build.append_basic_block("end")
    build.branch(loop)
    build.position_at_end(loop)
    k, a_k, b_k = (build.phi(INT) for _ in range(3))
    sums = [[build.phi(v.type) for _ in range(vectors)] for _ in range(rows)]
    for phi, start in ((k, INT(0)), (a_k, a), (b_k, b), *((phi, v.zero) for line in sums for phi in line)):
        phi.add_incoming(start, before)
    b_row = [v.load(b_k, INT(BYTES * j), masks[j]) for j in range(vectors)]
    for r in range(rows):
        factor = v.spread(a_k, a_rows[r])
        for j in range(vectors):
            phi = sums[r][j]
            sums[r][j] = v.fma(factor, b_row[j], phi)
            phi.add_incoming(sums[r][j], loop)
    k_next = build.add(k, INT(1))
    for phi, following in ((k, k_next), (a_k, build.add(a_k, step_bytes)), (b_k, build.add(b_k, ldb_bytes))):
        phi.add_incoming(following, loop)
    build.cbranch(build.icmp_signed("<", k_next, K), loop, after)

    build.position_at_end(after)
    for r in range(rows):
        for j in range(vectors):
            v.store(sums[r][j], build.add(c, c_rows[r]), INT(BYTES * j), masks[j])
