"""Scores of strange rows: each is what its formula says, high where the row is strange, and refused where a model has none."""

from __future__ import annotations

import numpy as np
import pytest

import npae
from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.detection import baseline_strangeness, rank_all, strangeness
from npae.evaluation.likelihood import bounds
from npae.models import MODELS


@pytest.fixture(scope="module")
def x() -> Array:
    return np.random.default_rng(0).random((40, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def trained() -> npae.VAE:
    """A VAE of rows that lie along one line."""
    rng = np.random.default_rng(1)
    line = rng.random((500, 1)) * np.linspace(0.2, 1.0, 6) * np.array([1, 0, 1, 0, 1, 0])
    model = npae.VAE(6, (16,), 2, backend="numpy")
    npae.fit(model, line.astype(np.float32), epochs=30, learning_rate=0.01)
    return model


def test_the_reconstruction_error_is_the_mean_square_of_each_row(x: Array) -> None:
    model = npae.AE(6, (5,), 2, backend="numpy")
    scores = strangeness(model, x)
    assert list(scores) == ["reconstruction_error"]
    y = model.reconstruct(x)
    expected = [sum((float(a) - float(b)) ** 2 for a, b in zip(mine, other, strict=True)) / 6 for mine, other in zip(x, y, strict=True)]
    np.testing.assert_allclose(scores["reconstruction_error"], expected, rtol=1e-6)


def test_the_likelihood_scores_are_minus_the_bounds_row_by_row(trained: npae.VAE, x: Array) -> None:
    scores = strangeness(trained, x, samples=7, seed=3)
    found = bounds(trained, x, samples=7, seed=3)
    assert scores["negative_elbo"].mean() == pytest.approx(-found["elbo"])
    assert scores["negative_log_likelihood"].mean() == pytest.approx(-found["importance_weighted"])
    assert (scores["negative_log_likelihood"] <= scores["negative_elbo"] + 1e-9).all()


def test_one_sample_makes_both_bounds_one(trained: npae.VAE, x: Array) -> None:
    scores = strangeness(trained, x, samples=1)
    np.testing.assert_allclose(scores["negative_log_likelihood"], scores["negative_elbo"])


def test_rows_off_the_line_are_strange_to_a_model_and_to_the_baselines(trained: npae.VAE) -> None:
    rng = np.random.default_rng(2)
    line = rng.random((300, 1)) * np.linspace(0.2, 1.0, 6) * np.array([1, 0, 1, 0, 1, 0])
    rows = np.concatenate([line[:100], rng.random((50, 6))]).astype(np.float32)
    scores = strangeness(trained, rows) | baseline_strangeness(line[100:].astype(np.float32), rows)
    assert list(scores) == ["reconstruction_error", "negative_elbo", "negative_log_likelihood", "one_class_svm", "isolation_forest"]
    for name, ranking in rank_all(scores, np.arange(150) >= 100).items():
        assert ranking.auroc.value > 0.9, name


def test_a_squared_error_gives_a_vae_no_likelihood_to_score_by(x: Array) -> None:
    assert list(strangeness(npae.VAE(6, (4,), 2, reconstruction="squared_error", backend="numpy"), x)) == ["reconstruction_error"]


def test_a_model_that_reads_labels_cannot_judge_rows_without(x: Array) -> None:
    with pytest.raises(InputError, match="this cvae reads labels, which rows to be judged do not have"):
        strangeness(MODELS["cvae"](6, (4,), 2, classes=3, backend="numpy"), x)  # type: ignore[call-arg]


def test_no_samples_are_refused(trained: npae.VAE, x: Array) -> None:
    with pytest.raises(InputError, match="samples 0"):
        strangeness(trained, x, samples=0)
