"""Claim: a random code of a plain, unregularised autoencoder decodes to nothing meaningful."""

from __future__ import annotations

import numpy as np

from npae.backend import Array
from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trained, Trainings, some_of
from npae.evaluation.precision_recall import precision_recall
from npae.noise import check_seed

ROWS = 2000


def box_codes(trained: Trained, rows: int, seed: int) -> Array:
    """Codes drawn uniformly from the box that the training codes fill: random, but not out of range."""
    codes = trained.model.encode(trained.train.rows)
    uniform = np.random.Generator(np.random.Philox(check_seed(seed))).uniform(size=(rows, codes.shape[1]))
    low, high = codes.min(axis=0), codes.max(axis=0)
    return np.asarray(low + uniform * (high - low), codes.dtype)


def measure(trainings: Trainings, seed: int) -> Seen:
    """The share of decoded random codes that look like data, for both."""
    ae = trainings("ae", seed, latent=8, hidden=[128], epochs=20, learning_rate=1e-3)
    vae = trainings("vae", seed, latent=8, hidden=[128], epochs=20, learning_rate=1e-3)
    real, _ = some_of(ae.test, ROWS, seed)
    classifier = trainings.classifier(seed, ae.train)
    drawn = {
        "AE, codes from the box of its codes": ae.model.decode(box_codes(ae, len(real), seed)),
        "AE, codes from N(0, I)": ae.model.decode(ae.model.prior(len(real), seed)),
        "VAE, codes from N(0, I)": vae.model.sample(len(real), seed=seed),
    }
    features = classifier.features(real)
    numbers = {name: precision_recall(features, classifier.features(x)).precision for name, x in drawn.items()}
    return Seen(numbers, max(list(numbers.values())[:2]) < numbers["VAE, codes from N(0, I)"] / 2)


CLAIM = Claim(
    name="random-codes",
    statement="A random code of a plain autoencoder decodes to nothing meaningful",
    source="Keras document, 'Limitations of autoencoders'; lecture notes",
    how=f"precision (share of {ROWS} decoded codes within the k-NN manifold of as many test images, in the feature space of a classifier "
    "trained here); holds where the AE's, from the box of its own codes and from N(0, I), are less than half of a VAE's",
    measure=measure,
)
