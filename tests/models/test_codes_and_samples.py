"""What a model is for: encode, decode, reconstruct, sample; the names of its tensors; and the options that a checkpoint stores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.inspection.subjects import MODEL_FORMS
from npae.losses import GaussianLearned
from npae.models import AE, MODELS, VAE, WAE, Model, model_class
from npae.models.model import CHUNK

Make = Callable[..., Model]


def test_the_tensors_of_a_vae_have_these_names_in_this_order() -> None:
    assert VAE(12, (9, 7), 4).parameters.names() == [
        "encoder.0.W",
        "encoder.0.b",
        "encoder.2.W",
        "encoder.2.b",
        "encoder.4.mu.W",
        "encoder.4.mu.b",
        "encoder.4.s.W",
        "encoder.4.s.b",
        "decoder.0.W",
        "decoder.0.b",
        "decoder.2.W",
        "decoder.2.b",
        "decoder.4.W",
        "decoder.4.b",
    ]


def test_widths_go_down_to_the_code_and_up_again() -> None:
    shapes = {name: AE(12, (9, 7), 4).parameters[name].shape for name in AE(12, (9, 7), 4).parameters if name.endswith("W")}
    assert list(shapes.values()) == [(12, 9), (9, 7), (7, 4), (4, 7), (7, 9), (9, 12)]
    without = AE(12, (), 4).parameters
    assert [without[name].shape for name in without] == [(12, 4), (4,), (4, 12), (12,)]


def test_every_parameter_belongs_to_a_part_and_all_get_a_gradient(make: Make, x: Array, y: Array | None) -> None:
    model = make()
    model.loss_and_grad(x, y, noise=model.draw(0, 0, 20))
    learned = {"likelihood"} if isinstance(model.likelihood, GaussianLearned) else set()
    network = {"encoder"} if model.has_encoder and model.kind != "em-vae" else set()  # there each row's posterior is its own
    players = {player for player in model.players if player != "encoder"}
    assert {name.split(".")[0] for name in model.parameters} == {"decoder"} | network | players | learned
    assert all(model.parameters[name].grad.any() for name in model.parameters)


def test_shapes_and_dtypes_of_what_a_model_returns(make: Make, x: Array, y: Array | None) -> None:
    for dtype in ("float32", "float64"):
        model = make(dtype=dtype)
        if not model.has_encoder:
            assert (model.sample(20).shape, model.sample(20).dtype) == ((20, 12), np.dtype(dtype))
            continue
        codes, images = model.encode(x, y), model.reconstruct(x, y)
        assert (codes.shape, images.shape) == ((20, 4), (20, model.outputs))
        assert codes.dtype == images.dtype == model.decode(codes, y).dtype == np.dtype(dtype)
        np.testing.assert_array_equal(model.decode(codes, y), images)


def test_the_code_of_a_gaussian_encoder_is_the_posteriors_mean(x: Array) -> None:
    for model in (VAE(12, (9,), 4), WAE(12, (9,), 4, posterior="sigma")):
        mu, sigma = model.posterior(x)
        np.testing.assert_array_equal(model.encode(x), mu)
        assert (sigma > 0).all()
        assert mu.shape == sigma.shape == (20, 4)


@pytest.mark.parametrize("rows", [1, CHUNK - 1, CHUNK, CHUNK + 1])
def test_a_whole_data_set_is_encoded_in_chunks_row_by_row(rows: int) -> None:
    model = VAE(6, (5,), 2, dtype="float64")
    data = np.random.default_rng(0).random((rows, 6))
    codes, sigma = model.posterior(data)
    assert len(codes) == rows
    for row in {0, rows // 2, rows - 1}:
        np.testing.assert_allclose(model.encode(data[row : row + 1])[0], codes[row], rtol=1e-12)
        np.testing.assert_allclose(model.posterior(data[row : row + 1])[1][0], sigma[row], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float16", "float64"])
def test_numbers_of_any_kind_are_taken_and_layout_does_not_matter(dtype: str) -> None:
    model = VAE(12, (9,), 4)
    data = np.random.default_rng(0).integers(0, 2, (20, 12)).astype(dtype)
    expected = model.encode(data.astype(np.float32))
    np.testing.assert_array_equal(model.encode(data), expected)
    np.testing.assert_array_equal(model.encode(np.asfortranarray(data)), expected)
    np.testing.assert_array_equal(model.encode(np.repeat(data, 2, axis=0)[::2]), expected)
    np.testing.assert_array_equal(model.encode(data.tolist()), expected)


def test_a_bernoulli_decoder_gives_probabilities_and_a_gaussian_one_its_mean() -> None:
    z = 100 * np.random.default_rng(0).standard_normal((50, 4))
    for reconstruction in ("bernoulli", "bernoulli_probabilities"):
        p = VAE(12, (9,), 4, reconstruction=reconstruction).decode(z)
        assert 0 <= p.min() < 0.01 < 0.99 < p.max() <= 1
    assert np.abs(VAE(12, (9,), 4, reconstruction="gaussian").decode(z)).max() > 1


def test_samples_are_decoded_prior_draws_and_depend_on_the_seed_alone() -> None:
    model = VAE(12, (9,), 4)
    first = model.sample(6, seed=1)
    np.testing.assert_array_equal(first, model.decode(model.prior(6, 1)))
    np.testing.assert_array_equal(model.sample(10, seed=1)[:6], first)
    assert (model.sample(6, seed=2) != first).any(axis=1).all()
    z = model.prior(50_000, 0)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=4 / np.sqrt(50_000))
    np.testing.assert_allclose(z.std(axis=0), 1, atol=4 / np.sqrt(100_000))


def test_samples_do_not_repeat_the_noise_of_training_or_one_another() -> None:
    model = WAE(12, (9,), 4)
    noise = model.draw(1, 0, 6)
    drawn = [model.prior(6, 1), noise.eps, noise.prior]
    for first in range(3):
        for second in range(first):
            assert (drawn[first] != drawn[second]).all()


@pytest.mark.parametrize("latent", [1, 3])
def test_an_autoencoder_samples_codes_with_the_mean_and_covariance_of_those_it_is_shown(
    latent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = AE(12, (9,), latent, dtype="float64")
    like = np.random.default_rng(0).random((500, 12))
    codes = model.encode(like)
    seen: list[Array] = []

    def decode(self: Model, z: Array, y: Array | None = None) -> Array:
        seen.append(z)
        return z

    monkeypatch.setattr(AE, "decode", decode)
    model.sample(40_000, seed=3, like=like)
    (z,) = seen
    covariance = np.cov(codes, rowvar=False).reshape(latent, latent)
    scale = np.sqrt(np.diag(covariance))
    np.testing.assert_array_less(np.abs(z.mean(axis=0) - codes.mean(axis=0)), 4 * scale / 200)
    np.testing.assert_allclose(np.cov(z, rowvar=False).reshape(latent, latent), covariance, atol=0.04 * scale.max() ** 2)


def test_an_autoencoders_samples_are_images_and_repeat_with_their_seed(x: Array) -> None:
    model = AE(12, (9,), 4)
    first = model.sample(6, seed=1, like=x)
    assert first.shape == (6, 12)
    np.testing.assert_array_equal(model.sample(6, seed=1, like=x), first)
    assert (model.sample(6, seed=2, like=x) != first).any()


def test_the_constructors_arguments_are_remembered_defaults_included(make: Make) -> None:
    model = make(dtype="float64", backend="numpy")
    again = type(model)(**model.spec)
    assert again.spec == model.spec
    assert {"features", "hidden", "latent", "initialiser", "seed", "dtype", "backend"} <= set(model.spec)
    assert again.parameters.names() == model.parameters.names()


def test_the_same_seed_starts_the_same_model_on_both_backends_and_in_both_dtypes() -> None:
    for name, kind in MODELS.items():
        sizes = {**MODEL_FORMS[name][1], "seed": 4, "dtype": "float64"}
        starts = [kind(12, **{**sizes, "backend": backend}).parameters.value for backend in ("numpy", "numba")]
        np.testing.assert_array_equal(starts[0], starts[1])
        np.testing.assert_array_equal(kind(12, **{**sizes, "dtype": "float32"}).parameters.value, starts[0].astype(np.float32))
        assert (kind(12, **{**sizes, "seed": 5}).parameters.value != starts[0]).any()


def test_models_are_found_by_their_kind() -> None:
    assert (model_class("ae"), model_class("vae"), model_class("wae")) == (AE, VAE, WAE)
    assert all(model.kind == kind and model.summary for kind, model in MODELS.items())


@pytest.mark.parametrize(("option", "ending"), [({"code_activation": "tanh"}, "Tanh"), ({}, "Dense")])
def test_the_code_activation_ends_the_encoder(option: dict[str, Any], ending: str) -> None:
    assert type(AE(12, (9,), 4, **option).encoder.layers[-1]).__name__ == ending


def test_dropout_follows_every_hidden_activation_and_neither_the_code_nor_the_output() -> None:
    model = AE(12, (9, 7), 4, dropout=0.1, activation="tanh")
    names = ["Dense", "Tanh", "Dropout", "Dense", "Tanh", "Dropout", "Dense"]
    assert [type(layer).__name__ for layer in model.encoder.layers] == names
    assert [type(layer).__name__ for layer in model.decoder.layers] == names


def test_one_row_is_a_sample_and_a_data_set() -> None:
    model = VAE(12, (9,), 4)
    assert model.sample(1).shape == model.reconstruct(np.zeros((1, 12))).shape == (1, 12)
