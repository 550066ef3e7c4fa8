"""Squared maximum mean discrepancy between codes z ~ q and prior draws w ~ p, unbiased.      z w (n, Z)

    MMD2_u = mean_{i!=j} k(z_i, z_j) + mean_{i!=j} k(w_i, w_j) - 2 mean_{i,j} k(z_i, w_j)

It estimates a squared distance without bias, so it is scattered around zero, and often NEGATIVE, when the two distributions agree.

    rbf   k = exp(-d2 / (2 sigma2))                       sigma2 from bandwidth.py
    imq   k = sum_s C_s / (C_s + d2)                      C_s = 2 Z prior_variance s,  s in .1 .2 .5 1 2 5 10

With A = K_zz without its diagonal, a = A 1, C = K_zw, c = C 1 (rbf):

    dz = 2/(n^2 sigma2) (c o z - C w) - 2/(n(n-1) sigma2) (a o z - A z)

Value and gradient come from one kernel in one pass, in O(n) memory.
Sources: Gretton et al. 2012, lemma 6; Tolstikhin et al. 2018, algorithm 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array, Backend
from npae.errors import InputError, nearest
from npae.kernels.mmd import IMQ_SCALES
from npae.layers.node import Node, scale
from npae.losses.bandwidth import Bandwidth

KERNELS = ("rbf", "imq")


class RBFMMD(Node):
    """MMD^2 with the RBF kernel; sigma2 is an argument when it is to be held constant from outside (a gradient check)."""

    def __init__(self, bandwidth: str | float = "flux", *, stop_gradient: bool = True, prior_variance: float = 1.0) -> None:
        self.bandwidth = Bandwidth(bandwidth, prior_variance=prior_variance)
        self.through_bandwidth = self.bandwidth.depends_on_z and not stop_gradient

    def forward(self, z: Array, w: Array, sigma2: float | None = None) -> float:
        """MMD^2; the gradient comes in the same pass"""
        check_pairs(z)
        self.z, self.w, self.held = z, w, sigma2 is not None
        self.sigma2 = self.bandwidth.value(self.backend, z, w) if sigma2 is None else sigma2
        self.dz = self.buffer("dz", z.shape)
        value: float
        value, self.dsigma2 = self.backend.kernel("mmd_rbf")(z, w, self.sigma2, self.dz)
        return value

    def backward(self, weight: float = 1.0) -> Array:
        """weight * dz, and through sigma2 where the rule lets it"""
        if self.through_bandwidth and not self.held:
            self.bandwidth.backward(self.backend, self.z, self.w, self.dsigma2, self.dz)
        scale(self.dz, weight)
        return self.dz


class IMQMMD(Node):
    """MMD^2 with the sum of inverse multiquadratic kernels."""

    def __init__(self, *, scales: tuple[float, ...] = IMQ_SCALES, prior_variance: float = 1.0) -> None:
        self.scales, self.prior_variance = scales, prior_variance

    def bind(self, backend: Backend, dtype: np.dtype[Any]) -> None:
        """The scales, where the kernel reads them."""
        super().bind(backend, dtype)
        self.on_device = backend.xp.asarray(self.scales, dtype="float64")

    def forward(self, z: Array, w: Array) -> float:
        """MMD^2; the gradient comes in the same pass"""
        check_pairs(z)
        constants = 2 * z.shape[1] * self.prior_variance * self.on_device
        self.dz = self.buffer("dz", z.shape)
        value: float = self.backend.kernel("mmd_imq")(z, w, constants, self.dz)
        return value

    def backward(self, weight: float = 1.0) -> Array:
        """weight * dz"""
        scale(self.dz, weight)
        return self.dz


def check_kernel(name: str) -> str:
    """The name, if it is one of the two kernels."""
    if name not in KERNELS:
        raise InputError(f"kernel '{name}' is not known{nearest(name, KERNELS)}")
    return name


def check_pairs(z: Array) -> None:
    """The unbiased estimate averages over pairs of distinct rows."""
    if len(z) < 2:
        raise InputError(f"MMD of a batch of {len(z)}: the unbiased estimate needs at least 2 rows")
