"""Claim: the codes of a WAE, taken together, follow the prior; those of a VAE need not."""

from __future__ import annotations

import numpy as np

from npae import noise as streams
from npae.backend import Array
from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trained, Trainings, some_of
from npae.evaluation.two_sample import two_sample_test

ROWS = 2000
LEVEL = 0.05


def drawn_codes(trained: Trained, rows: int, seed: int) -> Array:
    """z ~ q(z|x), one for each of some test rows: draws of the aggregated posterior."""
    x, _ = some_of(trained.test, rows, seed)
    model = trained.model
    mu, sigma = model.posterior(x)
    empty = model.backend.xp.empty(mu.shape, mu.dtype)
    eps = streams.normal(model.backend, seed, streams.EVALUATE, 1, streams.row_numbers(len(x)), empty)
    return np.asarray(mu + sigma * model.backend.to_host(eps))


def measure(trainings: Trainings, seed: int) -> Seen:
    """MMD^2 to the prior and its p-value, for both."""
    numbers: dict[str, float] = {}
    p_values = {}
    for name in ("vae", "wae"):
        trained = trainings(f"flux-{name}", seed)
        z = drawn_codes(trained, ROWS, seed)
        found = two_sample_test(z, trained.model.prior(len(z), seed), permutations=1000, seed=seed)
        numbers |= {f"{name.upper()}: MMD²": found.mmd2, f"{name.upper()}: p": found.p_value}
        p_values[name] = found.p_value
    return Seen(numbers, p_values["wae"] > LEVEL >= p_values["vae"])


CLAIM = Claim(
    name="prior-match",
    statement="A WAE's aggregated posterior matches the prior where a VAE's does not",
    source="Flux document, 'Wasserstein Autoencoder'",
    how=f"flux-vae and flux-wae as published; {ROWS} draws of the aggregated posterior (test rows) against as many of the prior: MMD "
    f"permutation test, p = (1 + #)/(1 + N), N = 1000; holds where the VAE's p is at most {LEVEL} and the WAE's above it",
    measure=measure,
)
