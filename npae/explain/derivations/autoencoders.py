"""Autoencoders without a prior and without a penalty: plain, linear, paired."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.derivations.networks import BATCH, back, dense, perceptron
from npae.explain.model_examples import of_model
from npae.models import AE, LinearAE, Paired

ENCODE = step("The encoder makes a code of a row: Dense, leaky ReLU, Dense.", r"z = f(x)", z=lambda v: perceptron(v, "encoder", v.x))
DECODE = step("The decoder makes a row of a code.", r"y = g(z)", y=lambda v: perceptron(v, "decoder", v.z))
ERROR = step(
    "The reconstruction: squared error, mean over the batch.",
    r"R = \frac{1}{B} \sum_b \lVert y_b - x_b \rVert^2",
    reconstruction=lambda v: np.sum((v.y - v.x) ** 2) / BATCH,
)
BY_OUTPUT = step("Backward begins with the gradient of the loss.", r"dy = \frac{2}{B} (y - x)", dy=lambda v: 2 / BATCH * (v.y - v.x))


THROUGH_DECODER = step(
    "Through the decoder: its layers in reverse, each adding to its own dW and db on the way (npae explain Dense).",
    r"dz = g'(dy) = \left[ (dy V_2^\top) \odot a'(h) \right] V_1^\top",
    dz_of_y=lambda v: back(v, "decoder", v.dy, v.z),
)
INTO_ENCODER = step(
    "Through the encoder in the same way. Nobody asks for the gradient with respect to the data.", r"dW, db \text{ of the encoder} = f'(dz)"
)
DZ = {"dz": lambda passes: passes["encoder"].gradient_in}

PLAIN = Derivation(
    AE,
    "ae",
    (
        ENCODE,
        DECODE,
        ERROR,
        step("The objective is that one term.", r"L = R", total=lambda v: v.reconstruction),
        BY_OUTPUT,
        THROUGH_DECODER,
        step("Nothing else depends on the code.", r"dz = g'(dy)", dz=lambda v: v.dz_of_y),
        INTO_ENCODER,
    ),
    of_model("ae", watch=DZ),
)

LINEAR = Derivation(
    LinearAE,
    "linear",
    (
        step(
            "One product down, one up.",
            r"z = x W + b \qquad y = z V + c",
            z=lambda v: dense(v, "encoder.0", v.x),
            y=lambda v: dense(v, "decoder.0", v.z),
        ),
        ERROR,
        step("The objective.", r"L = R", total=lambda v: v.reconstruction),
        BY_OUTPUT,
        step("The decoder's part.", r"dV = z^\top dy \qquad dz = dy V^\top", dz=lambda v: v.dy @ v.theta["decoder.0.W"].T),
        step("The encoder's part.", r"dW = x^\top dz \qquad db = \sum_b dz_b", dW=lambda v: v.x.T @ v.dz),
        step(
            "Where both gradients vanish, W V is a projection on principal axes of the data; only for the first Z of them is it a minimum"
            " (Baldi & Hornik 1989).",
            r"W V = U U^\top \qquad L = \sum_{k > Z} \lambda_k",
        ),
    ),
    of_model("linear", {"hidden": ()}, DZ),
)

PAIRED = Derivation(
    Paired,
    "paired",
    (
        ENCODE,
        step(
            "The decoder makes the logits of a target: here one place of three symbols.",
            r"l = g(z)",
            l=lambda v: perceptron(v, "decoder", v.z),
        ),
        step(
            "The probability of every symbol.",
            r"p_a = \frac{e^{l_a}}{\sum_k e^{l_k}}",
            p=lambda v: np.exp(v.l) / np.exp(v.l).sum(axis=1, keepdims=True),
        ),
        step(
            "The objective: minus the log-probability of the target, and not of the input.",
            r"L = -\frac{1}{B} \sum_b \sum_a t_a \log p_a",
            reconstruction=lambda v: -np.sum(v.targets * np.log(v.p)) / BATCH,
            total=lambda v: v.reconstruction,
        ),
        step(
            "Backward begins with the error of the probabilities (npae explain Categorical).",
            r"dl = \frac{p - t}{B}",
            dy=lambda v: (v.p - v.targets) / BATCH,
        ),
        THROUGH_DECODER,
        step("Nothing else depends on the code.", r"dz = g'(dl)", dz=lambda v: v.dz_of_y),
        INTO_ENCODER,
    ),
    of_model("paired", {"target_features": 3, "symbols": 3, "activation": "leaky_relu"}, DZ),
)

DERIVATIONS = (PLAIN, LINEAR, PAIRED)
