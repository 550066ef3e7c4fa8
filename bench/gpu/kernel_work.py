"""What a call of a registered kernel has to do at least, from its arguments.

    work(kernel, arguments) -> {"copy_bytes", "gemm_flops", "exponentials"}

copy_bytes      every array once, and those that it changes twice; see bench/kernels.py
gemm_flops      two for a product and its sum: 2 n m d for all distances, 2 M K N for a matrix product, and the second product of a
                gradient; a sum over pairs within one sample takes half of them
exponentials    as many as the formula has, a logarithm, sine or cosine counted as one

A kernel that is not in the table has bytes alone: it is measured all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.kernels import touched
from npae.kernels.kernel import Kernel

Arithmetic = tuple[float, float]  # FLOPs, exponentials


def _distances(x: Any, y: Any, *_: Any) -> Arithmetic:
    return 2.0 * len(x) * len(y) * x.shape[1], 0.0


def _discrepancy(z: Any, w: Any, *_: Any) -> Arithmetic:
    """Pairs of z and w, and half of those within each; then the pulls on z, of z and of w."""
    n, m, d = len(z), len(w), z.shape[1]
    pairs = n * m + (n * n + m * m) / 2
    return 2.0 * d * (pairs + n * n + n * m), pairs


def _multiquadratic(z: Any, w: Any, scales: Any, *_: Any) -> Arithmetic:
    flops, pairs = _discrepancy(z, w)
    return flops + 4.0 * len(scales) * pairs, 0.0


def _relabelled(x: Any, sigma2: Any, labels: Any, *_: Any) -> Arithmetic:
    pairs = len(x) ** 2 / 2
    return 2.0 * pairs * (x.shape[1] + len(labels)), pairs


def _product(a: Any, b: Any, *_: Any) -> Arithmetic:
    return 2.0 * a.shape[0] * a.shape[1] * b.shape[1], 0.0


def _data_gradient(dy: Any, W: Any, *_: Any) -> Arithmetic:
    return 2.0 * dy.shape[0] * W.size, 0.0


def _heads(x: Any, W: Any, b: Any, y: Any, W2: Any, *_: Any) -> Arithmetic:
    return 2.0 * len(x) * (W.size + W2.size), 0.0


def _heads_gradient(dy: Any, W: Any, dy2: Any, W2: Any, *_: Any) -> Arithmetic:
    return 2.0 * len(dy) * (W.size + W2.size), 0.0


def _weight_gradient(x: Any, dy: Any, *_: Any) -> Arithmetic:
    return 2.0 * x.shape[0] * x.shape[1] * dy.shape[1], 0.0


def _two_of_a_pixel(y: Any, *_: Any) -> Arithmetic:
    return 0.0, 2.0 * y.size


def _one_of_a_unit(mu: Any, *_: Any) -> Arithmetic:
    return 0.0, float(mu.size)


def _normal(*arguments: Any) -> Arithmetic:
    """Two numbers take a logarithm, a sine and a cosine."""
    return 0.0, 1.5 * arguments[-1].size


ARITHMETIC: dict[str, Callable[..., Arithmetic]] = {
    "pairwise_squared": _distances,
    "distance_order_statistic": _distances,
    "locate_distance": _distances,
    "mmd_rbf": _discrepancy,
    "mmd_imq": _multiquadratic,
    "relabelled_sums": _relabelled,
    "matmul": _product,
    "affine": _product,
    "heads": _heads,
    "affine_data_gradient": _data_gradient,
    "heads_data_gradient": _heads_gradient,
    "affine_weight_gradient": _weight_gradient,
    "bernoulli_logits": _two_of_a_pixel,
    "bernoulli_probabilities": _two_of_a_pixel,
    "gaussian_kl_log_std": _one_of_a_unit,
    "gaussian_kl_log_variance": _one_of_a_unit,
    "gaussian_kl_sigma": _one_of_a_unit,
    "reparameterise": _one_of_a_unit,
    "philox_normal": _normal,
}


def work(kernel: Kernel, arguments: tuple[Any, ...]) -> dict[str, float]:
    """Of one call; `arguments` as the kernel's examples give them."""
    flops, exponentials = ARITHMETIC[kernel.name](*arguments) if kernel.name in ARITHMETIC else (0.0, 0.0)
    return {"copy_bytes": float(touched(kernel, arguments)), "gemm_flops": flops, "exponentials": exponentials}
