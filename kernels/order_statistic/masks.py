"""Which of TILE distances in a row lie where, as the bits of one integer; and what there is to know of its bits.

    compare(d2, r, low, high, width) -> (below, near)      bit j: d2[r, j] < low, or neither that nor d2[r, j] > high
    ones(mask)                                             how many bits are set
    lowest(mask)                                           the place of the lowest bit that is set; mask is not 0

d2 is a C-contiguous (., TILE) matrix of float32 or float64, of which `width` columns are looked at; low and high are bit patterns,
0 <= low <= high. Nothing is below, nor above, a NaN, and no NaN is: what is compared with one is near. Written as LLVM instructions,
because Numba makes no integer of bits from a comparison.
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


def _compare(typing: Any, d2: Any, r: Any, low: Any, high: Any, width: Any) -> Any:
    """(below, near)"""

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = context.make_array(kind)(context, b, arguments[0])
        number, bits = context.get_value_type(kind.dtype), ir.IntType(kind.dtype.bitwidth)
        vector = ir.VectorType(number, TILE)
        stride = b.extract_value(array.strides, 0)
        address = b.add(b.ptrtoint(array.data, ir.IntType(64)), b.mul(arguments[1], stride))
        row = b.load(b.inttoptr(address, ir.PointerType()), typ=vector, align=bits.width // 8)
        low, high = (
            in_all_lanes(b, b.bitcast(b.trunc(value, bits) if bits.width < 64 else value, number), vector) for value in arguments[2:4]
        )
        looked_at = b.lshr(ir.Constant(_BITS, -1), b.sub(ir.Constant(_BITS, TILE), arguments[4]))
        below, not_above = (
            b.and_(b.bitcast(each, _BITS), looked_at) for each in (b.fcmp_ordered("<", row, low), b.fcmp_unordered("<=", row, high))
        )
        return context.make_tuple(b, signature.return_type, [below, b.and_(not_above, b.not_(below))])

    return _pair(_MASK, 2)(d2, types.int64, types.int64, types.int64, types.int64), generate


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
