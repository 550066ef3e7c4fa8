"""The paired autoencoder: its loss looks at the target alone, in text and in numbers, and what targets it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

import npae
from npae.backend import Array
from npae.errors import InputError
from npae.models import Paired

B, F, L, A = 9, 6, 2, 4
RNG = np.random.default_rng(0)
X = 3 * RNG.standard_normal((B, F))  # of any range: no loss looks at it
TEXT = np.eye(A)[RNG.integers(0, A, (B, L))].reshape(B, L * A)


def _model(**options: Any) -> Paired:
    sizes = {"hidden": (5,), "latent": 3, "target_features": L * A, "symbols": A, "dtype": "float64", "backend": "numpy", "seed": 1}
    model = Paired(F, **{**sizes, **options})
    model.parameters.value += (0.1 * np.random.default_rng(2).standard_normal(len(model.parameters))).astype(model.dtype)
    return model


def _logits(model: Paired, x: Array) -> Array:
    w = {name: model.parameters[name].value for name in model.parameters.names()}
    h = np.maximum(x @ w["encoder.0.W"] + w["encoder.0.b"], 0)
    z = h @ w["encoder.2.W"] + w["encoder.2.b"]
    logits: Array = np.maximum(z @ w["decoder.0.W"] + w["decoder.0.b"], 0) @ w["decoder.2.W"] + w["decoder.2.b"]
    return logits


def test_the_loss_of_text_is_the_mean_negative_log_probability_of_the_target() -> None:
    model = _model()
    log_p = special.log_softmax(_logits(model, X).reshape(B, L, A), axis=2)
    assert model.loss(X, TEXT).total == pytest.approx(-(log_p * TEXT.reshape(B, L, A)).sum() / B, rel=1e-12)
    np.testing.assert_allclose(model.reconstruct(X), np.exp(log_p).reshape(B, L * A), rtol=1e-10)


def test_the_loss_of_numbers_is_their_squared_error_from_the_target_and_not_from_x() -> None:
    y = RNG.standard_normal((B, 2))
    model = _model(target_features=2, symbols=None, reconstruction="squared_error")
    assert model.loss(X, y).total == pytest.approx(((_logits(model, X) - y) ** 2).sum() / B, rel=1e-12)
    assert model.reconstruct(X).shape == (B, 2)


def test_its_gradient_can_be_checked_on_a_users_batch() -> None:
    assert npae.gradcheck(_model(dtype="float32"), X, TEXT).passed


def test_it_learns_a_map_that_no_copy_of_x_would_be() -> None:
    x = RNG.standard_normal((600, F))
    y = np.eye(2)[(x[:, :L] * x[:, L : 2 * L] > 0).astype(int)].reshape(600, 2 * L)
    model = Paired(F, (32,), 8, target_features=2 * L, symbols=2, backend="numpy", seed=1)
    npae.fit(model, x[:500], y[:500], epochs=60, learning_rate=5e-3, batch_size=50)
    said = model.reconstruct(x[500:]).reshape(100, L, 2).argmax(axis=2)
    assert (said == y[500:].reshape(100, L, 2).argmax(axis=2)).mean() > 0.85


@pytest.mark.parametrize(
    ("options", "y", "message"),
    [
        ({}, None, r"this paired needs a target for each row: pass y of shape \(9, 8\)"),
        ({}, TEXT[:, :4], r"targets of shape \(9, 4\) for 9 rows: this paired expects \(9, 8\)"),
        ({}, TEXT * 0.5, r"targets: row 0, place 0 has 0\.5 symbols of 4: one is expected at each place, one-hot"),
        ({}, 2 * TEXT - 1, r"targets range over \[-1, 1\]: reconstruction 'categorical' needs them in \[0, 1\]"),
        ({"reconstruction": "bernoulli"}, 3 * TEXT, r"targets range over \[0, 3\]: reconstruction 'bernoulli' needs them in \[0, 1\]"),
    ],
)
def test_targets_that_the_loss_cannot_read_are_refused(options: dict[str, Any], y: Any, message: str) -> None:
    model = _model(**options)
    for call in (model.loss, model.loss_and_grad):
        with pytest.raises(InputError, match=message):
            call(X, y)


def test_a_model_for_text_needs_the_number_of_symbols_and_places_that_are_whole() -> None:
    with pytest.raises(InputError, match="take --set reconstruction=squared_error"):
        _model(symbols=None)
    with pytest.raises(InputError, match="target_features 7: text in 4 symbols has a multiple of 4"):
        _model(target_features=7)


def test_there_is_nothing_to_sample_from() -> None:
    with pytest.raises(InputError, match="a paired model has no prior to sample from"):
        _model().sample(3)


def test_it_comes_back_from_its_file_with_its_symbols(tmp_path: Path) -> None:
    model = _model(dtype="float32")
    again = npae.load(npae.save(model, tmp_path / "model.safetensors"), backend="numpy")
    assert (again.spec["target_features"], again.spec["symbols"]) == (L * A, A)
    np.testing.assert_array_equal(again.reconstruct(X), model.reconstruct(X))
