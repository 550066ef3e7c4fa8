"""The discriminator of an adversarial model: a multi-layer perceptron that says how likely a row is to be real.

    x (B, I) -> hidden[0] -> ... -> hidden[-1] -> l (B, 1)        sigmoid(l): the probability that x is real

Each hidden layer is Dense, a leaky ReLU of slope 0.2 (no unit may stop handing a gradient to the generator) and, if asked for, Dropout.
The gradient with respect to x is the generator's, which the frozen network hands on; the discriminator's own backward leaves it out.
Raises InputError for widths and rates that make no network.
Source of the slope: Radford, Metz & Chintala 2016, "Unsupervised representation learning with deep convolutional GANs", section 4.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from npae.errors import InputError
from npae.layers import Chain, Dense, Dropout, LeakyReLU, Node
from npae.layers.dropout import check_rate

SLOPE = 0.2


def discriminator(features: int, hidden: Sequence[int], *, dropout: float, initialiser: str) -> Chain:
    """x (B, I) -> l (B, 1)"""
    if isinstance(hidden, int | np.integer):
        raise InputError(f"discriminator_hidden {hidden} is not a list of widths; write discriminator_hidden=({hidden},)")
    for width in hidden:
        if isinstance(width, bool) or not isinstance(width, int | np.integer) or width < 1:
            raise InputError(f"discriminator_hidden {width!r} is not a width: it must be a whole number of at least 1")
    check_rate(dropout)
    layers: list[Node] = []
    for place, (n_in, n_out) in enumerate(itertools.pairwise((features, *hidden))):
        layers += [Dense(n_in, n_out, initialiser=initialiser, needs_dx=place > 0), LeakyReLU(SLOPE)]
        if dropout:
            layers.append(Dropout(dropout, n_out))
    return Chain(*layers, Dense((features, *hidden)[-1], 1, initialiser=initialiser, needs_dx=bool(hidden)))
