"""The two losses of a game between a generator and a discriminator."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.examples import of_loss
from npae.losses import DiscriminatorLoss, GeneratorLoss

LOGITS = {"l": [[2], [0.5], [-1], [1]]}  # two real rows, then two drawn ones
CHANCE = step(
    "The discriminator's logit l says how probable it is that a row is real. The first half of the rows are real, the others drawn.",
    r"D = \frac{1}{1 + e^{-l}}",
    D=lambda v: 1 / (1 + np.exp(-v.l)),
)
SLOPES = step(
    "Two derivatives that are needed: from D' = D (1 - D).",
    r"\frac{\partial}{\partial l} \log D = 1 - D \qquad \frac{\partial}{\partial l} \log(1 - D) = -D",
)

DERIVATIONS = (
    Derivation(
        DiscriminatorLoss,
        "DiscriminatorLoss",
        (
            CHANCE,
            step(
                "Definition: minus the log-likelihood of the labels, 1 - s for real rows and 0 for drawn ones"
                " (Goodfellow et al. 2014, algorithm 1; s is label smoothing).",
                r"L = -\frac{1}{B} \sum_{\text{real}} \left[ (1 - s) \log D + s \log(1 - D) \right]"
                r" - \frac{1}{B} \sum_{\text{drawn}} \log(1 - D)",
                real=lambda v: (1 - v.label_smoothing) * np.log(v.D[:2]) + v.label_smoothing * np.log(1 - v.D[:2]),
                drawn=lambda v: np.log(1 - v.D[2:]),
                L=lambda v: -(v.real.sum() + v.drawn.sum()) / 2,
            ),
            SLOPES,
            step(
                "Real rows: (1 - s)(1 - D) - s D = 1 - s - D, with the sign turned; drawn rows: D. Both are D minus the label.",
                r"dl = \frac{D - (1 - s)}{B} \text{ (real)} \qquad dl = \frac{D}{B} \text{ (drawn)}",
                dl=lambda v: (v.D - np.array([[1 - v.label_smoothing]] * 2 + [[0]] * 2)) / 2,
            ),
        ),
        of_loss(DiscriminatorLoss, LOGITS, settings={"label_smoothing": 0.1}),
    ),
    Derivation(
        GeneratorLoss,
        "GeneratorLoss",
        (
            CHANCE,
            step(
                "Definition: the drawn rows are to look real. The real ones are not the generator's.",
                r"L = -\frac{1}{B} \sum_{\text{drawn}} \log D",
                L=lambda v: -np.log(v.D[2:]).sum() / 2,
            ),
            SLOPES,
            step(
                "So the gradient is largest where the discriminator is sure (D near 0). Of log(1 - D) it would be -D, which vanishes there:"
                " that is why -log D is minimised (Goodfellow et al. 2014, end of section 3).",
                r"dl = 0 \text{ (real)} \qquad dl = \frac{D - 1}{B} \text{ (drawn)}",
                dl=lambda v: np.concatenate([np.zeros((2, 1)), (v.D[2:] - 1) / 2]),
            ),
        ),
        of_loss(GeneratorLoss, LOGITS),
    ),
)
