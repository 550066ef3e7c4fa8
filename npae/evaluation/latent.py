"""What the codes look like beside the prior.

MMD^2(aggregated posterior, prior)     RBF kernel with the prior's bandwidth 2 Z, unbiased: about 0 where they agree
active units                           latent units whose posterior mean varies: Var_x(mu_z) > 0.01           Burda et al. 2016
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array
from npae.evaluation.subset import some_rows
from npae.models import VAE, WAE

ROWS = 2000  # the penalty's cost grows with their square
ACTIVE_VARIANCE = 0.01


def latent_summary(model: VAE | WAE, x: Array, *, seed: int = 0) -> dict[str, Any]:
    """MMD^2 of drawn codes against as many draws of the prior, and the number of active units."""
    x = some_rows(x, ROWS, seed)
    z = means = model.encode(x)
    rows = len(x)
    if isinstance(model, VAE) or model.is_gaussian:
        mu, sigma = model.posterior(x)
        z = mu + sigma * model.draw(seed, 0, rows).eps
    active = int((means.var(axis=0) > ACTIVE_VARIANCE).sum())
    value = None  # of one row there are no pairs
    if rows > 1:
        value, _ = model.backend.kernel("mmd_rbf")(z, model.prior(rows, seed), 2.0 * model.latent, np.empty_like(z))
    return {"mmd_to_prior": value, "rows": rows, "active_units": active, "latent": model.latent}
