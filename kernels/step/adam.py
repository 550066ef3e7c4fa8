"""Adam's step, vector by vector of a gradient.

    m += (1 - b1) (g - m),   v += (1 - b2) (g^2 - v),   W -= alpha m / (sqrt(v) root + epsilon)

    rounded(kind, rates, decay, to)             what this needs of a step, in W's precision: written to the address `to`, HEAD bytes
    decayed(v, g, w, offset, mask, constants)   in a function that is being built: g + decay W
    moved(v, g, at, offset, mask, constants)    and then the vectors at W, m and v (addresses `at`) + offset
    move_run(kind, g, w, m, v, n, constants)    n numbers that lie one behind the other, and their g, in memory

`rates` holds alpha, root, b1, b2, epsilon of the step (codes.py; npae/kernels/adam). Addresses in bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import ALPHA, BETA1, BETA2, EPSILON, ROOT
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, Vectors, instruction, types

TAKE1, TAKE2, RATE, SCALE, FLOOR, WANE = range(6)
CONSTANTS = 6


@jit(STRICT)
def rounded(kind: Any, rates: Array, decay: float, to: int) -> None:
    """1 - b1, 1 - b2, alpha, root, epsilon and the decay"""
    numbers = array_at(kind, to, CONSTANTS)
    number = numbers.dtype.type
    numbers[TAKE1], numbers[TAKE2] = number(1.0 - rates[BETA1]), number(1.0 - rates[BETA2])
    numbers[RATE], numbers[SCALE] = number(rates[ALPHA]), number(rates[ROOT])
    numbers[FLOOR], numbers[WANE] = number(rates[EPSILON]), number(decay)


def decayed(v: Vectors, g: Any, w: Any, offset: Any, mask: Any, constants: Any) -> Any:
    """g + decay W"""
    return v.fma(v.spread(constants, INT(v.size * WANE)), v.load(w, offset, mask), g)


def moved(v: Vectors, g: Any, at: Sequence[Any], offset: Any, mask: Any, constants: Any) -> None:
    """One vector of W, m and v."""
    build, (w_at, m_at, v_at) = v.builder, at

    def constant(place: int) -> Any:
        return v.spread(constants, INT(v.size * place))

    w, mean, square = (v.load(one, offset, mask) for one in (w_at, m_at, v_at))
    mean = v.fma(constant(TAKE1), build.fsub(g, mean), mean)
    square = v.fma(constant(TAKE2), v.fma(g, g, build.fneg(square)), square)
    step = build.fdiv(build.fmul(constant(RATE), mean), v.fma(v.root(square), constant(SCALE), constant(FLOOR)))
    v.store(mean, m_at, offset, mask)
    v.store(square, v_at, offset, mask)
    v.store(build.fsub(w, step), w_at, offset, mask)


@instruction
def _move(context: Any, kind: Any, g: Any, w: Any, m: Any, v: Any, last: Any, constants: Any) -> Any:
    """The first `last` lanes of a vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, g_at, w_at, m_at, v_at, count, numbers = arguments
        vectors = Vectors(builder, kind)
        mask = vectors.first(count)
        slope = decayed(vectors, vectors.load(g_at, INT(0), mask), w_at, INT(0), mask, numbers)
        moved(vectors, slope, (w_at, m_at, v_at), INT(0), mask, numbers)
        return context.get_dummy_value()

    return types.void(kind, *[types.int64] * 6), generate


@jit(STRICT)
def move_run(kind: Any, g: int, w: int, m: int, v: int, n: int, constants: int) -> None:
    """n numbers, vector by vector"""
    lanes = BYTES // size_of(kind)
    for j in range(0, n, lanes):
        offset = size_of(kind) * j
        _move(kind, g + offset, w + offset, m + offset, v + offset, n - j, constants)
