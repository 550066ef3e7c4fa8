"""The negative log-likelihood of pixels under Bernoulli distributions, in nats, with its gradient.

    bernoulli_logits(logits (B, F), x (B, F), scale, dlogits (B, F)) -> value
        value   = scale sum (max(l, 0) - l x + log(1 + exp(-|l|)))           the probability is sigmoid(l)
        dlogits = scale (sigmoid(l) - x)

    bernoulli_probabilities(p (B, F), x (B, F), clip, scale, dp (B, F)) -> value
        value = -scale sum (x log q + (1 - x) log(1 - q))                    q = min(max(p, clip), 1 - clip)
        dp    = scale ((1 - x) / (1 - q) - x / q)     where clip < p < 1 - clip, and exactly 0 elsewhere: on the boundary and beyond it the
                                                      value does not depend on p

x is in [0, 1], binary or grey. The bounds clip and 1 - clip are rounded to the dtype first; 1 - clip must stay below 1 there, so clip is at
least 2^-24 = 6e-8 in float32 and 2^-53 = 1.1e-16 in float64. All arrays are C-contiguous and of one dtype, float32 or float64; the gradient
may be the same array as the logits (or p), where the compiled loop does not vectorise and takes nine times as long; it overlaps x in no
case. The sum is accumulated in float64.
Accuracy in float32: value 1e-6 relative, gradient 3e-7 scale (for probabilities, 1e-6 of its size). A NaN makes the value NaN; an infinite
logit, and a probability that is infinite, make it infinite or NaN.
On a GPU: one launch, the value stays there as a float64 number; arrays whose addresses are multiples of 16 are read fastest.

Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", appendix C.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import Kernel, unwritten

_SIZES = (1, 2, 3, 31, 32, 33, 100, 257, 1000)
_TOLERANCES = {"float32": (1e-6, 1e-9), "float64": (1e-13, 1e-15)}


def _pixels(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, Any]:
    x = np.where(rng.random((7, size)) < 0.5, rng.random((7, size)), rng.random((7, size)).round()).astype(dtype)
    return x, unwritten(x.shape, dtype)


def _logit_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    x, dlogits = _pixels(rng, size, dtype)
    return (8.0 * rng.standard_normal(x.shape)).astype(dtype), x, 1.0 / len(x), dlogits


def _probability_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    x, dp = _pixels(rng, size, dtype)
    return rng.uniform(-0.01, 1.01, x.shape).clip(0.0, 1.0).astype(dtype), x, 1.0 / 64, 1.0 / len(x), dp


KERNELS = (
    Kernel(
        name="bernoulli_logits",
        reference="npae.kernels.bernoulli.reference:bernoulli_logits",
        implementations={"cpu": "npae.kernels.bernoulli.cpu:bernoulli_logits", "gpu": "npae.kernels.bernoulli.gpu:bernoulli_logits"},
        examples=_logit_examples,
        outputs=(3,),
        sizes=_SIZES,
        tolerances=_TOLERANCES,
    ),
    Kernel(
        name="bernoulli_probabilities",
        reference="npae.kernels.bernoulli.reference:bernoulli_probabilities",
        implementations={
            "cpu": "npae.kernels.bernoulli.cpu:bernoulli_probabilities",
            "gpu": "npae.kernels.bernoulli.gpu:bernoulli_probabilities",
        },
        examples=_probability_examples,
        outputs=(4,),
        sizes=_SIZES,
        tolerances=_TOLERANCES,
    ),
)
