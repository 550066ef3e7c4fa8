"""Squared Euclidean distances between two sets of points.

    pairwise_squared(x (n, d), y (m, d), out (n, m)) -> None        out_ij = sum_k (x_ik - y_jk)^2

x, y and out are C-contiguous and of one dtype, float32 or float64; out overlaps neither. The sum runs over k in order and every operation
is rounded to the dtype on its own (no fused multiply-add), so the value of a pair is DEFINED to the last bit: all forms agree exactly, the
distance from x_i to y_j equals that from y_j to x_i, and the order statistic below can be exact. The differences are taken before they
are squared, hence no distance is negative, a point's distance to itself is exactly 0, and an offset shared by all points costs nothing;
the form |x|^2 + |y|^2 - 2 x.y has none of the three. Relative error <= (d + 2) eps / 2, eps = 1.2e-7 or 2.2e-16.
On a GPU: one launch, no memory of its own.

Source: the definition; on the expanded form's cancellation, Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 1.7.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import EXACT, Kernel, unwritten


def _examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    n, m, d = size, size + 3, 1 + size % 11
    x, y = rng.standard_normal((n, d)) + 100.0, rng.standard_normal((m, d)) + 100.0
    return x.astype(dtype), y.astype(dtype), unwritten((n, m), dtype)


KERNELS = (
    Kernel(
        name="pairwise_squared",
        reference="npae.kernels.pairwise.reference:pairwise_squared",
        implementations={
            "cpu": "npae.kernels.pairwise.cpu:pairwise_squared",
            "gpu": "npae.kernels.pairwise.gpu:pairwise_squared",
        },
        examples=_examples,
        outputs=(2,),
        sizes=(1, 2, 3, 31, 32, 33, 63, 64, 65, 100, 257, 1000),
        tolerances={"float32": EXACT, "float64": EXACT},
    ),
)
