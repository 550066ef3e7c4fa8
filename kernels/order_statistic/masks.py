"""Which of TILE whole numbers in a row lie where, as the bits of one integer; and what there is to know of its bits.

    compare(patterns, r, low, high, width) -> (below, inside)      bit j: patterns[r, j] < low, or low <= patterns[r, j] <= high
    ones(mask)                                                     how many bits are set
    lowest(mask)                                                   the place of the lowest bit that is set; mask is not 0

patterns is a C-contiguous (., TILE) matrix of int32 or int64, whose sign bits count for nothing; its first `width` columns are looked at;
0 <= low <= high. Written as LLVM instructions, because Numba makes no integer of bits from a comparison.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from npae.kernels.blocks import in_all_lanes
from npae.kernels.tiles import TILE

_types: Any = types  # untyped in Numba
_BITS = ir.IntType(TILE)
_MASK, _pair = types.uint64, _types.UniTuple
assert TILE == 64, "a mask is a 64-bit integer"


def _compare(typing: Any, patterns: Any, r: Any, low: Any, high: Any, width: Any) -> Any:
    """(below, inside)"""

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = context.make_array(kind)(context, b, arguments[0])
        number = ir.IntType(kind.dtype.bitwidth)
        vector = ir.VectorType(number, TILE)
        stride = b.extract_value(array.strides, 0)
        address = b.add(b.ptrtoint(array.data, ir.IntType(64)), b.mul(arguments[1], stride))
        row = b.load(b.inttoptr(address, ir.PointerType()), typ=vector, align=number.width // 8)
        row = b.and_(row, ir.Constant(vector, [(1 << (number.width - 1)) - 1] * TILE))
        least, most = (b.trunc(value, number) if number.width < 64 else value for value in arguments[2:4])
        looked_at = b.lshr(ir.Constant(_BITS, -1), b.sub(ir.Constant(_BITS, TILE), arguments[4]))
        below = b.icmp_signed("<", row, in_all_lanes(b, least, vector))
        above_low = b.sub(row, in_all_lanes(b, least, vector))  # negative below, hence large without a sign
        inside = b.icmp_unsigned("<=", above_low, in_all_lanes(b, b.sub(most, least), vector))
        found = [b.and_(b.bitcast(bits, _BITS), looked_at) for bits in (below, inside)]
        return context.make_tuple(b, signature.return_type, found)

    return _pair(_MASK, 2)(patterns, types.int64, types.int64, types.int64, types.int64), generate


def _ones(typing: Any, mask: Any) -> Any:
    """How many."""

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        return b.ctpop(arguments[0])

    return types.int64(_MASK), generate


def _lowest(typing: Any, mask: Any) -> Any:
    """Where."""

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        return b.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(_MASK), generate


compare: Any = intrinsic(_compare)
ones: Any = intrinsic(_ones)
lowest: Any = intrinsic(_lowest)
