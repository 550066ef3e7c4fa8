"""The evidence lower bound and its importance-weighted tightening, in nats per row.

    log w_k = log p(x|z_k) + log p(z_k) - log q(z_k|x)          z_k ~ q(z|x), k = 1 .. K

    ELBO  = E[log w_k]                                           <= log p(x)
    IWAE  = E[log (1/K) sum_k w_k]                               ELBO <= IWAE <= log p(x), tighter with K

Sources: Kingma & Welling 2014; Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders".
Only a model with a Gaussian posterior and a likelihood (Bernoulli or Gaussian) has them; anything else raises InputError.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import logsumexp

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError
from npae.layers import inference
from npae.losses import Reconstruction, SquaredError
from npae.losses.log_likelihood import LOG_2PI, log_likelihood_rows
from npae.models import Model

DECODED = 10_000  # codes at a time: rows times samples


def is_likelihood(likelihood: Reconstruction) -> bool:
    """Whether a reconstruction loss is -log p(x|z) of a distribution (a bare squared error is not)."""
    return not isinstance(likelihood, SquaredError)


def bounds(model: Model, x: Array, y: Array | None = None, *, samples: int = 100, seed: int = 0) -> dict[str, Any]:
    """ELBO and importance-weighted bound, mean over the rows of x with their standard errors, in nats per row."""
    if samples < 1:
        raise InputError(f"samples {samples}: the bound needs at least 1 importance sample")
    log_w = log_weights(model, x, y, samples=samples, seed=seed)
    elbo, iwae = log_w.mean(axis=1), logsumexp(log_w, axis=1) - math.log(samples)
    root = math.sqrt(len(x))
    return {
        "elbo": float(elbo.mean()),
        "elbo_standard_error": float(elbo.std(ddof=1) / root) if len(x) > 1 else None,
        "importance_weighted": float(iwae.mean()),
        "importance_weighted_standard_error": float(iwae.std(ddof=1) / root) if len(x) > 1 else None,
        "importance_samples": samples,
        "rows": len(x),
    }


def log_weights(model: Model, x: Array, y: Array | None = None, *, samples: int, seed: int = 0) -> Array:
    """log w (N, K): `samples` draws of log p(x|z) p(z) / q(z|x) for every row; y its labels, where the model reads them."""
    return log_weights_under(model, *model.posterior(x, y), x, y, samples=samples, seed=seed)


def log_weights_under(model: Model, mu: Array, sigma: Array, x: Array, y: Array | None = None, *, samples: int, seed: int = 0) -> Array:
    """The same with N(mu, sigma^2) as q(z|x), whoever found it: mu sigma (N, Z). The draws of eps depend on the seed alone."""
    given = model.check_companion(y, len(x)) if model.companion == "labels" else ()
    parts = enumerate(_parts(len(x), samples))
    return np.concatenate(
        [_log_weights(model, x[part], mu[part], sigma[part], samples, seed, step, *(one[part] for one in given)) for step, part in parts]
    )


def _parts(rows: int, samples: int) -> list[slice]:
    step = max(1, DECODED // samples)
    return [slice(start, start + step) for start in range(0, rows, step)]


def _log_weights(model: Model, x: Array, mu: Array, sigma: Array, samples: int, seed: int, step: int, *given: Array) -> Array:
    """log w (B, K) for one part of the rows."""
    n, z_size = mu.shape
    eps = model.backend.xp.empty((n * samples, z_size), model.dtype)
    streams.normal(model.backend, streams.check_seed(seed), streams.EVALUATE, step, streams.row_numbers(n * samples), eps)
    eps = model.backend.to_host(eps)
    z = np.repeat(mu, samples, axis=0) + np.repeat(sigma, samples, axis=0) * eps
    with inference(model):
        y = model.backend.to_host(model.decoded(model.backend.from_host(z), *(model.backend.xp.repeat(one, samples) for one in given)))
    log_p_x = log_likelihood_rows(model.likelihood, y.astype(np.float64), np.repeat(x.astype(np.float64), samples, axis=0))
    wide_z, wide_eps = z.astype(np.float64), eps.astype(np.float64)
    log_p_z = -0.5 * (wide_z**2 + LOG_2PI).sum(axis=1)
    log_q_z = -0.5 * (wide_eps**2 + LOG_2PI).sum(axis=1) - np.repeat(np.log(sigma.astype(np.float64)).sum(axis=1), samples)
    return np.asarray(log_p_x + log_p_z - log_q_z).reshape(n, samples)
