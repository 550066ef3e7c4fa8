"""A tile of a matrix product, held in registers:  C_rj = s_j + sum_k A_rk B_kj        r < ROWS, j < some vectors

    tile(rows, vectors, ends)  ->  the intrinsic  f(kind, a, b, c, K, M, row, step, ldb, ldc, start, last); vectors may be narrower: width
    multiplied(v, ...)         in a function that is being built: its sums, still in registers, and what its loop does besides: Meanwhile

A_rk lies at a + r row + k step, B_kj at b + k ldb + j, C_rj at c + r ldc + j, s_j at start + j, or is 0 where start is 0: addresses in
bytes, strides in elements; `kind` is any number of the arrays' dtype. Rows from M on repeat row M - 1, so a tile may stick out below. With
`ends` only the first `last` lanes of the last vector are read and written, so it may stick out on the right too.

Each element is one chain of fused multiply-adds over k = 0, 1, ...: its value does not depend on the tile that it is computed in, nor on
the width of the registers. That is what makes a step the same to the last bit on one thread and on many, on AVX2 and on AVX-512.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, Vectors, fetch_line, instruction, types

NEVER = INT(0)  # left to wait for: one less is not 0 for a very long time


def tile(rows: int, vectors: int, ends: bool, width: int = BYTES) -> Callable[..., Any]:
    """The intrinsic for so many rows and vectors, of so many bytes."""

    def typed(
        context: Any,
        kind: Any,
        a: Any,
        b: Any,
        c: Any,
        K: Any,
        M: Any,
        row: Any,
        step: Any,
        ldb: Any,
        ldc: Any,
        start: Any,
        last: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, a, b, c, K, M, row, step, ldb, ldc, start, last = arguments
            v = Vectors(builder, kind, width)
            masks = masks_of(v, vectors, last if ends else None)
            kept = rows_of(v, rows, M)
            sums = multiplied(v, kept, masks, a, b, K, row, step, ldb, starts_of(v, masks, start, c))
            for r, line in enumerate(sums):
                c_row = builder.add(c, v.bytes(builder.mul(ldc, kept[r])))
                for j, total in enumerate(line):
                    v.store(total, c_row, INT(width * j), masks[j])
            return context.get_dummy_value()

        return types.void(kind, *[types.int64] * 11), generate

    return instruction(typed)


def masks_of(v: Vectors, vectors: int, last: Any) -> list[Any]:
    """Of each vector of a row: none, or the first `last` lanes of the last one."""
    return [None] * (vectors - 1) + [None if last is None else v.first(last)]


def rows_of(v: Vectors, rows: int, M: Any) -> list[Any]:
    """The rows of a tile; from M on, M - 1 again."""
    build = v.builder
    return [build.select(build.icmp_signed("<", INT(r), M), INT(r), build.sub(M, INT(1))) for r in range(rows)]


def starts_of(v: Vectors, masks: list[Any], start: Any, c: Any) -> list[Any]:
    """The vectors at `start`, or zeros where it is 0; then C is read instead, since some processors take very long not to read at 0."""
    build = v.builder
    given = build.icmp_signed("!=", start, INT(0))
    there = build.select(given, start, c)
    return [build.select(given, v.load(there, INT(v.width * j), mask), v.zero) for j, mask in enumerate(masks)]


class Meanwhile(NamedTuple):
    """Work of another kind, for which a loop of multiplications leaves room. LLVM values, but the last."""

    ahead: list[Any]  # the lines at these addresses are fetched with every k,
    pace: Any  # and then they move on by so many bytes
    every: Any  # after so many k, and again after as many,
    count: Any  # but no more than so many times,
    one: Callable[[Any], None]  # this is done with the vector that is so many bytes behind the first


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
    starts: list[Any],
    beside: Meanwhile | None = None,
) -> list[list[Any]]:
    """The sums of a tile, rows of vectors; each row begins with `starts`."""
    build, ahead = v.builder, beside.ahead if beside else []
    a_rows = [v.bytes(build.mul(row, r)) for r in rows]
    step_bytes, ldb_bytes = v.bytes(step), v.bytes(ldb)
    before, loop, after = build.block, build.append_basic_block("k"), build.append_basic_block("end")
    build.branch(loop)
    build.position_at_end(loop)
    k, a_k, b_k, left, place = (build.phi(INT) for _ in range(5))
    lines, sums = [build.phi(INT) for _ in ahead], [build.phi(v.type) for _ in rows for _ in masks]
    phis = [k, a_k, b_k, left, place, *lines, *sums]
    first = [INT(0), a, b, beside.every if beside else INT(0), INT(0), *ahead, *starts * len(rows)]
    for phi, value in zip(phis, first, strict=True):
        phi.add_incoming(value, before)
    left_now, place_now = _now_and_then(build, beside, left, place) if beside else (left, place)
    for line in lines:
        fetch_line(build, line)
    b_row = [v.load(b_k, INT(v.width * j), mask) for j, mask in enumerate(masks)]
    totals = []
    for r, a_row in enumerate(a_rows):
        factor = v.spread(a_k, a_row)
        totals.append([v.fma(factor, b_j, sums[len(masks) * r + j]) for j, b_j in enumerate(b_row)])
    k_next = build.add(k, INT(1))
    moved_on = [build.add(line, beside.pace) for line in lines] if beside else []
    values = [k_next, build.add(a_k, step_bytes), build.add(b_k, ldb_bytes), left_now, place_now, *moved_on, *itertools.chain(*totals)]
    for phi, value in zip(phis, values, strict=True):
        phi.add_incoming(value, build.block)
    build.cbranch(build.icmp_signed("<", k_next, K), loop, after)
    build.position_at_end(after)
    return totals


def _now_and_then(build: Any, beside: Meanwhile, left: Any, place: Any) -> tuple[Any, Any]:
    """`one` when no k is left to wait for; how many are left then, and the place of the next vector."""
    here, now, on = build.block, build.append_basic_block("now"), build.append_basic_block("on")
    one_less = build.sub(left, INT(1))
    build.cbranch(build.icmp_signed("==", one_less, INT(0)), now, on)
    build.position_at_end(now)
    beside.one(place)
    next_place = build.add(place, INT(BYTES))
    more = build.icmp_signed("<", next_place, build.mul(beside.count, INT(BYTES)))
    again, now = build.select(more, beside.every, NEVER), build.block
    build.branch(on)
    build.position_at_end(on)
    left_now, place_now = build.phi(INT), build.phi(INT)
    for phi, at_once, later in ((left_now, again, one_less), (place_now, next_place, place)):
        phi.add_incoming(at_once, now)
        phi.add_incoming(later, here)
    return left_now, place_now
