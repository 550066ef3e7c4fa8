"""One step of Adam on the flat parameter vector, in place.

    adam(theta (P,), grad (P,), m (P,), v (P,), alpha, beta1, beta2, root_scale, epsilon, gradient_scale) -> None

    g = gradient_scale grad        m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
    theta = theta - alpha m / (sqrt(v) root_scale + epsilon)

The caller folds the bias correction of step t in: alpha = lr / (1 - beta1^t), root_scale = 1 / sqrt(1 - beta2^t) is algorithm 1 as printed;
alpha = lr sqrt(1 - beta2^t) / (1 - beta1^t), root_scale = 1 is the form at the end of section 2, whose epsilon is another one.
theta, m and v are written, grad is read; all are C-contiguous, of one dtype, float32 or float64, and do not overlap.
A gradient_scale that is NaN calls the step off: theta, m and v stay as they are, whatever grad holds. A step on a GPU that finds its loss
not finite does so, and nobody waits to ask it.
On a GPU: one launch; alpha, root_scale and gradient_scale may be float64 numbers on the device, which a captured step needs.

Source: Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1 and the end of section 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import Kernel


def _examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    theta, grad, m = (rng.standard_normal(size).astype(dtype) for _ in range(3))
    v = (rng.standard_normal(size) ** 2).astype(dtype)
    step = 3
    alpha, root_scale = 1e-2 / (1.0 - 0.9**step), 1.0 / np.sqrt(1.0 - 0.999**step)
    return theta, grad, m, v, alpha, 0.9, 0.999, float(root_scale), 1e-8, 0.5


KERNELS = (
    Kernel(
        name="adam",
        reference="npae.kernels.adam.reference:adam",
        implementations={"cpu": "npae.kernels.adam.cpu:adam", "gpu": "npae.kernels.adam.gpu:adam"},
        examples=_examples,
        outputs=(0, 2, 3),
        sizes=(1, 2, 3, 31, 32, 33, 100, 257, 1000, 100_003),
        tolerances={"float32": (1e-6, 0.0), "float64": (1e-12, 0.0)},
    ),
)
