"""Two players: the generative adversarial network, and the autoencoder whose penalty is a discriminator."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.derivations.networks import BATCH, back, perceptron, sigmoid
from npae.explain.model_examples import of_model
from npae.models import GAN, WAEGAN
from npae.models.discriminator import SLOPE

GAME = step(
    "Two players with opposite wishes (Goodfellow et al. 2014, equation 1): D tells real from drawn, G draws what D takes for real.",
    r"\min_G \max_D E_x[\log D(x)] + E_w[\log(1 - D(G(w)))]",
)
BEST = step(
    "For a fixed G the best D compares two densities, and then the game measures how far they are apart (proposition 1, theorem 1).",
    r"D(x) = \frac{p(x)}{p(x) + p_G(x)} \qquad \max_D = 2 \operatorname{JS}(p, p_G) - \log 4",
)

ADVERSARIAL = Derivation(
    GAN,
    "gan",
    (
        GAME,
        BEST,
        step(
            "Draw: the decoder's logits a, and pixels in (0, 1).",
            r"y = \sigma(g(w)) \qquad w \sim N(0, I)",
            y=lambda v: sigmoid(perceptron(v, "decoder", v.prior)),
        ),
        step(
            "Real rows above drawn ones, moved to [-1, 1], before the discriminator.",
            r"l = d(2 [x; y] - 1) \qquad D = \sigma(l)",
            both=lambda v: 2 * np.concatenate([v.x, v.y]) - 1,
            l=lambda v: perceptron(v, "discriminator", v.both, SLOPE),
            D=lambda v: sigmoid(v.l),
        ),
        step(
            "The generator's loss (npae explain GeneratorLoss). It is the total; the other player's is beside it.",
            r"L_G = -\frac{1}{B} \sum_{\text{drawn}} \log D",
            generator=lambda v: -np.log(v.D[BATCH:]).sum() / BATCH,
            total=lambda v: v.generator,
        ),
        step(
            "The discriminator's loss (npae explain DiscriminatorLoss).",
            r"L_D = -\frac{1}{B} \sum_{\text{real}} \log D - \frac{1}{B} \sum_{\text{drawn}} \log(1 - D)",
            discriminator=lambda v: -(np.log(v.D[:BATCH]).sum() + np.log(1 - v.D[BATCH:]).sum()) / BATCH,
        ),
        step(
            "Generator: its gradient passes through the discriminator, whose own parameters are held still, to the drawn rows alone.",
            r"dl = \frac{D - 1}{B} \text{ (drawn)} \qquad dy = 2 d'(dl) \qquad da = dy \odot y (1 - y)",
            dl=lambda v: np.concatenate([np.zeros((BATCH, 1)), (v.D[BATCH:] - 1) / BATCH]),
            dy=lambda v: 2 * back(v, "discriminator", v.dl, v.both, SLOPE)[BATCH:],
            da=lambda v: v.dy * v.y * (1 - v.y),
        ),
        step(
            "Discriminator: D minus the label, from both halves; nothing goes on to x or y.",
            r"dl = \frac{D - 1}{B} \text{ (real)} \qquad dl = \frac{D}{B} \text{ (drawn)}",
            dl_of_discriminator=lambda v: np.concatenate([v.D[:BATCH] - 1, v.D[BATCH:]]) / BATCH,
        ),
    ),
    of_model(
        "gan",
        {"discriminator_hidden": (2,), "label_smoothing": 0.0, "dropout": 0.0},
        {"da": lambda passes: passes["decoder"].gradient_in, "dl_of_discriminator": lambda passes: passes["discriminator"].gradient_in},
    ),
)

PENALISED = Derivation(
    WAEGAN,
    "wae-gan",
    (
        step(
            "Of the transport cost of npae explain wae, the divergence of codes and prior is now what a discriminator can see of it"
            " (Tolstikhin et al. 2018, algorithm 1).",
            r"L = E_x[c(x, g(f(x)))] + \lambda D(q(z), p(z))",
        ),
        BEST,
        step("The encoder is deterministic.", r"z = f(x)", z=lambda v: perceptron(v, "encoder", v.x)),
        step("The decoder.", r"y = g(z)", y=lambda v: perceptron(v, "decoder", v.z)),
        step(
            "The cost.",
            r"R = \frac{1}{B} \sum_b \lVert y_b - x_b \rVert^2",
            reconstruction=lambda v: np.sum((v.y - v.x) ** 2) / BATCH,
        ),
        step(
            "Draws of the prior (real) above codes (drawn), before the discriminator.",
            r"l = d([w; z]) \qquad D = \sigma(l)",
            both=lambda v: np.concatenate([v.prior, v.z]),
            l=lambda v: perceptron(v, "discriminator", v.both, SLOPE),
            D=lambda v: sigmoid(v.l),
        ),
        step(
            "The encoder wishes its codes to be taken for draws of the prior.",
            r"A = -\frac{1}{B} \sum_{\text{codes}} \log D",
            adversarial=lambda v: -np.log(v.D[BATCH:]).sum() / BATCH,
        ),
        step("The objective of encoder and decoder.", r"L = R + \lambda A", total=lambda v: v.reconstruction + v.lambda_ * v.adversarial),
        step(
            "The objective of the discriminator.",
            r"L_D = -\frac{1}{B} \sum_{\text{prior}} \log D - \frac{1}{B} \sum_{\text{codes}} \log(1 - D)",
            discriminator=lambda v: -(np.log(v.D[:BATCH]).sum() + np.log(1 - v.D[BATCH:]).sum()) / BATCH,
        ),
        step("Backward begins at the cost.", r"dy = \frac{2}{B} (y - x)", dy=lambda v: 2 / BATCH * (v.y - v.x)),
        step(
            "The other gradient passes through the discriminator, held still; of its input's gradient the codes' half is added.",
            r"dz = g'(dy) + \lambda d'(dl)_{\text{codes}} \qquad dl = \frac{D - 1}{B} \text{ (codes)}",
            dl=lambda v: v.lambda_ * np.concatenate([np.zeros((BATCH, 1)), (v.D[BATCH:] - 1) / BATCH]),
            dz_by_cost=lambda v: back(v, "decoder", v.dy, v.z),
            dz=lambda v: v.dz_by_cost + back(v, "discriminator", v.dl, v.both, SLOPE)[BATCH:],
        ),
        step(
            "The discriminator then learns by its own gradient; nothing goes on to w or z.",
            r"dl = \frac{D - 1}{B} \text{ (prior)} \qquad dl = \frac{D}{B} \text{ (codes)}",
            dl_of_discriminator=lambda v: np.concatenate([v.D[:BATCH] - 1, v.D[BATCH:]]) / BATCH,
        ),
    ),
    of_model(
        "wae-gan",
        {"discriminator_hidden": (2,), "lambda_": 2.0},
        {
            "dz": lambda passes: passes["encoder"].gradient_in,
            "dl_of_discriminator": lambda passes: passes["discriminator"].gradient_in,
        },
    ),
)

DERIVATIONS = (ADVERSARIAL, PENALISED)
