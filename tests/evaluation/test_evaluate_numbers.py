"""What `npae evaluate` says about a model, number by number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

import npae
from npae.backend import Array
from npae.evaluation.evaluate import evaluate, squared_error
from npae.evaluation.likelihood import is_likelihood
from npae.models import MODELS

F = 6
OPTIONS: dict[str, Any] = {"batch_size": 20, "seed": 3, "samples": 5, "likelihood_rows": 30}


@pytest.fixture(scope="module")
def parts() -> tuple[Array, Array]:
    """Training rows and others, in [0, 1]."""
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((260, 2))
    x = 1 / (1 + np.exp(-codes @ rng.standard_normal((2, F)) - 0.3 * rng.standard_normal((260, F))))
    return x[:200], x[200:]


@pytest.mark.parametrize("kind", [kind for kind, model in MODELS.items() if model.has_encoder and model.companion is None])
def test_each_number_is_what_it_says(kind: str, parts: tuple[Array, Array]) -> None:
    train, x = parts
    model = MODELS[kind](F, hidden=(5,), latent=2, dtype="float64", backend="numpy")
    found = evaluate(model, x, train, **OPTIONS)
    y = model.reconstruct(x)
    assert found["rows"] == 60
    assert found["squared_error_per_feature"] == pytest.approx(np.mean((x - y) ** 2), rel=1e-12)
    pca = PCA(2, svd_solver="full").fit(train)
    assert found["pca_squared_error_per_feature"] == pytest.approx(np.mean((x - pca.inverse_transform(pca.transform(x))) ** 2), rel=1e-9)
    assert found["pca_components"] == 2
    weighted = sum(found["weights"][name] * value for name, value in found["objective"].items() if name != "total")
    assert found["objective"]["total"] == pytest.approx(weighted, rel=1e-9)
    assert ("codes" in found) == model.has_prior
    assert ("log_likelihood" in found) == (model.has_posterior and is_likelihood(model.likelihood))


def test_the_likelihood_takes_as_many_rows_and_samples_as_it_is_told(parts: tuple[Array, Array]) -> None:
    train, x = parts
    model = npae.VAE(F, (5,), 2, backend="numpy")
    found = evaluate(model, x, train, **OPTIONS)["log_likelihood"]
    assert (found["rows"], found["importance_samples"]) == (30, 5)
    everything = evaluate(model, x, train, **{**OPTIONS, "likelihood_rows": 1000})["log_likelihood"]
    assert everything["rows"] == 60


def test_a_part_of_the_rows_is_a_sample_of_them_and_not_their_beginning(parts: tuple[Array, Array]) -> None:
    """Rows sorted by class, as the test rows of binarized-mnist are: the first of them are of one class alone."""
    train, _ = parts
    x = np.concatenate([np.full((100, F), 0.5), np.full((100, F), 0.999)])
    model = npae.VAE(F, (5,), 2, backend="numpy", reconstruction="gaussian", eta=0.1)
    whole = evaluate(model, x, train, **{**OPTIONS, "likelihood_rows": 200})["log_likelihood"]["elbo"]
    some = evaluate(model, x, train, **{**OPTIONS, "likelihood_rows": 50})["log_likelihood"]["elbo"]
    first = evaluate(model, x[:50], train, **{**OPTIONS, "likelihood_rows": 50})["log_likelihood"]["elbo"]
    assert abs(some - whole) < 0.5 * abs(first - whole)


def test_a_mean_squared_error_is_given_per_image_too(parts: tuple[Array, Array]) -> None:
    train, x = parts
    model = npae.AE(F, (5,), 2, backend="numpy", reconstruction="mean_squared_error")
    found = evaluate(model, x, train, **OPTIONS)
    assert found["reconstruction_per_image"] == pytest.approx(F * found["objective"]["reconstruction"], rel=1e-12)


def test_more_codes_than_features_are_compared_with_all_components(parts: tuple[Array, Array]) -> None:
    train, x = parts
    found = evaluate(npae.AE(F, (5,), 9, backend="numpy"), x, train, **OPTIONS)
    assert found["pca_components"] == F
    assert found["pca_squared_error_per_feature"] < 1e-20


def test_evaluation_does_not_change_the_model(parts: tuple[Array, Array]) -> None:
    train, x = parts
    model = npae.VAE(F, (5,), 2, backend="numpy", dropout=0.3)
    before = model.parameters.value.tobytes()
    first, second = (evaluate(model, x, train, **OPTIONS) for _ in range(2))
    assert first == second
    assert model.parameters.value.tobytes() == before


def test_a_squared_error_is_summed_in_float64() -> None:
    x = np.full((100000, 10), 0.1, np.float32)
    assert squared_error(x, np.zeros_like(x)) == pytest.approx(0.01, rel=1e-6)
