"""The two multi-layer perceptrons of an autoencoder, as Chains.

    encoder   F -> hidden[0] -> ... -> hidden[-1] -> Z            or two heads mu and s, each Z
    decoder   Z -> hidden[-1] -> ... -> hidden[0] -> F

Every hidden layer is Dense, activation and (if asked for) Dropout. `activation_name` is one name, or one for each hidden layer in the
encoder's order; the decoder has them the other way round. Raises InputError for widths, activations and rates that make no network.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from npae.errors import InputError, nearest
from npae.layers import Chain, Dense, Dropout, Node, Parallel, Softplus, activation
from npae.layers.dropout import check_rate

Names: TypeAlias = str | Sequence[str]
HEADS = ("apart", "joint")
SIGMA_FLOOR = 1e-6  # keeps log sigma finite when sigma comes straight from a head (as in ADCME's example)


def check_widths(features: int, hidden: Sequence[int] | int, latent: int) -> tuple[int, ...]:
    """Widths are whole numbers of at least 1."""
    if isinstance(hidden, int | np.integer):
        raise InputError(f"hidden {hidden} is not a list of widths; write hidden=({hidden},)")
    for name, width in [("features", features), *(("hidden", width) for width in hidden), ("latent", latent)]:
        if isinstance(width, bool) or not isinstance(width, int | np.integer) or width < 1:
            raise InputError(f"{name} {width!r} is not a width: it must be a whole number of at least 1")
    return tuple(int(width) for width in hidden)


def activation_names(chosen: Names, layers: int) -> list[str]:
    """The activation of each of so many hidden layers."""
    names = [chosen] * max(1, layers) if isinstance(chosen, str) else list(chosen)
    for name in names:
        activation(name)  # refuses an unknown name, also where there is no hidden layer to use it
    if not isinstance(chosen, str) and len(names) != layers:
        raise InputError(
            f"activation {','.join(names) or '[]'} has {len(names)} for {layers} hidden layers: give one name for all, or one for each"
        )
    return names


def hidden_layers(widths: Sequence[int], *, activation_name: Names, dropout: float, initialiser: str, reads_data: bool) -> list[Node]:
    """Dense, activation, Dropout for each step from one width to the next."""
    check_rate(dropout)
    names = activation_names(activation_name, len(widths) - 1)
    layers: list[Node] = []
    for place, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
        layers.append(Dense(n_in, n_out, initialiser=initialiser, needs_dx=not (reads_data and place == 0)))
        layers += activation(names[place])
        if dropout:
            layers.append(Dropout(dropout, n_out))
    return layers


def encoder(widths: Sequence[int], latent: int, *, activation_name: Names, code_activation: str, dropout: float, initialiser: str) -> Chain:
    """x (B, F) -> code (B, Z)"""
    body = hidden_layers(widths, activation_name=activation_name, dropout=dropout, initialiser=initialiser, reads_data=True)
    head = Dense(widths[-1], latent, initialiser=initialiser, needs_dx=len(widths) > 1)
    return Chain(*body, head, *activation(code_activation))


def gaussian_encoder(
    widths: Sequence[int], latent: int, *, activation_name: Names, form: str, dropout: float, initialiser: str, heads: str = "apart"
) -> Chain:
    """x (B, F) -> (mu, s), each (B, Z); a head that is sigma itself ends with a softplus.

    `heads` "joint": mu and s are the halves of one layer with 2Z outputs. Its function is the same; the initialiser counts all 2Z.
    """
    if heads not in HEADS:
        raise InputError(f"heads '{heads}' is not known{nearest(heads, HEADS)}")
    body = hidden_layers(widths, activation_name=activation_name, dropout=dropout, initialiser=initialiser, reads_data=True)
    needs_dx = len(widths) > 1
    fan_out = 2 * latent if heads == "joint" else latent
    mu, s = (Dense(widths[-1], latent, initialiser=initialiser, needs_dx=needs_dx, fan_out=fan_out) for _ in range(2))
    return Chain(*body, Parallel(mu=mu, s=Chain(s, Softplus(SIGMA_FLOOR)) if form == "sigma" else s))


def decoder(widths: Sequence[int], *, activation_name: Names, output: str, dropout: float, initialiser: str) -> Chain:
    """z (B, Z) -> y (B, F)"""
    mirrored = activation_name if isinstance(activation_name, str) else activation_name[::-1]
    body = hidden_layers(widths[:-1], activation_name=mirrored, dropout=dropout, initialiser=initialiser, reads_data=False)
    return Chain(*body, Dense(widths[-2], widths[-1], initialiser=initialiser), *activation(output))
