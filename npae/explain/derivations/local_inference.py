"""A posterior found by gradient steps of each row's own: from the prior (EM-VAE), or from an encoder's guess (semi-amortised VAE)."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.derivations.networks import BATCH, back, heads, perceptron, sigmoid
from npae.explain.derivations.variational import BOUND, DECODE, KL, NLL
from npae.explain.model_examples import of_model
from npae.models import EMVAE, SemiAmortisedVAE

FREE_ENERGY = step(
    "The bound is a function of two things, the decoder's parameters and q; either may be moved while the other stands still"
    " (Neal & Hinton 1998).",
    r"F(\theta, q) = E_q[-\log p(x|z)] + \operatorname{KL}(q \,\|\, p) \qquad -F \le \log p(x)",
)
FOUND = step(
    "What the steps ended at, taken from the code and held constant from here on.",
    r"(\mu, s) = \operatorname{argmin} F \text{ as far as } T \text{ steps go}",
    mu=lambda v: v.posterior[0],
    s=lambda v: v.posterior[1],
)
DRAW = step("One draw of it, and the decoder.", r"z = \mu + e^s \varepsilon \qquad y = g(z)", z=lambda v: v.mu + np.exp(v.s) * v.eps)
M_STEP = step(
    "M step: only the likelihood depends on the decoder. Its backward stops at z.",
    r"dy = \frac{\sigma(y) - x}{B} \qquad dV, dc = g'(dy)",
    dy=lambda v: (sigmoid(v.y) - v.x) / BATCH,
)
GRADIENT_OF_F = step(
    "Each of them descends F by Adam, with the VAE's gradient at (mu, s), the decoder held still.",
    r"dz = g'(dy) \qquad d\mu = dz + \frac{\mu}{B} \qquad ds = dz \odot e^s \varepsilon + \frac{e^{2s} - 1}{B}",
)
STEPS_OF_A_ROW = (GRADIENT_OF_F, FOUND, DRAW, step("The logits.", r"y = g(z)", y=DECODE.numbers["y"]), NLL, KL)

EXPECTATION = Derivation(
    EMVAE,
    "em-vae",
    (
        *BOUND,
        FREE_ENERGY,
        step("E step: every row starts from the prior, and makes T steps of its own.", r"\mu = s = 0"),
        *STEPS_OF_A_ROW,
        step("The objective.", r"F = N + K", total=lambda v: v.nll + v.kl),
        M_STEP,
    ),
    of_model("em-vae", {"inner_steps": 3}, {"dy": lambda passes: passes["decoder"].gradient_in}),
)

SEMI = Derivation(
    SemiAmortisedVAE,
    "semi-amortised-vae",
    (
        *BOUND,
        FREE_ENERGY,
        step(
            "Start: an encoder guesses.",
            r"(\mu_0, s_0) = f(x)",
            mu0=lambda v: heads(v, v.x)[0],
            s0=lambda v: heads(v, v.x)[1],
        ),
        step(
            "F at the guess.",
            r"F_0 = N(z_0) + K(\mu_0, s_0) \qquad z_0 = \mu_0 + e^{s_0} \varepsilon",
            z0=lambda v: v.mu0 + np.exp(v.s0) * v.eps,
            y0=lambda v: perceptron(v, "decoder", v.z0),
            encoder=lambda v: (
                (np.sum(np.log(1 + np.exp(v.y0)) - v.x * v.y0) + np.sum(np.exp(2 * v.s0) + v.mu0**2 - 1 - 2 * v.s0) / 2) / BATCH
            ),
        ),
        step(
            "The encoder descends F at its own guess, theta held still.",
            r"d\mu_0 = g'(dy_0) + \frac{\mu_0}{B} \qquad ds_0 = g'(dy_0) \odot e^{s_0} \varepsilon + \frac{e^{2 s_0} - 1}{B}",
            dz0=lambda v: back(v, "decoder", (sigmoid(v.y0) - v.x) / BATCH, v.z0),
            dmu0=lambda v: v.dz0 + v.mu0 / BATCH,
            ds0=lambda v: v.dz0 * np.exp(v.s0) * v.eps + (np.exp(2 * v.s0) - 1) / BATCH,
        ),
        step("E step: from the guess, T steps for every row.", r"(\mu, s) \leftarrow (\mu_0, s_0)"),
        *STEPS_OF_A_ROW,
        step("The objective of the decoder; what the steps have gained is F_0 - F.", r"F = N + K", total=lambda v: v.nll + v.kl),
        M_STEP,
    ),
    of_model(
        "semi-amortised-vae",
        {"inner_steps": 3},
        {
            "dy": lambda passes: passes["decoder"].gradient_in,
            "dmu0": lambda passes: passes["encoder"].gradient_in[0],
            "ds0": lambda passes: passes["encoder"].gradient_in[1],
        },
    ),
)

DERIVATIONS = (EXPECTATION, SEMI)
