"""Which rows of a batch are not zero in a column, as bits, and the sum over those rows alone:  g_j = sum_r x_r dy_rj        x (B, F)

    words_of(batch)                                   a word for 64 rows
    mark(kind, x, x_stride, batch, columns, marks)    bit b of word k of a column: x is not zero in row 64 k + b; NaN is not zero
    summed_where_marked(v, ...)                       in a function that is being built: the vectors of g

A word lies in two halves of 32 bits, `marks` (2 words, BLOCK): a vector of columns is compared at a time, and bit after bit set in its
lanes. The sum runs over the rows in order, as fused multiply-adds. What is left out would have added exactly 0, so that the result is that
of tile.py to the last bit. Addresses in bytes, strides in elements.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from npae.kernels.jit import STRICT, jit
from npae.kernels.step.codes import BLOCK, WORD
from npae.kernels.step.memory import size_of
from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, Vectors, instruction, types

HALF = WORD // 2
_HALF = ir.IntType(HALF)
HALF_BYTES = HALF // 8
_ROW = HALF_BYTES * BLOCK


@jit(STRICT)
def words_of(batch: int) -> int:
    """Of a column."""
    return (batch + WORD - 1) // WORD


@instruction
def _mark(context: Any, kind: Any, x: Any, x_stride: Any, rows: Any, columns: Any, to: Any) -> Any:
    """Half a word of a vector of columns, of the first so many of them: at most 32 rows."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x, x_stride, rows, columns, to = arguments
        v = Vectors(builder, kind)
        bits, wanted, one_row = ir.VectorType(_HALF, v.lanes), v.first(columns), v.bytes(x_stride)
        before, loop, after = builder.block, builder.append_basic_block("row"), builder.append_basic_block("end")
        builder.cbranch(builder.icmp_signed("<", INT(0), rows), loop, after)
        builder.position_at_end(loop)
        r, at, bit, found = builder.phi(INT), builder.phi(INT), builder.phi(bits), builder.phi(bits)
        differs = builder.fcmp_unordered("!=", v.load(at, INT(0), wanted), v.zero)
        more = builder.or_(found, builder.select(differs, bit, ir.Constant(bits, [0] * v.lanes)))
        following = builder.add(r, INT(1))
        for phi, first, then in (
            (r, INT(0), following),
            (at, x, builder.add(at, one_row)),
            (bit, ir.Constant(bits, [1] * v.lanes), builder.add(bit, bit)),
            (found, ir.Constant(bits, [0] * v.lanes), more),
        ):
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
        builder.cbranch(builder.icmp_signed("<", following, rows), loop, after)
        builder.position_at_end(after)
        all_found = builder.phi(bits)
        all_found.add_incoming(ir.Constant(bits, [0] * v.lanes), before)
        all_found.add_incoming(more, loop)
        builder.store(all_found, v.pointer(to, INT(0)), align=HALF_BYTES)
        return context.get_dummy_value()

    return types.void(kind, *[types.int64] * 5), generate


@jit(STRICT)
def mark(kind: Any, x: int, x_stride: int, batch: int, columns: int, marks: int) -> None:
    """All words of some columns, at most a block of them."""
    size, lanes = size_of(kind), BYTES // size_of(kind)
    for half in range(2 * words_of(batch)):
        rows, x_half = min(HALF, batch - HALF * half), x + size * HALF * half * x_stride
        for j in range(0, columns, lanes):
            _mark(kind, x_half + size * j, x_stride, rows, columns - j, marks + _ROW * half + HALF_BYTES * j)


def summed_where_marked(v: Vectors, masks: list[Any], marks: Any, words: Any, x: Any, x_stride: Any, dy: Any, dy_stride: Any) -> list[Any]:
    """One column's: its marks begin at that address, its x_0 and dy_0 at those; `masks` are those of the vectors (tile.py)."""
    build, every = v.builder, range(len(masks))
    x_row, dy_row = v.bytes(x_stride), v.bytes(dy_stride)
    before, word, one, following, after = build.block, *(build.append_basic_block(name) for name in ("word", "one", "following", "after"))
    build.branch(word)

    build.position_at_end(word)
    k, at, x_k, dy_k = (build.phi(INT) for _ in range(4))
    sums = [build.phi(v.type) for _ in every]
    low, high = (build.zext(build.load(v.pointer(at, INT(half)), typ=_HALF, align=HALF_BYTES), INT) for half in (0, _ROW))
    marked = build.or_(low, build.shl(high, INT(HALF)))
    build.cbranch(build.icmp_signed("!=", marked, INT(0)), one, following)

    build.position_at_end(one)
    left, totals = build.phi(INT), [build.phi(v.type) for _ in every]
    row = build.cttz(left, ir.IntType(1)(1))
    factor, of_row = v.spread(x_k, build.mul(row, x_row)), build.add(dy_k, build.mul(row, dy_row))
    added = [v.fma(factor, v.load(of_row, INT(BYTES * j), masks[j]), totals[j]) for j in every]
    others = build.and_(left, build.sub(left, INT(1)))
    for phi, first, then in ((left, marked, others), *zip(totals, sums, added, strict=True)):
        phi.add_incoming(first, word)
        phi.add_incoming(then, one)
    build.cbranch(build.icmp_signed("!=", others, INT(0)), one, following)

    build.position_at_end(following)
    so_far = [build.phi(v.type) for _ in every]
    for phi, none, some in zip(so_far, sums, added, strict=True):
        phi.add_incoming(none, word)
        phi.add_incoming(some, one)
    next_word = build.add(k, INT(1))
    next_rows = (build.add(at, build.mul(row, INT(WORD))) for at, row in ((x_k, x_row), (dy_k, dy_row)))
    starts, thens = (INT(0), marks, x, dy, *[v.zero] * len(masks)), (next_word, build.add(at, INT(2 * _ROW)), *next_rows, *so_far)
    for phi, first, then in zip((k, at, x_k, dy_k, *sums), starts, thens, strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(then, following)
    build.cbranch(build.icmp_signed("<", next_word, words), word, after)
    build.position_at_end(after)
    return so_far
