"""Adam's step with vectors of a gradient, which may be in the processor's registers still: then it is never stored.

    g += decay W,   m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,   W -= alpha m / (sqrt(v) root + epsilon)

    rounded(kind, rates, decay, to)             what this needs of a step, in W's precision: written to the address `to`, HEAD bytes
    moved(v, g, at, offset, mask, constants)    in a function that is being built: the vectors at W, m and v (addresses `at`) + offset
    move_run(kind, g, w, m, v, n, constants)    n numbers that lie one behind the other, and their g, in memory

`rates` holds alpha, root, b1, b2, epsilon of the step (codes.py; npae/kernels/adam). Addresses in bytes.
"""

from __future__ import annotations

from typing import Any

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.step.codes import ALPHA, BETA1, BETA2, EPSILON, ROOT
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, Vectors, instruction, types

KEEP1, TAKE1, KEEP2, TAKE2, RATE, SCALE, FLOOR, WANE = range(8)
CONSTANTS = 8


@jit(STRICT)
def rounded(kind: Any, rates: Array, decay: float, to: int) -> None:
    """b1, 1 - b1, b2, 1 - b2, alpha, root, epsilon and the decay"""
    numbers = array_at(kind, to, CONSTANTS)
    number = numbers.dtype.type
    numbers[KEEP1], numbers[TAKE1] = number(rates[BETA1]), number(1.0 - rates[BETA1])
    numbers[KEEP2], numbers[TAKE2] = number(rates[BETA2]), number(1.0 - rates[BETA2])
    numbers[RATE], numbers[SCALE] = number(rates[ALPHA]), number(rates[ROOT])
    numbers[FLOOR], numbers[WANE] = number(rates[EPSILON]), number(decay)


def moved(v: Vectors, g: Any, at: tuple[Any, Any, Any], offset: Any, mask: Any, constants: Any) -> None:
    """One vector of W, m and v."""
    build, (w_at, m_at, v_at) = v.builder, at

    def constant(place: int) -> Any:
        return v.spread(constants, INT(v.size * place))

    w = v.load(w_at, offset, mask)
    g = v.fma(constant(WANE), w, g)
    mean = v.fma(constant(KEEP1), v.load(m_at, offset, mask), build.fmul(constant(TAKE1), g))
    square = v.fma(constant(KEEP2), v.load(v_at, offset, mask), build.fmul(constant(TAKE2), build.fmul(g, g)))
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
        moved(vectors, vectors.load(g_at, INT(0), mask), (w_at, m_at, v_at), INT(0), mask, numbers)
        return context.get_dummy_value()

    return types.void(kind, *[types.int64] * 6), generate


@jit(STRICT)
def move_run(kind: Any, g: int, w: int, m: int, v: int, n: int, constants: int) -> None:
    """n numbers, vector by vector"""
    lanes = BYTES // size_of(kind)
    for j in range(0, n, lanes):
        offset = size_of(kind) * j
        _move(kind, g + offset, w + offset, m + offset, v + offset, n - j, constants)
