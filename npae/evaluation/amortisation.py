"""The amortisation gap: what a row would gain if its posterior were its own, and not read off a network.

    gap = ELBO(q*) - ELBO(q)      q = N(mu(x), sigma(x)^2), the model's      q* = the best Gaussian of this row, by gradient steps from q

    log p(x) - ELBO(q) = [ log p(x) - ELBO(q*) ] + [ ELBO(q*) - ELBO(q) ]        approximation gap + amortisation gap, nats per row

Both bounds are those of the same rows with the same draws of eps, so their difference is much surer than either. The steps
(models/local.py) use other draws than the bounds: q* is not fitted to the noise that it is judged by. The ELBO is that of the model's
decoder with a KL of weight 1, whatever the model was trained to minimise. A gap below 0 says that the steps could not improve q beyond
their own noise.
Source: Cremer, Li & Duvenaud 2018, "Inference suboptimality in variational autoencoders".
Raises InputError for a model without a Gaussian posterior, a prior or a likelihood.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.likelihood import is_likelihood, log_weights_under
from npae.evaluation.subset import some_indices
from npae.models import Model
from npae.models.checks import check_count
from npae.models.local import LocalInference, draws_for
from npae.models.model import CHUNK

ROWS, STEPS, RATE, DRAWS = 200, 300, 0.05, 30  # rows judged, steps of each row, their first size, draws of eps for a bound


def has_gap(model: Model) -> bool:
    """Whether the model has an ELBO with a Gaussian posterior, which could be another one."""
    return model.has_posterior and model.has_prior and is_likelihood(model.likelihood)


def amortisation_gap(
    model: Model, x: Array, y: Array | None = None, *, rows: int = ROWS, steps: int = STEPS, seed: int = 0
) -> dict[str, Any]:
    """The two bounds and their difference, means over `rows` of the rows x (N, F) picked by the seed; y their labels, if they have any."""
    if not has_gap(model):
        raise InputError(f"a {model.kind} has no amortisation gap: it needs a Gaussian posterior, a prior and a likelihood; take a vae")
    check_count("rows", rows)
    chosen = some_indices(len(x), rows, seed)
    x, y = x[chosen], None if y is None else y[chosen]
    mu, sigma = model.posterior(x, y)
    own_mu, own_sigma = own_posterior(model, mu, sigma, x, y, steps=check_count("steps", steps), seed=seed)
    model_bound, own_bound = (
        log_weights_under(model, *q, x, y, samples=DRAWS, seed=seed).mean(axis=1) for q in ((mu, sigma), (own_mu, own_sigma))
    )
    gap, root = own_bound - model_bound, math.sqrt(len(x))
    return {
        "elbo": float(model_bound.mean()),
        "elbo_of_own_posteriors": float(own_bound.mean()),
        "gap": float(gap.mean()),
        "gap_standard_error": float(gap.std(ddof=1) / root) if len(x) > 1 else None,
        "rows": len(x),
        "steps": steps,
    }


def own_posterior(
    model: Model, mu: Array, sigma: Array, x: Array, y: Array | None = None, *, steps: int = STEPS, seed: int = 0
) -> tuple[Array, Array]:
    """mu and sigma (N, Z) of each row after so many gradient steps on its own ELBO, from the given ones."""
    local, backend = LocalInference(), model.backend
    local.bind(backend, model.dtype)
    given = model.check_companion(y, len(x)) if model.companion == "labels" else ()
    x, found = model.check_data(x), np.empty((2, *mu.shape), model.dtype)
    for place, start in enumerate(range(0, len(x), CHUNK)):
        part = slice(start, start + CHUNK)
        draws = backend.xp.empty((len(mu[part]), draws_for(steps) * model.latent), model.dtype)
        streams.normal(backend, streams.evaluation_seed(seed), streams.LOCAL, place, streams.row_numbers(len(draws)), draws)
        q = (backend.from_host(mu[part]), backend.from_host(np.log(sigma[part])))
        own = local.descend(model, x[part], *q, draws, steps, RATE, *(one[part] for one in given))
        found[0, part], found[1, part] = (backend.to_host(array) for array in own)
    return found[0], np.exp(found[1])
