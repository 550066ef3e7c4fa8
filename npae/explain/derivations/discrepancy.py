"""The maximum mean discrepancy with both its kernels, as losses and as kernels of npae."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.explain.derivation import Derivation, Step, step
from npae.explain.examples import of_kernel, of_loss, unwritten
from npae.explain.matrices import symbol
from npae.losses import IMQMMD, RBFMMD

Z, W = [[1, 0, 0.5], [0, -1, 1]], [[0, 0, 1], [2, 1, 0]]
SIGMA2, SCALES = 2.0, (0.5, 1.0)
CONSTANTS = [3.0, 6.0]  # 2 d scale
Formula = Callable[[Any], Any]
OfDistances = Callable[[Any, Any], Any]


def _distances(a: Any, b: Any) -> Any:
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)


def _off_diagonal(k: Any) -> Any:
    n = len(k)
    return (k.sum() - np.trace(k)) / (n * (n - 1))


COMMON = (
    step(
        "Definition: the squared distance of the means of two distributions q and p, seen by the features of a kernel k"
        " (Gretton et al. 2012, lemma 6).",
        r"\operatorname{MMD}^2 = E[k(z, z')] + E[k(w, w')] - 2 E[k(z, w)] \qquad z, z' \sim q \quad w, w' \sim p",
    ),
    step(
        "All squared distances.",
        r"D^{zw}_{ij} = \lVert z_i - w_j \rVert^2",
        D_zz=lambda v: _distances(v.z, v.z),
        D_ww=lambda v: _distances(v.w, v.w),
        D_zw=lambda v: _distances(v.z, v.w),
    ),
)


def _steps(value: str, kernel: tuple[str, str, OfDistances], slope: tuple[str, str, OfDistances]) -> tuple[Step, ...]:
    """`kernel`, `slope`: words, LaTeX and k(D, v) or g(D, v) = -dk/dD."""
    k, g = kernel[2], slope[2]
    return (
        *COMMON,
        step(
            kernel[0],
            kernel[1],
            k_zz=lambda v: k(v.D_zz, v),
            k_ww=lambda v: k(v.D_ww, v),
            k_zw=lambda v: k(v.D_zw, v),
        ),
        step(
            "Unbiased estimate: pairs of a point with itself are left out of the first two means. It may be negative.",
            rf"{symbol(value)} = \frac{{1}}{{n(n-1)}} \sum_{{i \ne j}} k(z_i, z_j) + \frac{{1}}{{m(m-1)}} \sum_{{i \ne j}} k(w_i, w_j)"
            r" - \frac{2}{nm} \sum_{ij} k(z_i, w_j)",
            **{value: lambda v: _off_diagonal(v.k_zz) + _off_diagonal(v.k_ww) - 2 * v.k_zw.mean()},
        ),
        step(
            slope[0],
            slope[1],
            A=lambda v: g(v.D_zz, v) * (1 - np.eye(len(v.z))),
            C=lambda v: g(v.D_zw, v),
        ),
        step(
            "Chain rule through D: its derivative is twice the difference of the points.",
            r"\frac{\partial k(z_i, w_j)}{\partial z_i} = -2 g_{ij} (z_i - w_j)",
        ),
        step(
            "z_i is in the first sum twice, as left and as right point; in the last once. Sum over j, with a = A 1 and c = C 1:",
            r"dz = \frac{4}{nm} (c \odot z - C w) - \frac{4}{n(n-1)} (a \odot z - A z)",
            dz=lambda v: (
                4 / (len(v.z) * len(v.w)) * (v.C.sum(axis=1, keepdims=True) * v.z - v.C @ v.w)
                - 4 / (len(v.z) * (len(v.z) - 1)) * (v.A.sum(axis=1, keepdims=True) * v.z - v.A @ v.z)
            ),
        ),
    )


def _rbf(value: str) -> tuple[Step, ...]:
    return _steps(
        value,
        (
            "The Gaussian kernel with bandwidth sigma2.",
            r"k = \exp\left(-\frac{D}{2 \sigma^2}\right)",
            lambda D, v: np.exp(-D / (2 * v.sigma2)),
        ),
        (
            "How fast the kernel falls with the squared distance.",
            r"g = -\frac{\partial k}{\partial D} = \frac{k}{2 \sigma^2} \qquad A = g^{zz} \text{ without its diagonal} \qquad C = g^{zw}",
            lambda D, v: np.exp(-D / (2 * v.sigma2)) / (2 * v.sigma2),
        ),
    )


def _imq(value: str, constants: Formula, name: str) -> tuple[Step, ...]:
    return _steps(
        value,
        (
            f"The sum of inverse multiquadratic kernels; {name}.",
            r"k = \sum_s \frac{C_s}{C_s + D}",
            lambda D, v: sum(c / (c + D) for c in constants(v)),
        ),
        (
            "How fast the kernel falls with the squared distance.",
            r"g = -\frac{\partial k}{\partial D} = \sum_s \frac{C_s}{(C_s + D)^2} \qquad A = g^{zz} \text{ without its diagonal}"
            r" \qquad C = g^{zw}",
            lambda D, v: sum(c / (c + D) ** 2 for c in constants(v)),
        ),
    )


def _slope_of_sigma2(v: Any) -> Any:
    return (_off_diagonal(v.k_zz * v.D_zz) + _off_diagonal(v.k_ww * v.D_ww) - 2 * (v.k_zw * v.D_zw).mean()) / (2 * v.sigma2**2)


THROUGH_SIGMA2 = (
    "Where the bandwidth itself depends on z, its gradient flows through this derivative; see npae explain Bandwidth.",
    r"\frac{\partial k}{\partial \sigma^2} = \frac{k D}{2 \sigma^4}",
)

DERIVATIONS = (
    Derivation(
        RBFMMD,
        "RBFMMD",
        (*_rbf("L"), step(*THROUGH_SIGMA2, slope=_slope_of_sigma2)),
        of_loss(RBFMMD, {"z": Z}, given={"w": W, "sigma2": SIGMA2}, held=("sigma2",)),
    ),
    Derivation(
        IMQMMD,
        "IMQMMD",
        (*_imq("L", lambda v: [2 * v.z.shape[1] * scale for scale in v.scales], "C_s = 2 Z prior_variance s, here with prior_variance 1"),),
        of_loss(IMQMMD, {"z": Z}, settings={"scales": SCALES}, given={"w": W}),
    ),
    Derivation(
        "mmd_rbf",
        "mmd_rbf",
        (*_rbf("value"), step(*THROUGH_SIGMA2, dsigma2=_slope_of_sigma2)),
        of_kernel("mmd_rbf", {"z": Z, "w": W, "sigma2": SIGMA2, "dz": unwritten(2, 3)}, ("value", "dsigma2", "dz"), {"z": "dz"}),
    ),
    Derivation(
        "mmd_imq",
        "mmd_imq",
        _imq("value", lambda v: v.scales, "the widths C_s are given"),
        of_kernel("mmd_imq", {"z": Z, "w": W, "scales": CONSTANTS, "dz": unwritten(2, 3)}, ("value", "dz"), {"z": "dz"}),
    ),
)
