"""The exact r-th smallest of all n m squared distances between two samples, and the pair that has it.

    distance_order_statistic(z (n, d), w (m, d), rank) -> float       rank 0 is the smallest, n m - 1 the largest
    locate_distance(z (n, d), w (m, d), value) -> (i, j)              the first pair, row by row, at exactly that squared distance

The distances are those of `npae.kernels.pairwise` to the last bit, in the dtype of z and w (C-contiguous, float32 or float64); repeated
values count as often as they occur, and with w = z the n zeros of the diagonal count too. So a median of pairs is a real distance of one
pair, `locate_distance` finds that pair, and the gradient of the statistic is the gradient of that one distance:

    d value / dz_i = 2 (z_i - w_j)        d value / dw_j = -2 (z_i - w_j)

A distance that is NaN ranks above all others, as in NumPy's sort.
Memory: the reference builds the n x m array; the fast forms are O((n + m) d).
Raises InputError for a rank that is not one of those n m, and when no pair has the distance asked for.
On a GPU the value, i and j stay there, as 0-d arrays, and nothing waits: float64 (which holds a float32 exactly) and int64. `value` may be
such an array. As the host does not look, a distance that no pair has gives i = j = -1 instead of an error.

Source: order statistics by radix on the bit pattern (non-negative IEEE numbers are ordered as their bit patterns are): Knuth 1998,
"The Art of Computer Programming", volume 3, section 5.2.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.errors import InputError
from npae.kernels.kernel import EXACT, Kernel

_SIZES = (1, 2, 3, 31, 32, 33, 63, 64, 65, 100, 257, 1000)


def not_found(value: float) -> InputError:
    """What every form raises when no pair has that distance."""
    return InputError(f"squared distance {value!r} belongs to no pair; pass what distance_order_statistic gave for the same points")


def _examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    n, m, d = size, size + 3, 1 + size % 11
    z, w = rng.standard_normal((n, d)).astype(dtype), rng.standard_normal((m, d)).astype(dtype)
    return z, w, (n * m - 1) // 2


def _locate_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    z, w, _ = _examples(rng, size, dtype)
    total = z.dtype.type(0)
    for difference in z[2 * size // 3] - w[size // 2]:
        total += difference * difference
    return z, w, float(total)


KERNELS = (
    Kernel(
        name="distance_order_statistic",
        reference="npae.kernels.order_statistic.reference:distance_order_statistic",
        implementations={
            "cpu": "npae.kernels.order_statistic.cpu:distance_order_statistic",
            "gpu": "npae.kernels.order_statistic.gpu:distance_order_statistic",
        },
        examples=_examples,
        outputs=(),
        sizes=_SIZES,
        tolerances={"float32": EXACT, "float64": EXACT},
    ),
    Kernel(
        name="locate_distance",
        reference="npae.kernels.order_statistic.reference:locate_distance",
        implementations={
            "cpu": "npae.kernels.order_statistic.cpu:locate_distance",
            "gpu": "npae.kernels.order_statistic.gpu:locate_distance",
        },
        examples=_locate_examples,
        outputs=(),
        sizes=_SIZES,
        tolerances={"float32": EXACT, "float64": EXACT},
    ),
)
