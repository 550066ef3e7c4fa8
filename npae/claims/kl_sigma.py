"""Claim: it is the KL term that keeps the posterior from shrinking to a point."""

from __future__ import annotations

import numpy as np

from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trainings

SHARE = 0.1


def measure(trainings: Trainings, seed: int) -> Seen:
    """The posterior's sigma on the test rows, with and without the KL term."""
    numbers: dict[str, float] = {}
    for name, beta in (("with the KL", 1.0), ("without", 0.0)):
        trained = trainings("vae", seed, latent=8, hidden=[256], epochs=20, learning_rate=1e-3, beta=beta)
        _, sigma = trained.model.posterior(trained.test.rows)
        numbers |= {f"median sigma, {name}": float(np.median(sigma)), f"1st percentile, {name}": float(np.quantile(sigma, 0.01))}
    mu, _ = trained.model.posterior(trained.test.rows)
    numbers["spread of the means, without"] = float(np.median(mu.std(axis=0)))
    return Seen(
        numbers, numbers["median sigma, without"] / numbers["spread of the means, without"] < SHARE * numbers["median sigma, with the KL"]
    )


CLAIM = Claim(
    name="kl-sigma",
    statement="The VAE's KL term keeps sigma off zero",
    source="lecture notes, point-mass argument; Keras document, KL off",
    how="VAE 784-256-8, 20 epochs, beta 1 and 0; sigma on the test rows; without a KL the codes may also spread, so sigma is taken "
    f"relative to the spread of the means there; holds where that is less than {SHARE} of the median sigma with the KL",
    measure=measure,
)
