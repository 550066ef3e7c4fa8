"""Where `npae generate` takes codes from: the prior, or a density fitted to the codes of the training rows.

    prior       N(0, I)                                                          a model that has one
    gaussian    the Gaussian of the codes' mean and covariance                   any model with an encoder
    mixture     a mixture of Gaussians (evaluation/mixture.py)                   the same: how a plain autoencoder becomes generative

Raises InputError for a sampler that a model does not have.
"""

from __future__ import annotations

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.mixture import fit_mixture
from npae.models import AE, Model

SAMPLERS = ("prior", "gaussian", "mixture")


def own_sampler(model: Model) -> str:
    """What a model draws from unless it is told."""
    return "prior" if model.has_prior else "gaussian"


def origin_of(sampler: str, components: int) -> str:
    """Where the codes are from, in words."""
    return {
        "prior": "the prior N(0, I)",
        "gaussian": "a Gaussian fitted to the training codes",
        "mixture": f"a mixture of {components} Gaussians fitted to the training codes",
    }[sampler]


def draw(model: Model, sampler: str, rows: int, *, seed: int, y: Array | None, like: Array, like_y: Array | None, components: int) -> Array:
    """New data (rows, F); y: their labels, where the model reads them; like: the training rows, and like_y their labels."""
    if model.companion == "targets":
        return model.sample(rows, seed=seed)  # which says why there is nothing to draw
    if sampler == "prior":
        if not model.has_prior:
            raise InputError(f"--sampler prior: this {model.kind} has no prior; take gaussian or mixture, which are fitted to its codes")
        return model.sample(rows, seed=seed, y=y)
    if not model.has_encoder:
        raise InputError(f"--sampler {sampler}: this {model.kind} has no encoder, so there are no codes to fit it to; take prior")
    if sampler == "gaussian" and isinstance(model, AE):
        return model.sample(rows, seed=seed, like=like)
    codes = model.encode(like, like_y)
    mixture = fit_mixture(codes, 1 if sampler == "gaussian" else components, seed=seed)
    return model.decode(mixture.sample(rows, seed=seed), y)
