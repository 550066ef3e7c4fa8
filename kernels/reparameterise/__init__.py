"""A draw from a diagonal Gaussian, and how its gradient passes through.

    reparameterise(mu, s, eps, exponent, scale, deviation, z) -> None
        deviation = sigma eps        z = mu + deviation        sigma = scale exp(exponent s), or scale s where exponent is 0
    reparameterise_gradient(dz, by, factor, accumulate, dmu, ds) -> None
        dmu (+)= dz                  ds (+)= factor dz by      by = deviation, factor = exponent; or by = eps, factor = scale

All arrays are C-contiguous, (B, Z), of one dtype, float32 or float64; none that is written overlaps another. Accuracy in float32: each
element 1e-6 of the largest. A NaN or an infinity stays one.
On a GPU: one launch each.

Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", section 2.4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import Kernel, unwritten


def _draw(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    shape, exponent = (size, 1 + size % 20), (1.0, 0.5, 0.0)[size % 3]
    mu, eps = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    return mu, rng.uniform(-4.0, 1.0, shape).astype(dtype), eps, exponent, 0.1, unwritten(shape, dtype), unwritten(shape, dtype)


def _gradient(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    shape, accumulate = (size, 1 + size % 20), size % 2 == 0
    dz, by, dmu, ds = (rng.standard_normal(shape).astype(dtype) for _ in range(4))
    return dz, by, 0.5, accumulate, *((dmu, ds) if accumulate else (unwritten(shape, dtype), unwritten(shape, dtype)))


def _kernel(name: str, examples: Any, outputs: tuple[int, ...]) -> Kernel:
    return Kernel(
        name=name,
        reference=f"npae.kernels.reparameterise.reference:{name}",
        implementations={form: f"npae.kernels.reparameterise.{form}:{name}" for form in ("cpu", "gpu")},
        examples=examples,
        outputs=outputs,
        sizes=(1, 2, 3, 31, 32, 33, 100, 257, 1000),
        tolerances={"float32": (1e-6, 0.0), "float64": (1e-14, 0.0)},
    )


KERNELS = (_kernel("reparameterise", _draw, (5, 6)), _kernel("reparameterise_gradient", _gradient, (4, 5)))
