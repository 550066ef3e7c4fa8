"""New data from a model, whatever it has to draw codes from."""

from __future__ import annotations

import numpy as np

from npae import noise as streams
from npae.backend import Array
from npae.models import AE, Model


def draw_samples(model: Model, rows: int, *, seed: int, like: Array) -> Array:
    """New data: from the prior, or for a plain autoencoder, which has none, from a Gaussian fitted to the codes of `like`.

    A model that reads labels gets each of them in turn.
    """
    y = np.arange(rows) % model.spec["classes"] if model.companion == "labels" else None
    return model.sample(rows, seed=seed, like=like) if isinstance(model, AE) else model.sample(rows, seed=seed, y=y)


def random_codes(model: Model, rows: int, *, seed: int, like: Array) -> Array:
    """Codes (rows, Z) that know nothing of how units go together: draws of the prior; without one, each unit with the mean and standard
    deviation that it has over the codes of `like`, apart from all others.
    """
    z = model.prior(rows, seed, streams.CODES)
    if model.has_prior:
        return z
    codes = model.encode(like).astype(np.float64)
    return np.asarray(codes.mean(axis=0) + codes.std(axis=0) * z)
