"""Corruption: what a denoising autoencoder's input goes through before it is encoded.      x numbers out (B, F)

    kind               numbers        out
    gaussian           eps ~ N(0, 1)  x + level eps                                       level: a standard deviation
    clipped_gaussian   eps ~ N(0, 1)  min(max(x + level eps, 0), 1)
    masking            u ~ U[0, 1)    x where u >= level, else 0                          level: a share of the numbers
    salt_and_pepper    u ~ U[0, 1)    x where u >= level, 1 where level/2 <= u < level, 0 where u < level/2

gaussian may leave [0, 1]: its mean is x and its variance level^2, whatever the data are, so a Bernoulli model does not take it.
clipped_gaussian keeps to [0, 1], as a noisy picture read from a file does; it and salt_and_pepper (whose 0 and 1 are black and white) are
for data in [0, 1]. masking is for any.
The numbers are arguments (noise.py draws them, stream CORRUPT), so a step can be replayed and a gradient checked. Nothing is learned here
and x is data, so there is no backward.
Raises InputError for an unknown kind, for a level that does not fit it, and for data that the kind is not for.
Source: Vincent, Larochelle, Bengio & Manzagol 2008, "Extracting and composing robust features with denoising autoencoders" (masking);
Vincent et al. 2010, "Stacked denoising autoencoders", section 3.3 (Gaussian, salt-and-pepper).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npae import noise as streams
from npae.backend import Array, Backend, backend
from npae.errors import InputError, nearest


def _gaussian(backend: Backend, level: float, x: Array, eps: Array, out: Array, _: Array) -> None:
    backend.xp.multiply(eps, level, out=out)
    out += x


def _clipped_gaussian(backend: Backend, level: float, x: Array, eps: Array, out: Array, mask: Array) -> None:
    _gaussian(backend, level, x, eps, out, mask)
    backend.xp.clip(out, 0, 1, out=out)


def _masking(backend: Backend, level: float, x: Array, u: Array, out: Array, kept: Array) -> None:
    backend.xp.greater_equal(u, level, out=kept)
    backend.xp.multiply(x, kept, out=out)


def _salt_and_pepper(backend: Backend, level: float, x: Array, u: Array, out: Array, kept: Array) -> None:
    backend.xp.greater_equal(u, level / 2, out=out)
    backend.xp.greater_equal(u, level, out=kept)
    backend.xp.copyto(out, x, where=kept)


@dataclass(frozen=True)
class Corruption:
    """One kind: how its numbers are distributed, the largest level, whether it is for data in [0, 1] alone, and whether it stays there."""

    distribution: str
    largest: float
    needs_unit_interval: bool
    keeps_unit_interval: bool
    apply: Callable[[Backend, float, Array, Array, Array, Array], None]


CORRUPTIONS: dict[str, Corruption] = {
    "gaussian": Corruption("normal", math.inf, needs_unit_interval=False, keeps_unit_interval=False, apply=_gaussian),
    "clipped_gaussian": Corruption("normal", math.inf, needs_unit_interval=True, keeps_unit_interval=True, apply=_clipped_gaussian),
    "masking": Corruption("uniform", 1.0, needs_unit_interval=False, keeps_unit_interval=True, apply=_masking),
    "salt_and_pepper": Corruption("uniform", 1.0, needs_unit_interval=True, keeps_unit_interval=True, apply=_salt_and_pepper),
}


def check_corruption(kind: str, level: float) -> tuple[str, float]:
    """The kind and the level, if there is such a kind and the level fits it."""
    if kind not in CORRUPTIONS:
        raise InputError(f"corruption '{kind}' is not known{nearest(kind, CORRUPTIONS)}")
    largest = CORRUPTIONS[kind].largest
    if not (math.isfinite(level) and 0 <= level <= largest):
        meaning = "a share of the numbers, from 0 to 1" if largest == 1 else "a standard deviation: a finite number of at least 0"
        raise InputError(f"level {level} does not fit corruption '{kind}', where it is {meaning}")
    return kind, float(level)


def check_corruptible(kind: str, x: Array) -> Array:
    """Rows x, if the kind is for data like them."""
    low, high = float(x.min()), float(x.max())
    if CORRUPTIONS[kind].needs_unit_interval and (low < 0 or high > 1):
        raise InputError(
            f"x ranges over [{low:.4g}, {high:.4g}]: corruption '{kind}' is for data in [0, 1];"
            " scale them (--set scale=minmax), or take another corruption (--set corruption=gaussian)"
        )
    return x


def check_likelihood(kind: str, reconstruction: str, *, unit_interval: bool) -> None:
    """Refuse a kind that leaves [0, 1] for a model that reads data in [0, 1]."""
    if unit_interval and not CORRUPTIONS[kind].keeps_unit_interval:
        raise InputError(
            f"corruption '{kind}' leaves [0, 1], where reconstruction '{reconstruction}' has its data; take clipped_{kind},"
            " or --set reconstruction=squared_error"
        )


def corrupt(backend: Backend, kind: str, level: float, x: Array, numbers: Array, out: Array, mask: Array) -> Array:
    """x corrupted, written to `out`; `numbers` are standard normal or uniform, as the kind says; `mask` (B, F) bool is room to work in."""
    CORRUPTIONS[kind].apply(backend, level, x, numbers, out, mask)
    return out


def draw_corrupted(kind: str, level: float, x: Array, *, seed: int, step: int = 0) -> Array:
    """A corrupted copy of rows x (N, F) with the numbers of that seed and step: what a picture or a measurement starts from."""
    check_corruption(kind, level)
    host, numbers = backend("numpy"), np.empty_like(x)
    fill = streams.normal if CORRUPTIONS[kind].distribution == "normal" else streams.uniform
    fill(host, streams.check_seed(seed), streams.CORRUPT, streams.check_step(step), streams.row_numbers(len(x)), numbers)
    return corrupt(host, kind, level, x, numbers, np.empty_like(x), np.empty(x.shape, bool))
