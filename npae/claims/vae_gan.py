"""Claim: the samples of a GAN look better than those of a VAE, and cover less of the data."""

from __future__ import annotations

from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trainings, some_of
from npae.evaluation.precision_recall import precision_recall

ROWS = 2000


def measure(trainings: Trainings, seed: int) -> Seen:
    """Precision and recall of the samples of a VAE, a GAN and a WAE with the same decoder."""
    settings = {"latent": 16, "hidden": [256], "epochs": 30}
    models = {
        "VAE": trainings("vae", seed, learning_rate=1e-3, **settings),
        "GAN": trainings("gan", seed, **settings),
        "WAE": trainings("wae", seed, learning_rate=1e-3, **settings),
    }
    real, _ = some_of(models["VAE"].test, ROWS, seed)
    classifier = trainings.classifier(seed, models["VAE"].train)
    features = classifier.features(real)
    numbers: dict[str, float] = {}
    for name, trained in models.items():
        found = precision_recall(features, classifier.features(trained.model.sample(len(real), seed=seed)))
        numbers |= {f"{name}: precision": found.precision, f"{name}: recall": found.recall}
    better = numbers["GAN: precision"] > numbers["VAE: precision"]
    return Seen(numbers, better and numbers["GAN: recall"] < numbers["VAE: recall"])


CLAIM = Claim(
    name="vae-gan",
    statement="GAN samples look better than a VAE's and underestimate the entropy of the data",
    source="Keras document, 'VAE vs. GAN'",
    how=f"decoder 16-256-784, 30 epochs each; precision (quality) and recall (coverage) of {ROWS} samples beside as many test images, in "
    "the feature space of a classifier trained here; holds where the GAN has the higher precision and the lower recall",
    measure=measure,
)
