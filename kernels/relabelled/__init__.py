"""What a permutation test asks of a kernel matrix: its sums over many choices of a group of the points, in one pass.

    relabelled_sums(x (n, d), sigma2, labels (c, n) int8, sums (2, c)) -> T        k_ij = exp(-|x_i - x_j|^2 / (2 sigma2)),  k_ii = 0

    sums_0 = a^T K a        over the pairs inside the group, each in both orders        a: a row of labels, 1 in the group and 0 outside
    sums_1 = a^T K 1        over the pairs of a point of the group and any other
    T      = 1^T K 1        over all pairs

x and labels are C-contiguous, x float32 or float64; sums are float64. Equal rows of labels give equal sums, to the last bit, wherever they
stand. Accuracy: each of them within 3e-7 of the number of its pairs in float32 and 1e-14 in float64, at any shared offset of the points.
On a GPU: two launches; sigma2 may be a number on the device; T stays there as float64; scratch is 2 c float64 numbers for a strip of 64
points, or for each of at most 16 parts of a strip where strips are few.
Work: n^2/2 (d + c) multiply-adds and n^2/2 exponentials. Memory: the reference builds n x n arrays; the fast form is O(n (d + c)).

Source: Gretton et al. 2012, "A kernel two-sample test", section 2: the means of k that the estimate is made of.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import Kernel, unwritten


def _examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    d, columns = 1 + size % 11, 1 + (7 * size) % 150
    x = 0.7 * rng.standard_normal((size, d)) + 100.0
    labels = rng.integers(2, size=(columns, size), dtype=np.int8)
    return x.astype(dtype), 0.5 * d, labels, unwritten((2, columns), "float64")


KERNELS = (
    Kernel(
        name="relabelled_sums",
        reference="npae.kernels.relabelled.reference:relabelled_sums",
        implementations={"cpu": "npae.kernels.relabelled.cpu:relabelled_sums", "gpu": "npae.kernels.relabelled.gpu:relabelled_sums"},
        examples=_examples,
        outputs=(3,),
        sizes=(2, 3, 31, 32, 33, 63, 64, 65, 100, 257, 1100),
        tolerances={"float32": (1e-5, 1e-5), "float64": (1e-12, 1e-12)},
    ),
)
