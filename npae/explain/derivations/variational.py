"""Variational autoencoders with an inference network: VAE, denoising VAE, conditional VAE."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.derivations.networks import BATCH, back, heads, perceptron, sigmoid
from npae.explain.model_examples import of_model
from npae.models import CVAE, VAE, DenoisingVAE

BOUND = (
    step(
        "What is wanted: the log-density of the data under a decoder with a code that is not observed.",
        r"p(x) = \int p(x|z) p(z) dz \qquad p(z) = N(0, I)",
    ),
    step(
        "Multiply and divide by any density q(z|x): a mean under q.",
        r"\log p(x) = \log E_q \left[ \frac{p(x|z) p(z)}{q(z|x)} \right]",
    ),
    step(
        "Jensen's inequality: the logarithm of a mean is at least the mean of the logarithm (Kingma & Welling 2014, equation 3).",
        r"\log p(x) \ge E_q[\log p(x|z)] - E_q \left[ \log \frac{q(z|x)}{p(z)} \right] = E_q[\log p(x|z)] - \operatorname{KL}(q \,\|\, p)",
    ),
    step(
        "What is lost is the divergence of q from the true posterior, so the bound is tight where q is the posterior (equation 1).",
        r"\log p(x) = \text{bound} + \operatorname{KL}(q(z|x) \,\|\, p(z|x))",
    ),
)


POSTERIOR = step(
    "The encoder gives each row's Gaussian: a mean and a log-std.",
    r"(\mu, s) = f(x) \qquad q(z|x) = N(\mu, e^{2s})",
    mu=lambda v: heads(v, v.x)[0],
    s=lambda v: heads(v, v.x)[1],
)
DRAW = step(
    "One draw stands for the mean under q (npae explain Reparameterise).",
    r"z = \mu + e^s \varepsilon",
    z=lambda v: v.mu + np.exp(v.s) * v.eps,
)
DECODE = step("The decoder gives the logits of the pixels.", r"y = g(z)", y=lambda v: perceptron(v, "decoder", v.z))
NLL = step(
    "The likelihood: Bernoulli (npae explain BernoulliLogits).",
    r"N = \frac{1}{B} \sum \left[ \log(1 + e^y) - x y \right]",
    nll=lambda v: np.sum(np.log(1 + np.exp(v.y)) - v.x * v.y) / BATCH,
)
KL = step(
    "The divergence in closed form (npae explain GaussianKL).",
    r"K = \frac{1}{B} \sum \frac{1}{2} (e^{2s} + \mu^2 - 1 - 2s)",
    kl=lambda v: np.sum(np.exp(2 * v.s) + v.mu**2 - 1 - 2 * v.s) / 2 / BATCH,
)
BY_OUTPUT = step("Backward begins at the likelihood.", r"dy = \frac{\sigma(y) - x}{B}", dy=lambda v: (sigmoid(v.y) - v.x) / BATCH)


BY_CODE = step("Through the decoder.", r"dz = g'(dy)", dz=lambda v: back(v, "decoder", v.dy, v.z))
ENCODER = step("Through both heads and the encoder.", r"dW, db \text{ of the encoder} = f'(d\mu, ds)")
WATCH = {"dmu": lambda passes: passes["encoder"].gradient_in[0], "ds": lambda passes: passes["encoder"].gradient_in[1]}

VAE_ = Derivation(
    VAE,
    "vae",
    (
        *BOUND,
        POSTERIOR,
        DRAW,
        DECODE,
        NLL,
        KL,
        step("The objective is minus the bound; beta weighs its second part.", r"L = N + \beta K", total=lambda v: v.nll + v.beta * v.kl),
        BY_OUTPUT,
        BY_CODE,
        step(
            "The mean is in the draw and in the divergence: two gradients add.",
            r"d\mu = dz + \beta \frac{\mu}{B}",
            dmu=lambda v: v.dz + v.beta * v.mu / BATCH,
        ),
        step(
            "So is s: as a deviation in the draw, and as a variance in the divergence.",
            r"ds = dz \odot e^s \varepsilon + \beta \frac{e^{2s} - 1}{B}",
            ds=lambda v: v.dz * np.exp(v.s) * v.eps + v.beta * (np.exp(2 * v.s) - 1) / BATCH,
        ),
        ENCODER,
        step(
            "The setting kl=keras minimises another second part: it takes for a log-variance the s that the draw takes for a log-std, so L"
            " is then no bound of log p(x).",
            r"K_{\text{keras}} = -\frac{1}{B} \sum \frac{1}{2} (1 + s - \mu^2 - e^s)",
        ),
    ),
    of_model("vae", {"beta": 0.5}, WATCH),
)

DENOISING = Derivation(
    DenoisingVAE,
    "denoising-vae",
    (
        *BOUND[:3],
        step(
            "The bound holds for any q, also for one that sees a corrupted row; so its mean over corruptions is a bound too"
            " (Im et al. 2017, equation 7).",
            r"\log p(x) \ge E_{c(\tilde{x}|x)} \left[ E_{q(z|\tilde{x})}[\log p(x|z)] - \operatorname{KL}(q(z|\tilde{x}) \,\|\, p) \right]",
        ),
        step(
            "Corrupt the row, and keep it in [0, 1].",
            r"\tilde{x} = \min(\max(x + l n, 0), 1)",
            noisy=lambda v: np.clip(v.x + v.level * v.corruption, 0, 1),
        ),
        step(
            "The encoder reads what is noisy.",
            r"(\mu, s) = f(\tilde{x})",
            mu=lambda v: heads(v, v.noisy)[0],
            s=lambda v: heads(v, v.noisy)[1],
        ),
        DRAW,
        DECODE,
        step("The likelihood is that of the clean row.", r"N = -\frac{1}{B} \sum \log p(x|z)", nll=NLL.numbers["nll"]),
        KL,
        step("The objective.", r"L = N + \beta K", total=lambda v: v.nll + v.beta * v.kl),
        BY_OUTPUT,
        BY_CODE,
        step(
            "The rest is the VAE's: nothing flows into the noise.",
            r"d\mu = dz + \beta \frac{\mu}{B} \qquad ds = dz \odot e^s \varepsilon + \beta \frac{e^{2s} - 1}{B}",
            dmu=lambda v: v.dz + v.beta * v.mu / BATCH,
            ds=lambda v: v.dz * np.exp(v.s) * v.eps + v.beta * (np.exp(2 * v.s) - 1) / BATCH,
        ),
        ENCODER,
    ),
    of_model("denoising-vae", {"beta": 0.5, "level": 0.5}, WATCH),
)


def _labelled(v: Any, x: Any) -> Any:
    return np.concatenate([x, np.eye(2)[v.labels]], axis=1)


CONDITIONAL = Derivation(
    CVAE,
    "cvae",
    (
        step(
            "The same bound, with the label y known throughout; the prior of z does not depend on it.",
            r"\log p(x|y) \ge E_{q(z|x,y)}[\log p(x|y,z)] - \operatorname{KL}(q(z|x,y) \,\|\, p(z))",
        ),
        step(
            "The encoder reads the row and its label (npae explain Condition).",
            r"(\mu, s) = f([x, e_y])",
            mu=lambda v: heads(v, _labelled(v, v.x))[0],
            s=lambda v: heads(v, _labelled(v, v.x))[1],
        ),
        DRAW,
        step("The decoder reads the code and the label.", r"l = g([z, e_y])", y=lambda v: perceptron(v, "decoder", _labelled(v, v.z))),
        NLL,
        KL,
        step("The objective.", r"L = N + \beta K", total=lambda v: v.nll + v.beta * v.kl),
        BY_OUTPUT,
        step(
            "Through the decoder; of the gradient of [z, e_y] the label's columns are dropped.",
            r"[dz, \cdot] = g'(dl)",
            dz=lambda v: back(v, "decoder", v.dy, _labelled(v, v.z))[:, :2],
        ),
        step(
            "Then the VAE's.",
            r"d\mu = dz + \beta \frac{\mu}{B} \qquad ds = dz \odot e^s \varepsilon + \beta \frac{e^{2s} - 1}{B}",
            dmu=lambda v: v.dz + v.beta * v.mu / BATCH,
            ds=lambda v: v.dz * np.exp(v.s) * v.eps + v.beta * (np.exp(2 * v.s) - 1) / BATCH,
        ),
        ENCODER,
    ),
    of_model("cvae", {"classes": 2, "beta": 0.5}, WATCH),
)

DERIVATIONS = (VAE_, DENOISING, CONDITIONAL)
