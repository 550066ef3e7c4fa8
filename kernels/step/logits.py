"""The Bernoulli loss of a row of logits in float32, vector by vector; likelihood.py is its definition, and what float64 runs.

    logits_row(kind, y, x, n, factor, scratch)                      one row's total; y becomes factor (sigmoid(y) - x)
    clipped_row(kind, y, x, n, factor, low, high, largest, scratch) of y between low and high; outside, and from the sigmoid `largest` on,
                                                                    y becomes 0

    sum_j max(y_j, 0) - y_j x_j + log1p(t_j)       t_j = e^-|y_j|, and sum_j log1p(t_j) = log1p(q), 1 + q = prod_j (1 + t_j)

A lane multiplies the 1 + t_j of its columns, 2 at most each, and takes one logarithm of as many as MOST. q itself is what is kept,
q <- q + t + q t, so that many a small t is not lost beside 1. STRICT: no sum here may be reordered. The numbers that all columns share
lie at `scratch` meanwhile, at most four. Addresses in bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from npae.kernels.elementary import EXP2_MINUS, LN2_HIGH, LN2_LOW, LOG, LOG2_E, ROUND, SQRT_HALF_BITS
from npae.kernels.jit import STRICT, jit
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, Vectors, instruction, types

MOST = 64  # vectors: 1 + q <= 2^64
FACTOR, LOW, HIGH, LARGEST = range(4)  # what stands at `numbers`
_BITS = ir.IntType(32)


def _exp_minus(v: Vectors, x: Any) -> Any:
    """e^-x, x >= 0: see elementary.py"""
    build, bits = v.builder, ir.VectorType(_BITS, v.lanes)
    power, most, rounder = build.fmul(x, v.all(LOG2_E)), v.all(126.0), v.all(ROUND)
    power = build.select(build.fcmp_ordered("<", power, most), power, most)
    shifted = build.fsub(rounder, power)
    r = build.fadd(power, build.fsub(shifted, rounder))
    p = v.all(EXP2_MINUS[0])
    for coefficient in (*EXP2_MINUS[1:], 1.0):
        p = v.fma(p, r, v.all(coefficient))
    exponent = build.shl(build.bitcast(shifted, bits), ir.Constant(bits, [23] * v.lanes))
    return build.bitcast(build.add(build.bitcast(p, bits), exponent), v.type)


def _log_of_one_more(v: Vectors, q: Any) -> Any:
    """log(1 + q), 0 <= q <= 2^64, as elementary.py has the logarithm; what 1 + q has lost of q is added."""
    build, bits, one = v.builder, ir.VectorType(_BITS, v.lanes), v.all(1.0)
    s = build.fadd(one, q)
    whole, shift = build.bitcast(s, bits), ir.Constant(bits, [23] * v.lanes)
    exponent = build.ashr(build.sub(whole, ir.Constant(bits, [int(SQRT_HALF_BITS)] * v.lanes)), shift)
    e = build.sitofp(exponent, v.type)
    f = build.fsub(build.bitcast(build.sub(whole, build.shl(exponent, shift)), v.type), one)
    p = v.all(LOG[0])
    for coefficient in LOG[1:]:
        p = v.fma(p, f, v.all(coefficient))
    square = build.fmul(f, f)
    rest = v.fma(build.fmul(square, f), p, v.fma(e, v.all(LN2_LOW), build.fmul(square, v.all(-0.5))))
    lost = build.fdiv(build.fsub(q, build.fsub(s, one)), s)
    return build.fadd(v.fma(e, v.all(LN2_HIGH), build.fadd(f, rest)), lost)


def _vector(v: Vectors, clipped: bool, y: Any, x: Any, place: Any, mask: Any, numbers: Any, total: Any, q: Any) -> tuple[Any, Any]:
    """One vector: total and q with it; y becomes the gradient."""
    build, bits, zero, one = v.builder, ir.VectorType(_BITS, v.lanes), v.zero, v.all(1.0)

    def number(which: int) -> Any:
        return v.spread(numbers, INT(v.size * which))

    raw, target = v.load(y, place, mask), v.load(x, place, mask)
    logit = raw
    if clipped:
        logit = build.select(build.fcmp_ordered("<", logit, number(LOW)), number(LOW), logit)
        logit = build.select(build.fcmp_ordered(">", logit, number(HIGH)), number(HIGH), logit)
    size = build.bitcast(build.and_(build.bitcast(logit, bits), ir.Constant(bits, [0x7FFFFFFF] * v.lanes)), v.type)
    t = _exp_minus(v, size)  # of a NaN any number; the total is NaN then
    r = build.fdiv(one, build.fadd(one, t))
    positive = build.fcmp_ordered(">=", logit, zero)
    total = build.fadd(total, v.fma(build.fneg(logit), target, build.select(positive, logit, zero)))
    more = v.fma(q, t, build.fadd(q, t))
    p = build.select(positive, r, build.fmul(t, r))
    slope = build.fmul(number(FACTOR), build.fsub(p, target))
    if clipped:
        free = build.and_(build.fcmp_ordered("==", raw, logit), build.fcmp_ordered("<", p, number(LARGEST)))
        slope = build.select(free, slope, zero)
    v.store(slope, y, place, mask)
    return total, more if mask is None else build.select(mask, more, q)  # what is masked out is a logit of 0 and adds nothing to total


def _row(clipped: bool) -> Callable[..., Any]:
    """The intrinsic f(kind, y, x, n, numbers) -> total, n <= MOST vectors."""

    def typed(context: Any, kind: Any, y: Any, x: Any, n: Any, numbers: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, y, x, n, numbers = arguments
            v = Vectors(builder, kind)
            size = v.bytes(n)
            whole = builder.and_(size, INT(-BYTES))
            before, (loop, after, rest, end) = builder.block, map(builder.append_basic_block, ("vector", "after", "rest", "end"))
            builder.cbranch(builder.icmp_signed("<", INT(0), whole), loop, after)
            builder.position_at_end(loop)
            place, total, q = builder.phi(INT), builder.phi(v.type), builder.phi(v.type)
            sums = _vector(v, clipped, y, x, place, None, numbers, total, q)
            following = builder.add(place, INT(BYTES))
            for phi, first, later in zip((place, total, q), (INT(0), v.zero, v.zero), (following, *sums), strict=True):
                phi.add_incoming(first, before)
                phi.add_incoming(later, loop)
            builder.cbranch(builder.icmp_signed("<", following, whole), loop, after)
            builder.position_at_end(after)
            found = []
            for one in sums:
                found.append(builder.phi(v.type))
                found[-1].add_incoming(v.zero, before)
                found[-1].add_incoming(one, loop)
            builder.cbranch(builder.icmp_signed("<", whole, size), rest, end)
            builder.position_at_end(rest)
            mask = v.first(builder.udiv(builder.sub(size, whole), INT(v.size)))
            masked = _vector(v, clipped, y, x, whole, mask, numbers, *found)
            builder.branch(end)
            builder.position_at_end(end)
            made = [builder.phi(v.type) for _ in found]
            for phi, without, with_rest in zip(made, found, masked, strict=True):
                phi.add_incoming(without, after)
                phi.add_incoming(with_rest, rest)
            total = builder.fadd(made[0], _log_of_one_more(v, made[1]))
            half = v.lanes // 2
            while half:
                total = builder.fadd(total, v.shuffle(total, total, [(lane + half) % v.lanes for lane in range(v.lanes)]))
                half //= 2
            return builder.fpext(builder.extract_element(total, _BITS(0)), ir.DoubleType())

        return types.float64(kind, *[types.int64] * 4), generate

    return instruction(typed)


_free, _clipped = _row(False), _row(True)


@jit(STRICT)
def _whole_row(kind: Any, clipped: bool, y: int, x: int, n: int, numbers: int) -> float:
    size, total = size_of(kind), 0.0
    most = MOST * BYTES // size
    for j in range(0, n, most):
        y_j, x_j, count = y + size * j, x + size * j, min(most, n - j)
        total += _clipped(kind, y_j, x_j, count, numbers) if clipped else _free(kind, y_j, x_j, count, numbers)
    return total


@jit(STRICT)
def logits_row(kind: Any, y: int, x: int, n: int, factor: float, scratch: int) -> float:
    """The total; y becomes the gradient."""
    array_at(kind, scratch, 1)[FACTOR] = factor
    return _whole_row(kind, False, y, x, n, scratch)


@jit(STRICT)
def clipped_row(kind: Any, y: int, x: int, n: int, factor: float, low: float, high: float, largest: float, scratch: int) -> float:
    """The total; y becomes the gradient."""
    numbers = array_at(kind, scratch, 4)
    numbers[FACTOR], numbers[LOW], numbers[HIGH], numbers[LARGEST] = factor, low, high, largest
    return _whole_row(kind, True, y, x, n, scratch)
