"""Claim: given the label, the code of a conditional VAE need not hold the class."""

from __future__ import annotations

from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trained, Trainings, some_of
from npae.evaluation.probe import logistic_accuracy
from npae.evaluation.purity import chance_purity

ROWS = 10_000


def label_accuracy(trained: Trained, seed: int) -> float:
    """How well the class can be read off the posterior means by a linear classifier."""
    (x, labels), (test, test_labels) = some_of(trained.train, ROWS, seed), some_of(trained.test, ROWS, seed)
    conditional = trained.model.companion == "labels"
    codes = trained.model.encode(x, labels if conditional else None)
    return logistic_accuracy(codes, labels, trained.model.encode(test, test_labels if conditional else None), test_labels)


def measure(trainings: Trainings, seed: int) -> Seen:
    """Accuracy from the codes of a CVAE and of a VAE."""
    settings = {"latent": 8, "hidden": [256], "epochs": 20, "learning_rate": 1e-3}
    vae, cvae = trainings("vae", seed, **settings), trainings("cvae", seed, **settings)
    assert vae.test.labels is not None
    chance = chance_purity(vae.test.labels)
    numbers = {"class from a VAE's z": label_accuracy(vae, seed), "class from a CVAE's z": label_accuracy(cvae, seed), "by chance": chance}
    return Seen(numbers, numbers["class from a CVAE's z"] - chance < numbers["class from a VAE's z"] - numbers["class from a CVAE's z"])


CLAIM = Claim(
    name="labels-free-latent",
    statement="Labels free the latent space from the class",
    source="lecture notes, 'Class-conditional VAE'",
    how="test accuracy of a logistic regression that reads the class off the posterior means, 784-256-8, 20 epochs; holds where the CVAE's "
    "is nearer to chance than to the VAE's",
    measure=measure,
)
