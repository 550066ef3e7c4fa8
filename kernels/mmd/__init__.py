"""The unbiased squared maximum mean discrepancy between two samples, with its gradient.

    value = mean_{i != j} k(z_i, z_j) + mean_{i != j} k(w_i, w_j) - 2 mean_{i, j} k(z_i, w_j)        z (n, d)   w (m, d)   n, m >= 2

    mmd_rbf(z, w, sigma2, dz (n, d)) -> (value, dvalue_dsigma2)       k = exp(-d2 / (2 sigma2))          d2 the squared distance
    mmd_imq(z, w, scales (s,), dz (n, d)) -> value                    k = sum_s C_s / (C_s + d2)         C_s > 0, float64

With g = -dk/d(d2), which is k / (2 sigma2) or sum_s C_s / (C_s + d2)^2, and A = g_zz, C = g_zw, a = A 1, c = C 1:

    dz = 4/(n m) (c o z - C w) - 4/(n (n-1)) (a o z - A z)
    dvalue_dsigma2 = the same three means of  k d2 / (2 sigma2^2)  in place of k

For the Gaussian kernel this is dz = 2/(n m sigma2) (c o z - C w) - 2/(n (n-1) sigma2) (a o z - A z) with A = k_zz, C = k_zw.
z, w and dz are C-contiguous and of one dtype, float32 or float64; dz overlaps neither z nor w. The value can be negative: it is unbiased,
and 0 in the mean when both samples come from one distribution. A NaN or an infinity in a sample makes it NaN.
Accuracy in float32: value within 1e-6 of its three means' size, dz within 1e-5 of its largest element, at any shared offset of the points.
Memory: the reference builds n x m arrays; the fast forms are O((n + m) d).
On a GPU: two launches; sigma2 may be a number on the device; what is returned stays there as float64; scratch is at most 64 n d float64
numbers where n is small and 10 n d at n = 60,000. sigma2 = 0 gives NaN.

Source: Gretton et al. 2012, "A kernel two-sample test", equation 3; the inverse multiquadratic kernels: Tolstikhin et al. 2018,
"Wasserstein auto-encoders", section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import Kernel, unwritten

IMQ_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # of Tolstikhin's published code

_SIZES = (2, 3, 31, 32, 33, 63, 64, 65, 100, 257, 1000)
_TOLERANCES = {"float32": (1e-5, 1e-9), "float64": (1e-12, 1e-15)}


def _points(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, Any, Any]:
    n, m, d = size, size + 3, 1 + size % 11
    z, w = 0.7 * rng.standard_normal((n, d)) + 1.0, rng.standard_normal((m, d))
    return z.astype(dtype), w.astype(dtype), unwritten((n, d), dtype)


def _rbf_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    z, w, dz = _points(rng, size, dtype)
    return z, w, 0.7 * z.shape[1], dz


def _imq_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    z, w, dz = _points(rng, size, dtype)
    return z, w, 2.0 * z.shape[1] * np.array([0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]), dz


KERNELS = (
    Kernel(
        name="mmd_rbf",
        reference="npae.kernels.mmd.reference:mmd_rbf",
        implementations={"cpu": "npae.kernels.mmd.cpu:mmd_rbf", "gpu": "npae.kernels.mmd.gpu:mmd_rbf"},
        examples=_rbf_examples,
        outputs=(3,),
        sizes=_SIZES,
        tolerances=_TOLERANCES,
    ),
    Kernel(
        name="mmd_imq",
        reference="npae.kernels.mmd.reference:mmd_imq",
        implementations={"cpu": "npae.kernels.mmd.cpu:mmd_imq", "gpu": "npae.kernels.mmd.gpu:mmd_imq"},
        examples=_imq_examples,
        outputs=(3,),
        sizes=_SIZES,
        tolerances=_TOLERANCES,
    ),
)
