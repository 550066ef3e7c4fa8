"""Autoencoders that are kept from copying: by a penalty on the code, by noise, by a penalty on the encoder's Jacobian."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.derivations.autoencoders import BY_OUTPUT, DECODE, DZ, ERROR, INTO_ENCODER, THROUGH_DECODER
from npae.explain.derivations.networks import BATCH, dense, perceptron
from npae.explain.model_examples import of_model
from npae.models import ContractiveAE, DenoisingAE, SparseAE

SPARSE = Derivation(
    SparseAE,
    "sparse",
    (
        step(
            "The encoder ends with a ReLU, so that a unit can be silent.",
            r"z = \max(f(x), 0)",
            z=lambda v: np.maximum(perceptron(v, "encoder", v.x), 0),
        ),
        DECODE,
        ERROR,
        step(
            "The penalty l1 on the code.",
            r"S = \frac{1}{B} \sum_b \sum_j |z_{bj}|",
            sparsity=lambda v: np.abs(v.z).sum() / BATCH,
        ),
        step("The objective.", r"L = R + \lambda S", total=lambda v: v.reconstruction + v.lambda_ * v.sparsity),
        BY_OUTPUT,
        THROUGH_DECODER,
        step(
            "The code is read twice, by the decoder and by the penalty: the two gradients add.",
            r"dz = g'(dy) + \lambda \frac{\operatorname{sign}(z)}{B}",
            dz=lambda v: v.dz_of_y + v.lambda_ * np.sign(v.z) / BATCH,
        ),
        INTO_ENCODER,
    ),
    of_model("sparse", {"lambda_": 0.5, "latent": 2}, DZ),
)

DENOISING = Derivation(
    DenoisingAE,
    "denoising",
    (
        step(
            "Corrupt the row; the noise is drawn anew for each step.",
            r"\tilde{x} = x + l n \qquad n \sim N(0, I)",
            noisy=lambda v: v.x + v.level * v.corruption,
        ),
        step("Encode what is noisy.", r"z = f(\tilde{x})", z=lambda v: perceptron(v, "encoder", v.noisy)),
        DECODE,
        step(
            "Compare with what was clean: to do well, the decoder has to give the mean of the clean rows that may lie behind a noisy one.",
            r"L = \frac{1}{B} \sum_b \lVert y_b - x_b \rVert^2",
            reconstruction=lambda v: np.sum((v.y - v.x) ** 2) / BATCH,
            total=lambda v: v.reconstruction,
        ),
        BY_OUTPUT,
        THROUGH_DECODER,
        step(
            "Backward is the plain autoencoder's: the noise is data, and nothing flows into it.",
            r"dz = g'(dy)",
            dz=lambda v: v.dz_of_y,
        ),
        INTO_ENCODER,
    ),
    of_model("denoising", {"level": 0.5}, DZ),
)

CONTRACTIVE = Derivation(
    ContractiveAE,
    "contractive",
    (
        step(
            "One layer with a sigmoid: no hidden layer here.",
            r"z = \sigma(x W + b)",
            weight_of_l2=lambda v: v.l2,
            z=lambda v: 1 / (1 + np.exp(-dense(v, "encoder.0.0", v.x))),
        ),
        step("The decoder: one Dense layer.", r"y = z V + c", y=lambda v: dense(v, "decoder.0", v.z)),
        ERROR,
        step(
            "How far the code moves when the row does (npae explain Contraction).",
            r"C = \frac{1}{B} \sum_b \left\lVert \frac{\partial z_b}{\partial x_b} \right\rVert^2"
            r" = \frac{1}{B} \sum_b \sum_j (z_{bj} (1 - z_{bj}))^2"
            r" \lVert W_j \rVert^2",
            contraction=lambda v: np.sum((v.z * (1 - v.z)) ** 2 * np.sum(v.theta["encoder.0.0.W"] ** 2, axis=0)) / BATCH,
        ),
        step(
            "What keeps the decoder from undoing a small code by large weights.",
            r"P = \sum_k p_k^2 \text{ of the decoder}",
            l2=lambda v: np.sum(v.theta["decoder.0.W"] ** 2) + np.sum(v.theta["decoder.0.b"] ** 2),
        ),
        step(
            "The objective.",
            r"L = R + \lambda C + l_2 P",
            total=lambda v: v.reconstruction + v.lambda_ * v.contraction + v.weight_of_l2 * v.l2,
        ),
        BY_OUTPUT,
        step("Through the decoder.", r"dz = dy V^\top", dz_of_y=lambda v: v.dy @ v.theta["decoder.0.W"].T),
        step(
            "The code is in the penalty too; the two gradients add before the sigmoid is passed.",
            r"dz = dy V^\top + \lambda \frac{\partial C}{\partial z} \qquad"
            r" \frac{\partial C}{\partial z_{bj}} = \frac{2}{B} d_{bj} \lVert W_j \rVert^2"
            r" (1 - 2 z_{bj}) \qquad d = z (1 - z)",
            dz=lambda v: (
                v.dz_of_y + v.lambda_ * 2 / BATCH * v.z * (1 - v.z) * np.sum(v.theta["encoder.0.0.W"] ** 2, axis=0) * (1 - 2 * v.z)
            ),
        ),
        step(
            "W is in the code and in the penalty: its two gradients add as well.",
            r"dW = x^\top da + \lambda \frac{2}{B} W_{ij} \sum_b d_{bj}^2 \qquad da = dz \odot d",
        ),
    ),
    of_model(
        "contractive",
        {"hidden": (), "code_activation": "sigmoid", "lambda_": 0.5, "l2": 0.1},
        {"dz": lambda passes: passes["encoder.0"].gradient_in},
    ),
)

DERIVATIONS = (SPARSE, DENOISING, CONTRACTIVE)
