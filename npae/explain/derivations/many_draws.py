"""The importance-weighted autoencoder: a bound that several draws of each row tighten."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.derivations.networks import BATCH, back, heads, sigmoid
from npae.explain.derivations.variational import BOUND, DECODE
from npae.explain.model_examples import of_model
from npae.models import IWAE

K = 2  # draws of the example


def _each(rows: Any) -> Any:
    """Every row K times."""
    return np.repeat(rows, K, axis=0)


IMPORTANCE = Derivation(
    IWAE,
    "iwae",
    (
        *BOUND[:2],
        step(
            "Average K weights inside the logarithm before Jensen: the mean scatters less, so less is lost (Burda et al. 2016, equation 8,"
            " theorem 1).",
            r"\log p(x) \ge E \left[ \log \frac{1}{K} \sum_k w_k \right] \qquad w_k = \frac{p(x|z_k) p(z_k)}{q(z_k|x)}",
        ),
        step(
            "The encoder's Gaussian, each row K times (here 2); every copy has a draw of its own.",
            r"z_k = \mu + e^s \varepsilon_k",
            mu=lambda v: _each(heads(v, v.x)[0]),
            s=lambda v: _each(heads(v, v.x)[1]),
            eps_k=lambda v: v.eps.reshape(BATCH * K, 2),
            z=lambda v: v.mu + np.exp(v.s) * v.eps_k,
        ),
        DECODE,
        step(
            "The likelihood of each copy.",
            r"\log p(x|z) = \sum_f \left[ x y - \log(1 + e^y) \right]",
            log_p=lambda v: np.sum(_each(v.x) * v.y - np.log(1 + np.exp(v.y)), axis=1),
        ),
        step(
            "The other two densities: (z - mu)/sigma is eps, and the constants cancel.",
            r"\log \frac{p(z)}{q(z|x)} = \sum_j \left[ -\frac{z^2}{2} + \frac{\varepsilon^2}{2} + s \right]",
            log_ratio=lambda v: np.sum(-(v.z**2) / 2 + v.eps_k**2 / 2 + v.s, axis=1),
        ),
        step("Beside the objective: the plain means over the draws.", "", nll=lambda v: -v.log_p.mean(), kl=lambda v: -v.log_ratio.mean()),
        step(
            "The objective.",
            r"L = -\frac{1}{B} \sum_b \log \frac{1}{K} \sum_k w_{bk}",
            log_w=lambda v: (v.log_p + v.log_ratio).reshape(BATCH, K),
            iwae=lambda v: -np.log(np.exp(v.log_w).mean(axis=1)).mean(),
            total=lambda v: v.iwae,
        ),
        step(
            "Each draw counts with its share of the weight (npae explain ImportanceWeighted).",
            r"\tilde{w} = \frac{w}{\sum_k w_k} \qquad d\log w = -\frac{\tilde{w}}{B}",
            share=lambda v: np.exp(v.log_w) / np.exp(v.log_w).sum(axis=1, keepdims=True),
            weight=lambda v: v.share.reshape(-1, 1) / BATCH,
        ),
        step(
            "Through the likelihood.",
            r"dy = \frac{\tilde{w}}{B} (\sigma(y) - x)",
            dy=lambda v: v.weight * (sigmoid(v.y) - _each(v.x)),
        ),
        step(
            "Into the code: by the decoder, and by the prior's -z^2/2.",
            r"dz = g'(dy) + \frac{\tilde{w}}{B} z",
            dz=lambda v: back(v, "decoder", v.dy, v.z) + v.weight * v.z,
        ),
        step(
            "Through the draws, summed over the copies of a row; log sigma itself stands in log w, with weights that sum to 1.",
            r"d\mu = \sum_k dz_k \qquad ds = \sum_k dz_k \odot e^s \varepsilon_k - \frac{1}{B}",
            dmu=lambda v: v.dz.reshape(BATCH, K, -1).sum(axis=1),
            ds=lambda v: (v.dz * np.exp(v.s) * v.eps_k).reshape(BATCH, K, -1).sum(axis=1) - 1 / BATCH,
        ),
        step(
            "The estimator dreg reparameterises the score of q once more: each draw counts with the square of its share"
            " (Tucker et al. 2019, equation 8).",
            r"dz = g'(dy) + \frac{\tilde{w}}{B} \left( z - \frac{\varepsilon}{\sigma} \right) \qquad (d\mu, ds) = \sum_k \tilde{w}_k"
            r" \left( dz_k, dz_k \odot \sigma \varepsilon_k \right)",
        ),
    ),
    of_model(
        "iwae",
        {"samples": K},
        {"dmu": lambda passes: passes["encoder"].gradient_in[0], "ds": lambda passes: passes["encoder"].gradient_in[1]},
    ),
)

DERIVATIONS = (IMPORTANCE,)
