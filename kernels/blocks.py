"""A few rows against a tile, in vector registers: the inner loop that Numba's own vectoriser does not find.

    square_distances(x, i, y, c, out, r, o, K)        out[r+q, o+j]  = sum_k (x[k, i+q] - y[k, c+j])^2         q < ROWS, j < 2 LANES
    fused_distances(x, i, y, c, out, r, o, K)         the same, with fewer operations                          q < 2 ROWS, j < LANES
    add_products(x, i, y, c, out, r, o, K)            out[r+q, o+j] += sum_k  x[i+q, k]  * y[k, c+j]           q < ROWS, j < 2 LANES

x, y and out are C-contiguous matrices of one dtype, float32 or float64. Nothing is checked: the caller's matrices reach as far as the
block does. The sums stay in 2 ROWS registers while k runs.

Square distances take k in order with every operation rounded on its own, so they are those of `npae.kernels.pairwise` to the last bit;
fused distances and products fuse multiply and add, which rounds once less. A register has 64 bytes where the processor has AVX-512, else
32; LANES = its bytes / those of a number.
The loop is written as LLVM instructions, one for each line of the formula, through numba.extending.intrinsic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WIDE = bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))
REGISTER = 64 if WIDE else 32  # bytes
ROWS = 8 if WIDE else 4  # with two columns of registers: 16 sums of 32 registers, or 8 of 16

_INT, _POINTER = ir.IntType(64), ir.PointerType()


class _Matrix:
    """Addresses inside a C-contiguous matrix."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder, self.item = builder, kind.dtype.bitwidth // 8
        self.stride = builder.extract_value(array.strides, 0)
        self.first = builder.ptrtoint(array.data, _INT)

    def at(self, row: Any, column: Any) -> Any:
        """The address of one element."""
        b = self.builder
        return b.add(b.add(self.first, b.mul(row, self.stride)), b.mul(column, _int(self.item)))

    def rows_below(self, count: int) -> list[Any]:
        """How far the next rows are, in bytes."""
        return [self.builder.mul(self.stride, _int(q)) for q in range(count)]

    def columns_beside(self, count: int) -> list[Any]:
        """How far the next columns are, in bytes."""
        return [_int(self.item * q) for q in range(count)]


def _int(value: int) -> Any:
    return ir.Constant(_INT, value)


def _subtract_square_add(b: Any, x: Any, y: Any, total: Any) -> Any:
    """total + (y - x)^2, three roundings"""
    difference = b.fsub(y, x)
    return b.fadd(total, b.fmul(difference, difference))


def _subtract_multiply_add(b: Any, x: Any, y: Any, total: Any) -> Any:
    """total + (y - x)^2, two roundings; where x is used once, AVX-512 subtracts it from y as it reads it"""
    difference = b.fsub(y, x)
    return _multiply_add(b, difference, difference, total)


def _multiply_add(b: Any, x: Any, y: Any, total: Any) -> Any:
    """total + x y, one rounding"""
    name = f"llvm.fma.v{x.type.count}f{64 if isinstance(x.type.element, ir.DoubleType) else 32}"
    fma = b.module.globals.get(name) or ir.Function(b.module, ir.FunctionType(x.type, [x.type] * 3), name)
    return b.call(fma, [x, y, total])


def _block(combine: Callable[..., Any], rows: int, columns: int, *, product: bool) -> Any:
    """The microkernel for one of the formulas, `columns` registers wide; a product reads x by rows, and adds to what is there."""

    @intrinsic
    def block(typing: Any, x: Any, i: Any, y: Any, c: Any, out: Any, r: Any, o: Any, count: Any) -> Any:
        def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
            kinds = signature.args
            matrix = {name: _Matrix(context, b, kinds[place], arguments[place]) for name, place in (("x", 0), ("y", 2), ("out", 4))}
            number = context.get_value_type(kinds[0].dtype)
            _emit(b, combine, rows, columns, product, number, matrix, *(arguments[place] for place in (1, 3, 5, 6, 7)))
            return context.get_dummy_value()

        return types.void(x, types.int64, y, types.int64, out, types.int64, types.int64, types.int64), generate

    return block


def _emit(
    b: Any,
    combine: Callable[..., Any],
    rows: int,
    columns: int,
    product: bool,
    number: Any,
    matrix: dict[str, _Matrix],
    i: Any,
    c: Any,
    r: Any,
    o: Any,
    count: Any,
) -> None:
    """for k in range(count): totals[q, v] = combine(x, y[k, c+v], totals[q, v])        x[i+q, k] of a product, else x[k, i+q]"""
    item = matrix["x"].item
    vector = ir.VectorType(number, REGISTER // item)
    places = [(q, v) for q in range(rows) for v in range(columns)]
    x_next = matrix["x"].rows_below(rows) if product else matrix["x"].columns_beside(rows)
    out_rows = matrix["out"].rows_below(rows)
    target = matrix["out"].at(r, o)

    def load(address: Any, offset: Any, kind: Any) -> Any:
        return b.load(b.inttoptr(b.add(address, offset), _POINTER), typ=kind, align=item)

    def cell(q: int, v: int) -> Any:
        return b.add(out_rows[q], _int(REGISTER * v))

    zero = ir.Constant(vector, [0.0] * vector.count)
    start = {(q, v): load(target, cell(q, v), vector) if product else zero for q, v in places}
    x_first = matrix["x"].at(i, _int(0)) if product else matrix["x"].at(_int(0), i)
    addresses = {"k": _int(0), "x": x_first, "y": matrix["y"].at(_int(0), c)}
    steps = {"k": _int(1), "x": _int(item) if product else matrix["x"].stride, "y": matrix["y"].stride}

    before, loop, end = b.block, b.append_basic_block("k"), b.append_basic_block("end")
    b.branch(loop)
    b.position_at_end(loop)
    now = {name: b.phi(_INT) for name in addresses}
    totals = {place: b.phi(vector) for place in places}
    y = [load(now["y"], _int(REGISTER * v), vector) for v in range(columns)]
    after = {}
    for q in range(rows):
        x = in_all_lanes(b, load(now["x"], x_next[q], number), vector)
        for v in range(columns):
            after[q, v] = combine(b, x, y[v], totals[q, v])
    following = {name: b.add(now[name], steps[name]) for name in now}
    for name, phi in now.items():
        phi.add_incoming(addresses[name], before)
        phi.add_incoming(following[name], loop)
    for place, phi in totals.items():
        phi.add_incoming(start[place], before)
        phi.add_incoming(after[place], loop)
    b.cbranch(b.icmp_signed("<", following["k"], count), loop, end)
    b.position_at_end(end)
    for q, v in places:
        b.store(after[q, v], b.inttoptr(b.add(target, cell(q, v)), _POINTER), align=item)


def in_all_lanes(b: Any, x: Any, vector: Any) -> Any:
    """A vector of that type with one number everywhere."""
    lane = ir.IntType(32)
    nothing = ir.Constant(vector, ir.Undefined)
    first = b.insert_element(nothing, x, ir.Constant(lane, 0))
    return b.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(lane, vector.count), [0] * vector.count))


square_distances = _block(_subtract_square_add, ROWS, 2, product=False)
fused_distances = _block(_subtract_multiply_add, 2 * ROWS, 1, product=False)
add_products = _block(_multiply_add, ROWS, 2, product=True)
