"""The squared error with its gradient.

    squared_error(y (B, F), x (B, F), scale, dy (B, F)) -> value        value = scale sum (y - x)^2        dy = 2 scale (y - x)

All arrays are C-contiguous and of one dtype, float32 or float64; dy may be the same array as y (the compiled loop then does not vectorise,
and takes three times as long), and overlaps x in no case. The sum is accumulated in float64. Accuracy in float32: value 1e-6 relative,
gradient 2e-7 relative. A NaN or an infinity makes the value so.

Source: the definition.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import Kernel, unwritten


def _examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    y, x = rng.standard_normal((7, size)), rng.standard_normal((7, size))
    return y.astype(dtype), x.astype(dtype), 1.0 / len(x), unwritten(x.shape, dtype)


KERNELS = (
    Kernel(
        name="squared_error",
        reference="npae.kernels.squared_error.reference:squared_error",
        implementations={
            "cpu": "npae.kernels.squared_error.cpu:squared_error",
            "gpu": "npae.kernels.squared_error.gpu:squared_error",
        },
        examples=_examples,
        outputs=(3,),
        sizes=(1, 2, 3, 31, 32, 33, 100, 257, 1000),
        tolerances={"float32": (1e-6, 0.0), "float64": (1e-14, 0.0)},
    ),
)
