"""The two losses of a game between a generator and a discriminator.      l (2B, 1): logits of B real rows, then B drawn ones; nats per row

    D = sigmoid(l), the probability that a row is real

    discriminator   L = -(1/B) sum_real [ (1 - s) log D + s log(1 - D) ] - (1/B) sum_drawn log(1 - D)
                    dl = (D - (1 - s)) / B on the real rows,  D / B on the drawn ones
    generator       L = -(1/B) sum_drawn log D
                    dl = 0 on the real rows,  (D - 1) / B on the drawn ones

They are Bernoulli likelihoods of the labels real (1 - s) and drawn (0), so -log D = log(1 + e^-l) and nothing overflows. Where real and
drawn rows cannot be told apart, D = 1/2: 2 log 2 = 1.386 for the discriminator, log 2 = 0.693 for the generator, if s = 0.
The generator minimises -log D and not log(1 - D), whose gradient vanishes where the discriminator is sure.
s is one-sided label smoothing: the discriminator is asked to be 1 - s sure of a real row, and no more.
Sources: Goodfellow et al. 2014, "Generative adversarial nets", algorithm 1 and the end of section 3; Salimans et al. 2016, section 3.4.
Raises InputError for a smoothing outside [0, 1), and for logits that are not two halves.
"""

from __future__ import annotations

from npae.backend import Array
from npae.errors import InputError
from npae.layers.node import Node, scale


class DiscriminatorLoss(Node):
    """-[log D(real) + log(1 - D(drawn))], mean over the batch."""

    def __init__(self, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 1:
            raise InputError(f"label_smoothing {label_smoothing} is not in [0, 1): a real row is labelled 1 - label_smoothing")
        self.label_smoothing = label_smoothing

    def forward(self, logits: Array) -> float:
        """Bernoulli likelihood of the labels 1 - s and 0; the gradient comes in the same pass"""
        half = check_halves(logits)
        labels = self.buffer("labels", logits.shape)
        labels[:half], labels[half:] = 1 - self.label_smoothing, 0
        self.dlogits = self.buffer("dlogits", logits.shape)
        value: float = self.backend.kernel("bernoulli_logits")(logits, labels, 1 / half, self.dlogits)
        return value

    def backward(self) -> Array:
        """(D - label) / B"""
        return self.dlogits


class GeneratorLoss(Node):
    """-log D(drawn), mean over the batch."""

    def forward(self, logits: Array) -> float:
        """Bernoulli likelihood of the label 1 for the drawn rows; the gradient comes in the same pass"""
        half = check_halves(logits)
        drawn = logits[half:]
        labels, self.dlogits = self.buffer("labels", drawn.shape), self.buffer("dlogits", logits.shape)
        labels.fill(1)
        self.dlogits[:half] = 0
        value: float = self.backend.kernel("bernoulli_logits")(drawn, labels, 1 / half, self.dlogits[half:])
        return value

    def backward(self, weight: float = 1.0) -> Array:
        """weight * (D - 1) / B on the drawn rows"""
        scale(self.dlogits, weight)
        return self.dlogits


def check_halves(logits: Array) -> int:
    """Half the number of rows."""
    if len(logits) % 2 or not len(logits):
        raise InputError(f"{len(logits)} logits: as many real rows as drawn ones are expected, the real ones first")
    return len(logits) // 2
