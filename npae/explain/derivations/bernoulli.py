"""The Bernoulli likelihood from logits and from probabilities, as losses and as kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.explain.derivation import Derivation, Step, step
from npae.explain.examples import of_kernel, of_loss, unwritten
from npae.explain.matrices import symbol
from npae.losses import BernoulliLogits, BernoulliProbabilities

X = {"x": [[1, 0, 0.5], [1, 1, 0]]}
L, P = [[2, -1, 0], [-1, 0.5, 1]], [[0.7, 0.25, 0.5], [0.05, 0.8, 0.95]]
DEFINITION = step(
    "Definition: a pixel is a coin that shows 1 with probability p; minus its logarithm.",
    r"p(x) = p^x (1 - p)^{1 - x} \qquad -\log p(x) = -x \log p - (1 - x) \log(1 - p)",
)


def _logits(value: str, scale: Callable[[Any], float], named: str) -> tuple[Step, ...]:
    """From logits: `value` is what the result is called, `scale` what the sum is multiplied by, `named` how it is written."""
    return (
        DEFINITION,
        step(
            "The decoder gives the logit l of p.",
            r"p = \frac{1}{1 + e^{-l}} \qquad 1 - p = \frac{e^{-l}}{1 + e^{-l}}",
            p=lambda v: 1 / (1 + np.exp(-v.logits)),
        ),
        step(
            "Put the two logarithms in: log p = -log(1 + exp(-l)) and log(1 - p) = -l - log(1 + exp(-l)).",
            r"\ell = l - l x + \log(1 + e^{-l})",
            each=lambda v: v.logits - v.logits * v.x + np.log(1 + np.exp(-v.logits)),
        ),
        step(
            "For l < 0 the exponential may overflow: take out -l there. Both signs together:",
            r"\ell = \max(l, 0) - l x + \log(1 + e^{-|l|})",
            each_without_overflow=lambda v: np.maximum(v.logits, 0) - v.logits * v.x + np.log1p(np.exp(-np.abs(v.logits))),
        ),
        step("The value.", rf"{symbol(value)} = {named} \sum_b \sum_f \ell_{{bf}}", **{value: lambda v: scale(v) * np.sum(v.each)}),
        step(
            "Derivative: of l - l x it is 1 - x; of log(1 + exp(-l)) it is -exp(-l) / (1 + exp(-l)) = -(1 - p). What is left is the error.",
            rf"dl = {named} \left[ 1 - x - (1 - p) \right] = {named} (p - x)",
            dlogits=lambda v: scale(v) * (v.p - v.x),
        ),
    )


def _probabilities(value: str, scale: Callable[[Any], float], named: str) -> tuple[Step, ...]:
    return (
        DEFINITION,
        step(
            "p is kept away from 0 and 1, where a logarithm is infinite.",
            r"q = \min(\max(p, c), 1 - c) \qquad c = \text{clip}",
            q=lambda v: np.clip(v.p, v.clip, 1 - v.clip),
        ),
        step(
            "The value.",
            rf"{symbol(value)} = -{named} \sum_b \sum_f \left[ x \log q + (1 - x) \log(1 - q) \right]",
            **{value: lambda v: -scale(v) * np.sum(v.x * np.log(v.q) + (1 - v.x) * np.log(1 - v.q))},
        ),
        step(
            "Derivative with respect to q: of a logarithm it is one over its argument.",
            rf"dq = {named} \left[ \frac{{1 - x}}{{1 - q}} - \frac{{x}}{{q}} \right]",
            dq=lambda v: scale(v) * ((1 - v.x) / (1 - v.q) - v.x / v.q),
        ),
        step(
            "q follows p inside the clip and stands still outside it: a pixel that is wrong and clipped learns nothing.",
            r"dp = dq \, [c < p < 1 - c]",
            dp=lambda v: np.where((v.clip < v.p) & (v.p < 1 - v.clip), v.dq, 0),
        ),
    )


DERIVATIONS = (
    Derivation(
        BernoulliLogits,
        "BernoulliLogits",
        _logits("L", lambda v: 1 / len(v.x), r"\frac{1}{B}"),
        of_loss(BernoulliLogits, {"logits": L}, given=X),
    ),
    Derivation(
        BernoulliProbabilities,
        "BernoulliProbabilities",
        _probabilities("L", lambda v: 1 / len(v.x), r"\frac{1}{B}"),
        of_loss(BernoulliProbabilities, {"p": P}, settings={"clip": 0.1}, given=X),
    ),
    Derivation(
        "bernoulli_logits",
        "bernoulli_logits",
        _logits("value", lambda v: v.scale, r"\text{scale}"),
        of_kernel(
            "bernoulli_logits",
            {"logits": L, **X, "scale": 0.5, "dlogits": unwritten(2, 3)},
            ("value", "dlogits"),
            {"logits": "dlogits"},
        ),
    ),
    Derivation(
        "bernoulli_probabilities",
        "bernoulli_probabilities",
        _probabilities("value", lambda v: v.scale, r"\text{scale}"),
        of_kernel(
            "bernoulli_probabilities",
            {"p": P, **X, "clip": 0.1, "scale": 0.5, "dp": unwritten(2, 3)},
            ("value", "dp"),
            {"p": "dp"},
        ),
    ),
)
