"""Claim: at equal dimension the codes of an autoencoder reconstruct better than principal components."""

from __future__ import annotations

from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trainings
from npae.evaluation.evaluate import squared_error
from npae.evaluation.pca import fit_pca

SIZES = (2, 8, 32)


def measure(trainings: Trainings, seed: int) -> Seen:
    """Test error of both, for each size of the code."""
    numbers: dict[str, float] = {}
    better = []
    for k in SIZES:
        trained = trainings("ae", seed, latent=k, hidden=[256], epochs=20, learning_rate=1e-3)
        x = trained.test.rows
        mine, theirs = squared_error(x, trained.model.reconstruct(x)), squared_error(x, fit_pca(trained.train.rows, k).reconstruct(x))
        numbers |= {f"AE, {k} numbers": mine, f"PCA, {k} components": theirs}
        better.append(mine < theirs)
    return Seen(numbers, all(better))


CLAIM = Claim(
    name="pca",
    statement="An autoencoder's code reconstructs better than as many principal components",
    source="lecture notes, 'Autoencoders'",
    how="squared error per pixel on the test rows, AE 784-256-k (20 epochs) beside PCA fitted to the same training rows; "
    "holds where the AE's is lower for k = 2, 8 and 32",
    measure=measure,
)
