"""Inference by gradient steps on each row's own posterior: where they lead, what they leave alone, and what an encoder adds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from npae.backend import Array, backend
from npae.errors import InputError
from npae.layers import inference
from npae.models import EMVAE, VAE, SemiAmortisedVAE
from npae.models.local import LocalInference

F, Z, ETA = 6, 2, 0.4
X = np.random.default_rng(0).uniform(0.05, 0.95, (9, F))


def make(kind: type[EMVAE] = EMVAE, **options: Any) -> EMVAE:
    """A small one in float64, moved off its start."""
    model = kind(F, (5,), Z, dtype="float64", backend="numpy", seed=2, **options)
    model.parameters.value += 0.3 * np.random.default_rng(1).standard_normal(len(model.parameters))
    return model


def test_many_steps_reach_the_best_gaussian_of_a_linear_decoder() -> None:
    """x = z D + d + noise: the posterior is N(m, P^-1), and the best factorised Gaussian has its mean and the variances 1 / P_jj."""
    model = EMVAE(F, (), Z, inner_steps=2000, inner_rate=0.1, reconstruction="gaussian", eta=ETA, dtype="float64", backend="numpy")
    rng = np.random.default_rng(3)
    decoder, shift = rng.standard_normal((Z, F)), rng.standard_normal(F)
    model.parameters["decoder.0.W"].value[...], model.parameters["decoder.0.b"].value[...] = decoder, shift
    precision = np.eye(Z) + decoder @ decoder.T / ETA
    mu, sigma = model.posterior(X)
    np.testing.assert_allclose(mu, (X - shift) @ decoder.T @ np.linalg.inv(precision) / ETA, atol=0.02)
    np.testing.assert_allclose(sigma, np.broadcast_to(1 / np.sqrt(np.diag(precision)), sigma.shape), rtol=0.05)
    assert abs(precision[0, 1]) > 0.5, "the posterior is not factorised itself"


@pytest.mark.parametrize("reconstruction", ["bernoulli", "gaussian", "squared_error", "mean_bernoulli"])
def test_the_gradient_of_a_row_is_its_finite_difference(reconstruction: str) -> None:
    rng = np.random.default_rng(4)
    model = VAE(F, (5,), Z, reconstruction=reconstruction, eta=ETA, activation="tanh", dtype="float64", backend="numpy")
    local = LocalInference()
    local.bind(backend("numpy"), np.dtype("float64"))
    mu, s, eps = (0.5 * rng.standard_normal((len(X), Z)) for _ in range(3))
    _, *by_hand = (np.copy(part) for part in local.gradient(model, X, mu, s, eps))
    for tensor, gradient in zip((mu, s), by_hand, strict=True):
        for place in np.ndindex(tensor.shape):
            kept, values = tensor[place], []
            for moved in (kept + 1e-5, kept - 1e-5):
                tensor[place] = moved
                values.append(local.gradient(model, X, mu, s, eps)[0])
            tensor[place] = kept
            assert gradient[place] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-8)


def test_a_mean_over_pixels_is_counted_in_nats_per_image() -> None:
    values = []
    for reconstruction in ("bernoulli", "mean_bernoulli"):
        model = VAE(F, (5,), Z, reconstruction=reconstruction, dtype="float64", backend="numpy")
        local = LocalInference()
        local.bind(backend("numpy"), np.dtype("float64"))
        start = np.zeros((len(X), Z))
        value, dmu, _ = local.gradient(model, X, start, start, np.ones((len(X), Z)))
        values.append((value, dmu.copy()))
    assert values[0][0] == pytest.approx(values[1][0], rel=1e-12)
    np.testing.assert_allclose(values[0][1], values[1][1], rtol=1e-12)


@pytest.mark.parametrize("kind", [EMVAE, SemiAmortisedVAE])
def test_a_row_has_the_same_posterior_wherever_it_stands(kind: type[EMVAE]) -> None:
    model = make(kind)
    mu, sigma = model.posterior(X)
    for row in (0, 4, 8):
        alone = model.posterior(X[row : row + 1])
        np.testing.assert_allclose(alone[0][0], mu[row], rtol=1e-6)
        np.testing.assert_allclose(alone[1][0], sigma[row], rtol=1e-6)
    np.testing.assert_allclose(model.posterior(X[::-1])[0][::-1], mu, rtol=1e-6)


@pytest.mark.parametrize("kind", [EMVAE, SemiAmortisedVAE])
def test_encoding_leaves_parameters_and_gradient_alone(kind: type[EMVAE]) -> None:
    model = make(kind)
    model.loss_and_grad(X, noise=model.draw(0, 0, len(X)))
    before = model.parameters.value.copy(), model.parameters.grad.copy()
    model.reconstruct(X)
    model.posterior(X)
    np.testing.assert_array_equal(model.parameters.value, before[0])
    np.testing.assert_array_equal(model.parameters.grad, before[1])


@pytest.mark.parametrize("kind", [EMVAE, SemiAmortisedVAE])
def test_more_steps_make_the_bound_tighter(kind: type[EMVAE]) -> None:
    rows = np.tile(X, (200, 1))
    losses = [(model := make(kind, inner_steps=steps)).loss(rows, noise=model.draw(0, 0, len(rows))).total for steps in (1, 5, 40)]
    assert losses[0] > losses[1] > losses[2]


def test_before_the_first_step_every_row_is_at_the_prior() -> None:
    mu, sigma = make(inner_steps=1, inner_rate=1e-12).posterior(X)
    np.testing.assert_allclose(mu, 0, atol=1e-10)
    np.testing.assert_allclose(sigma, 1, atol=1e-10)


def test_a_model_without_an_encoder_has_the_decoders_tensors_alone_and_a_vaes_names_for_them() -> None:
    names = VAE(F, (5,), Z).parameters.names()
    assert make().parameters.names() == [name for name in names if name.startswith("decoder.")]
    assert make(SemiAmortisedVAE).parameters.names() == names


def test_the_encoder_of_a_semi_amortised_vae_has_a_vaes_gradient_whatever_the_steps_do() -> None:
    vae = VAE(F, (5,), Z, dtype="float64", backend="numpy")
    for options in ({"inner_steps": 1}, {"inner_steps": 7, "inner_rate": 1.0}):
        model = make(SemiAmortisedVAE, **options)
        vae.parameters.value[...] = model.parameters.value
        noise = model.draw(0, 0, len(X))
        terms, other = model.loss_and_grad(X, noise=noise), vae.loss_and_grad(X, noise=noise)
        assert terms.encoder == pytest.approx(other.total, rel=1e-12)
        for name in [name for name in model.parameters.names() if name.startswith("encoder.")]:
            np.testing.assert_allclose(model.parameters[name].grad, vae.parameters[name].grad, rtol=1e-9, atol=1e-12)


def test_the_decoder_has_a_vaes_gradient_where_the_steps_are_too_small_to_move() -> None:
    model = make(SemiAmortisedVAE, inner_rate=1e-14)
    vae = VAE(F, (5,), Z, dtype="float64", backend="numpy")
    vae.parameters.value[...] = model.parameters.value
    noise = model.draw(0, 0, len(X))
    assert model.loss_and_grad(X, noise=noise).total == pytest.approx(vae.loss_and_grad(X, noise=noise).total, rel=1e-9)
    for name in [name for name in model.parameters.names() if name.startswith("decoder.")]:
        np.testing.assert_allclose(model.parameters[name].grad, vae.parameters[name].grad, rtol=1e-7, atol=1e-10)


def test_the_steps_gain_over_the_encoders_own_posterior() -> None:
    model, rows = make(SemiAmortisedVAE, inner_steps=40), np.tile(X, (50, 1))
    terms = model.loss(rows, noise=model.draw(0, 0, len(rows)))
    assert terms.total < terms.encoder - 0.05


@pytest.mark.parametrize("kind", [EMVAE, SemiAmortisedVAE])
def test_an_error_in_the_middle_of_the_steps_leaves_a_usable_model(kind: type[EMVAE], monkeypatch: pytest.MonkeyPatch) -> None:
    model = make(kind)
    noise = model.draw(0, 0, len(X))
    expected = model.loss_and_grad(X, noise=noise).total

    def interrupted(*_: Any) -> Array:
        raise KeyboardInterrupt

    for call in (lambda: model.loss_and_grad(X, noise=noise), lambda: model.loss(X, noise=noise), lambda: model.encode(X)):
        with monkeypatch.context() as patch:
            patch.setattr(model, "pulled_back", interrupted)
            with pytest.raises(KeyboardInterrupt):
                call()
        assert model.loss_and_grad(X, noise=noise).total == expected
        assert model.decoder.recording
        assert model.decoder.learning
    with inference(model):
        assert math.isfinite(model.forward(model.check_data(X), noise, None, {}).total)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inner_steps": 0}, "inner_steps 0 is not a count: it must be a whole number of at least 1"),
        ({"inner_rate": -0.1}, "inner_rate -0.1 is not the size of a step: it must be a finite number above 0"),
        ({"inner_rate": math.nan}, "inner_rate nan is not the size of a step"),
        ({"reconstruction": "mean_bernoulli"}, "reconstruction 'mean_bernoulli' is a mean over pixels, and em-vae needs their sum; take"),
    ],
)
def test_an_option_that_makes_no_steps_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        EMVAE(F, **options)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
