"""Models that pull the codes of a whole batch towards the prior by an MMD: InfoVAE and the Wasserstein autoencoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.derivations.distances import squared_distances
from npae.explain.derivations.networks import BATCH, back
from npae.explain.derivations.variational import BOUND, BY_OUTPUT, DECODE, DRAW, ENCODER, KL, NLL, POSTERIOR, WATCH
from npae.explain.model_examples import of_model
from npae.models import WAE, InfoVAE


def _off_diagonal(k: Any) -> Any:
    return (k.sum() - np.trace(k)) / (BATCH * (BATCH - 1))


def _kernel(v: Any, a: Any, b: Any) -> Any:
    return np.exp(-squared_distances(a, b) / (2 * v.sigma2))


def _pull(v: Any) -> Any:
    """dMMD^2/dz."""
    A, C = _kernel(v, v.z, v.z) * (1 - np.eye(BATCH)), _kernel(v, v.z, v.prior)
    towards = C.sum(axis=1, keepdims=True) * v.z - C @ v.prior
    apart = A.sum(axis=1, keepdims=True) * v.z - A @ v.z
    return 2 / (BATCH**2 * v.sigma2) * towards - 2 / (BATCH * (BATCH - 1) * v.sigma2) * apart


MMD = step(
    "The discrepancy of the batch's codes and as many draws of the prior (npae explain RBFMMD). Its bandwidth sigma2 is held constant.",
    r"M = \operatorname{MMD}^2(z, w) \qquad w \sim N(0, I)",
    mmd=lambda v: _off_diagonal(_kernel(v, v.z, v.z)) + _off_diagonal(_kernel(v, v.prior, v.prior)) - 2 * _kernel(v, v.z, v.prior).mean(),
)

INFO = Derivation(
    InfoVAE,
    "infovae",
    (
        *BOUND[:3],
        step(
            "Over the data, the divergence is a mutual information and the divergence of all codes together from the prior.",
            r"E_x[\operatorname{KL}(q(z|x) \,\|\, p)] = I(x; z) + \operatorname{KL}(q(z) \,\|\, p(z))",
        ),
        step(
            "Give alpha of it back, and weigh the second part by lambda; an MMD takes its place, since q(z) has no density that could be"
            " computed (Zhao et al. 2017, section 4).",
            r"L = N + (1 - \alpha) K + (\alpha + \lambda - 1) M",
        ),
        POSTERIOR,
        DRAW,
        DECODE,
        NLL,
        KL,
        MMD,
        step(
            "The objective.",
            r"L = N + (1 - \alpha) K + (\alpha + \lambda - 1) M",
            total=lambda v: v.nll + (1 - v.alpha) * v.kl + (v.alpha + v.lambda_ - 1) * v.mmd,
        ),
        BY_OUTPUT,
        step(
            "The code is read by the decoder and by the discrepancy.",
            r"dz = g'(dy) + (\alpha + \lambda - 1) \frac{\partial M}{\partial z}",
            dz=lambda v: back(v, "decoder", v.dy, v.z) + (v.alpha + v.lambda_ - 1) * _pull(v),
        ),
        step(
            "Then the VAE's, with the KL's weight.",
            r"d\mu = dz + (1 - \alpha) \frac{\mu}{B} \qquad ds = dz \odot e^s \varepsilon + (1 - \alpha) \frac{e^{2s} - 1}{B}",
            dmu=lambda v: v.dz + (1 - v.alpha) * v.mu / BATCH,
            ds=lambda v: v.dz * np.exp(v.s) * v.eps + (1 - v.alpha) * (np.exp(2 * v.s) - 1) / BATCH,
        ),
        ENCODER,
    ),
    of_model("infovae", {"alpha": 0.5, "lambda_": 4.0, "bandwidth": 2.0}, WATCH),
)

WASSERSTEIN = Derivation(
    WAE,
    "wae",
    (
        step(
            "The optimal-transport cost from the model to the data, for a deterministic decoder g: couplings can be written as encoders"
            " whose codes, over all data, have the prior's distribution (Tolstikhin et al. 2018, theorem 1).",
            r"W_c = \inf_{q : q(z) = p(z)} E_x E_{q(z|x)}[c(x, g(z))]",
        ),
        step(
            "Relax the constraint to a penalty (equation 4).",
            r"L = E_x E_{q(z|x)}[c(x, g(z))] + \lambda D(q(z), p(z)) \qquad D = \operatorname{MMD}^2",
        ),
        POSTERIOR,
        DRAW,
        step("The decoder gives the row itself.", r"y = g(z)", y=DECODE.numbers["y"]),
        step(
            "The cost: squared error.",
            r"R = \frac{1}{B} \sum_b \lVert y_b - x_b \rVert^2",
            reconstruction=lambda v: np.sum((v.y - v.x) ** 2) / BATCH,
        ),
        MMD,
        step("The objective.", r"L = R + \lambda M", total=lambda v: v.reconstruction + v.lambda_ * v.mmd),
        step("Backward begins at the cost.", r"dy = \frac{2}{B} (y - x)", dy=lambda v: 2 / BATCH * (v.y - v.x)),
        step(
            "The code is read by the decoder and by the discrepancy.",
            r"dz = g'(dy) + \lambda \frac{\partial M}{\partial z}",
            dz=lambda v: back(v, "decoder", v.dy, v.z) + v.lambda_ * _pull(v),
        ),
        step(
            "Through the draw. There is no KL here.",
            r"d\mu = dz \qquad ds = dz \odot e^s \varepsilon",
            dmu=lambda v: v.dz,
            ds=lambda v: v.dz * np.exp(v.s) * v.eps,
        ),
        ENCODER,
    ),
    of_model("wae", {"lambda_": 2.0, "bandwidth": 2.0}, WATCH),
)

DERIVATIONS = (INFO, WASSERSTEIN)
