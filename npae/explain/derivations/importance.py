"""The importance-weighted bound: a logarithm of a mean of weights."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.examples import of_loss
from npae.losses import ImportanceWeighted

DERIVATIONS = (
    Derivation(
        ImportanceWeighted,
        "ImportanceWeighted",
        (
            step(
                "log p(x) as a mean over draws from another distribution: each draw counts with its weight w.",
                r"p(x) = E_{z \sim q(z|x)}[w] \qquad w = \frac{p(x, z)}{q(z|x)}",
                w=lambda v: np.exp(v.log_w),
            ),
            step(
                "Definition: the mean over K draws inside the logarithm. By Jensen's inequality its expectation is at most log p(x)"
                " (Burda et al. 2016, equation 8).",
                r"L = -\frac{1}{B} \sum_b \log \frac{1}{K} \sum_k w_{bk} \qquad E[-L] \le \log p(x)",
                mean_w=lambda v: v.w.mean(axis=1),
                L=lambda v: -np.log(v.mean_w).mean(),
            ),
            step(
                "In the code the largest log w of a row is taken out, so that no weight overflows.",
                r"\log \sum_k w_k = m + \log \sum_k e^{\log w_k - m}",
                m=lambda v: v.log_w.max(axis=1),
                log_sum_w=lambda v: v.m + np.log(np.exp(v.log_w - v.m[:, None]).sum(axis=1)),
            ),
            step(
                "Derivative of the logarithm of a sum of exponentials: the softmax (equation 14, the normalised weights).",
                r"\frac{\partial}{\partial \log w_k} \log \sum_j e^{\log w_j} = \frac{w_k}{\sum_j w_j} = \tilde{w}_k",
                normalised=lambda v: v.w / v.w.sum(axis=1, keepdims=True),
            ),
            step(
                "So each draw's gradient counts with its share of the weight.",
                r"d\log w = -\frac{\tilde{w}}{B}",
                dlog_w=lambda v: -v.normalised / len(v.log_w),
            ),
        ),
        of_loss(ImportanceWeighted, {"log_w": [[-1, 0, 1], [0.5, -0.5, -2]]}),
    ),
)
