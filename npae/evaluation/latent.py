"""What the codes look like beside the prior.

MMD^2(aggregated posterior, prior)     RBF kernel with the prior's bandwidth 2 Z, unbiased: about 0 where they agree
active units                           latent units whose posterior mean varies: Var_x(mu_z) > 0.01           Burda et al. 2016
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae import noise as streams
from npae.backend import Array
from npae.evaluation.subset import some_indices
from npae.models import Model

ROWS = 2000  # the penalty's cost grows with their square
ACTIVE_VARIANCE = 0.01


def posterior_draws(model: Model, x: Array, y: Array | None = None, *, seed: int = 0) -> Array:
    """One draw of q(z|x) for each row, (N, Z); the code itself where the encoder is not Gaussian."""
    if not model.has_posterior:
        return model.encode(x, y)
    mu, sigma = model.posterior(x, y)
    empty = model.backend.xp.empty(mu.shape, model.dtype)
    eps = streams.normal(model.backend, streams.check_seed(seed), streams.POSTERIOR, 0, streams.row_numbers(len(mu)), empty)
    return np.asarray(mu + sigma * model.backend.to_host(eps))


def latent_summary(model: Model, x: Array, y: Array | None = None, *, seed: int = 0) -> dict[str, Any]:
    """MMD^2 of drawn codes against as many draws of the prior, and the number of active units."""
    chosen = some_indices(len(x), ROWS, seed)
    x, y, rows = x[chosen], None if y is None else y[chosen], len(chosen)
    z, means = posterior_draws(model, x, y, seed=seed), model.encode(x, y)
    active = int((means.var(axis=0) > ACTIVE_VARIANCE).sum())
    value = None  # of one row there are no pairs
    if rows > 1:
        backend = model.backend
        z, w = backend.from_host(z), backend.from_host(model.prior(rows, seed))
        found, _ = backend.kernel("mmd_rbf")(z, w, 2.0 * model.latent, backend.xp.empty_like(z))
        [value] = backend.read([found])
    return {"mmd_to_prior": value, "rows": rows, "active_units": active, "latent": model.latent}
