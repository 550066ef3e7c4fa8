"""Claim: sparse codes make features for a classifier."""

from __future__ import annotations

from collections.abc import Callable

from npae.backend import Array
from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trainings, some_of
from npae.evaluation.pca import fit_pca
from npae.evaluation.probe import logistic_accuracy

WIDTH = 128
TRAIN, TEST = 10_000, 10_000


def measure(trainings: Trainings, seed: int) -> Seen:
    """Accuracy of a logistic regression on codes, on principal components, and on raw pixels."""
    settings = {"latent": WIDTH, "hidden": [256], "epochs": 20, "learning_rate": 1e-3}
    sparse = trainings("sparse", seed, **settings)
    plain = trainings("ae", seed, code_activation="relu", **settings)
    (x, labels), (test, test_labels) = some_of(sparse.train, TRAIN, seed), some_of(sparse.test, TEST, seed)
    pca = fit_pca(x, min(WIDTH, x.shape[1]))
    spaces: dict[str, Callable[[Array], Array]] = {
        "sparse codes": sparse.model.encode,
        "plain AE's codes": plain.model.encode,
        "principal components": lambda rows: (rows - pca.mean) @ pca.axes,
        "raw pixels": lambda rows: rows,
    }
    numbers = {name: logistic_accuracy(space(x), labels, space(test), test_labels) for name, space in spaces.items()}
    numbers["sparse codes: share of zeros"] = float((sparse.model.encode(test) == 0).mean())
    return Seen(numbers, numbers["sparse codes"] > numbers["raw pixels"])


CLAIM = Claim(
    name="sparse-features",
    statement="Sparse codes make features for a classifier",
    source="Keras document, 'Sparse autoencoder'",
    how=f"accuracy on the test rows of a logistic regression fitted to {TRAIN:,} training rows, on {WIDTH} numbers: sparse codes (L1), a "
    "plain AE's codes, principal components, and on raw pixels; holds where the sparse codes beat the raw pixels",
    measure=measure,
)
