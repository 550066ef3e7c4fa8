"""The linear autoencoder reaches PCA: its error and its subspace, on real digits, also through hidden layers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits

from npae.backend import Array
from npae.errors import InputError
from npae.layers import Dense
from npae.models import LinearAE, model_class
from npae.optim import Adam, Schedule

LATENT = 4


@pytest.fixture(scope="module")
def digits() -> Array:
    """150 digits in [0, 1]."""
    rows: Array = load_digits().data[:150] / 16
    return rows


def _trained(x: Array, hidden: tuple[int, ...]) -> LinearAE:
    model = LinearAE(64, hidden, LATENT, dtype="float64")
    adam = Adam(model.parameters, 0.03, schedule=Schedule("cosine", total=1000))
    for _ in range(1000):
        model.loss_and_grad(x)
        adam.update()
    return model


@pytest.mark.parametrize("hidden", [(), (20,)])
def test_it_reaches_the_error_and_the_subspace_of_the_principal_components(hidden: tuple[int, ...], digits: Array) -> None:
    model = _trained(digits, hidden)
    centred = digits - digits.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    pca = float((singular[LATENT:] ** 2).sum()) / len(digits)
    assert model.loss(digits).total == pytest.approx(pca, rel=1e-3)
    origin = model.decode(np.zeros((1, LATENT)))
    spanned = model.decode(np.eye(LATENT)) - origin
    assert np.degrees(subspace_angles(spanned.T, axes[:LATENT].T)).max() < 5
    np.testing.assert_allclose(model.reconstruct(digits), digits.mean(axis=0) + centred @ axes[:LATENT].T @ axes[:LATENT], atol=0.05)


def test_there_is_no_activation_anywhere() -> None:
    model = LinearAE(6, (5, 4), 2)
    layers = [*model.encoder.layers, *model.decoder.layers]
    assert {type(layer) for layer in layers} == {Dense}
    assert [layer.b.shape for layer in layers if isinstance(layer, Dense)] == [(5,), (4,), (2,), (4,), (5,), (6,)]


def test_what_would_bend_it_is_no_option() -> None:
    assert model_class("linear") is LinearAE
    for option in ("activation", "output", "dropout", "reconstruction"):
        with pytest.raises(TypeError, match=option):
            LinearAE(6, **{option: "tanh"})  # type: ignore[arg-type]


def test_a_width_that_is_none_is_refused_as_everywhere() -> None:
    with pytest.raises(InputError, match="latent 0 is not a width"):
        LinearAE(6, latent=0)
