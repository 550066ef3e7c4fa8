"""What the claims measure, each number held to one that is worked out another way on the same models."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from npae.claims import Trainings, kl_sigma, labels_free, pca, prior_match, random_codes, sparse_features, wae_reconstruction
from npae.claims.trainings import Trained, some_of
from npae.training.history import History
from npae.training.split import Part


def test_the_errors_of_pca_are_scikit_learns_and_those_of_the_model_its_own(trainings: Trainings) -> None:
    from sklearn.decomposition import PCA

    numbers = pca.measure(trainings, 0).numbers
    for k in pca.SIZES:
        trained = trainings("ae", 0, latent=k, hidden=[256], epochs=20, learning_rate=1e-3)
        x = trained.test.rows.astype(np.float64)
        fitted = PCA(k, svd_solver="full").fit(trained.train.rows.astype(np.float64))
        theirs = ((fitted.inverse_transform(fitted.transform(x)) - x) ** 2).mean()
        mine = ((trained.model.decode(trained.model.encode(trained.test.rows)) - x) ** 2).mean()
        assert numbers[f"PCA, {k} components"] == pytest.approx(theirs, rel=1e-4)
        assert numbers[f"AE, {k} numbers"] == pytest.approx(mine, rel=1e-6)


def test_errors_per_pixel_are_comparable_between_a_sum_and_a_mean(trainings: Trainings) -> None:
    numbers = wae_reconstruction.measure(trainings, 0).numbers
    wae = trainings("flux-wae", 0)
    assert numbers["WAE, last epoch"] == pytest.approx(wae.history[-1]["train"]["reconstruction"] / 64)
    assert numbers["AE, last epoch"] == pytest.approx(trainings("flux-ae", 0).history[-1]["train"]["reconstruction"])


def test_sigma_is_the_posteriors(trainings: Trainings) -> None:
    numbers = kl_sigma.measure(trainings, 0).numbers
    for name, beta in (("with the KL", 1.0), ("without", 0.0)):
        trained = trainings("vae", 0, latent=8, hidden=[256], epochs=20, learning_rate=1e-3, beta=beta)
        assert numbers[f"median sigma, {name}"] == pytest.approx(float(np.median(trained.model.posterior(trained.test.rows)[1])))


def test_codes_of_the_aggregated_posterior_are_draws_and_not_means(trainings: Trainings) -> None:
    trained = trainings("flux-vae", 0)
    x, _ = some_of(trained.test, 200, 3)
    mu, sigma = trained.model.posterior(x)
    eps = (prior_match.drawn_codes(trained, 200, 3) - mu) / sigma
    assert abs(eps.mean()) < 0.1
    assert eps.std() == pytest.approx(1, abs=0.05)


def test_codes_of_the_box_fill_it_and_stay_inside(trainings: Trainings) -> None:
    trained = trainings("ae", 0, latent=8, hidden=[128], epochs=20, learning_rate=1e-3)
    codes, drawn = trained.model.encode(trained.train.rows), random_codes.box_codes(trained, 2000, 0)
    low, high = codes.min(axis=0), codes.max(axis=0)
    assert ((drawn >= low) & (drawn <= high)).all()
    np.testing.assert_allclose((drawn.mean(axis=0) - low) / (high - low), 0.5, atol=0.03)


def coded(encode: Any) -> Trained:
    """Labelled rows and a model that only encodes."""
    labels = np.arange(400) % 4
    part = Part(np.random.default_rng(0).normal(size=(400, 3)) + 3 * np.eye(4, 3)[labels], labels, None, "rows")
    return Trained(SimpleNamespace(companion="labels", encode=encode), History(), part, part)  # type: ignore[arg-type]


def test_a_class_is_found_in_codes_that_hold_it_and_not_in_noise() -> None:
    noise = np.random.default_rng(1)
    assert labels_free.label_accuracy(coded(lambda x, y: np.eye(4)[y]), 0) == 1.0
    assert labels_free.label_accuracy(coded(lambda x, y: noise.normal(size=(len(x), 3))), 0) < 0.5


def test_the_share_of_zeros_is_that_of_the_sparse_codes(trainings: Trainings) -> None:
    numbers = sparse_features.measure(trainings, 0).numbers
    model = trainings("sparse", 0, latent=128, hidden=[256], epochs=20, learning_rate=1e-3)
    assert numbers["sparse codes: share of zeros"] == pytest.approx(float((model.model.encode(model.test.rows) == 0).mean()))
    assert 0.5 < numbers["raw pixels"] < 1
