"""The KL divergence from N(mu, sigma^2) with a diagonal covariance to N(0, I), in nats, with its gradients.

    gaussian_kl_log_std(mu (B, Z), s (B, Z), scale, dmu, ds, per_unit (Z,)) -> value              s = log sigma
    gaussian_kl_log_variance(mu (B, Z), v (B, Z), scale, dmu, dv, per_unit (Z,)) -> value         v = log sigma^2
    gaussian_kl_sigma(mu (B, Z), sigma (B, Z), scale, dmu, dsigma, per_unit (Z,)) -> value        sigma > 0

    value = scale sum 1/2 (sigma^2 + mu^2 - 1 - log sigma^2)          per_unit_j = scale times the same sum down column j
    dmu = scale mu        ds = scale (exp(2 s) - 1)        dv = scale/2 (exp(v) - 1)        dsigma = scale (sigma - 1/sigma)

All (B, Z) arrays are C-contiguous and of one dtype, float32 or float64; per_unit is float64 and value is its sum; dmu may be the array mu,
and the second gradient the array of the second input. The sums are accumulated in float64. Accuracy in float32: each element's term 3e-7
of max(1, its parts). A NaN makes the value NaN; an infinite s or v, and sigma = 0, make it infinite; sigma < 0 makes it NaN.
On a GPU: one launch, the value stays there as a float64 number.

Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", appendix B.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import Kernel, unwritten


def _log_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    shape = (size, 1 + size % 20)
    mu, s = rng.standard_normal(shape).astype(dtype), rng.uniform(-4.0, 1.0, shape).astype(dtype)
    return mu, s, 1.0 / size, unwritten(shape, dtype), unwritten(shape, dtype), unwritten(shape[1:], "float64")


def _sigma_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    mu, s, *rest = _log_examples(rng, size, dtype)
    return mu, np.exp(s), *rest


def _kernel(name: str, examples: Any) -> Kernel:
    return Kernel(
        name=name,
        reference=f"npae.kernels.gaussian_kl.reference:{name}",
        implementations={"cpu": f"npae.kernels.gaussian_kl.cpu:{name}", "gpu": f"npae.kernels.gaussian_kl.gpu:{name}"},
        examples=examples,
        outputs=(3, 4, 5),
        sizes=(1, 2, 3, 31, 32, 33, 100, 257, 1000),
        tolerances={"float32": (1e-6, 1e-9), "float64": (1e-13, 1e-15)},
    )


KERNELS = (
    _kernel("gaussian_kl_log_std", _log_examples),
    _kernel("gaussian_kl_log_variance", _log_examples),
    _kernel("gaussian_kl_sigma", _sigma_examples),
)
