"""The class-conditional VAE: its forward pass by plain NumPy, a linear one against its exact log p(x|y), and what it asks of labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import npae
from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.likelihood import bounds, log_weights
from npae.models import CVAE

B, F, Z, C = 9, 6, 2, 4
RNG = np.random.default_rng(0)
X, Y = RNG.uniform(0.05, 0.95, (B, F)), RNG.integers(0, C, B)


def _model(**options: Any) -> CVAE:
    model = CVAE(F, **{"hidden": (5,), "latent": Z, "classes": C, "dtype": "float64", "backend": "numpy", "seed": 1, **options})
    model.parameters.value += (0.1 * np.random.default_rng(2).standard_normal(len(model.parameters))).astype(model.dtype)
    return model


def _values(model: CVAE) -> Mapping[str, Array]:
    return {name: model.parameters[name].value for name in model.parameters.names()}


def _passed(model: CVAE, eps: Array) -> tuple[Array, Array, Array]:
    """mu, s and the decoder's probabilities for a tanh network with log-std heads, c times as much noise: by plain NumPy"""
    w, e = _values(model), np.eye(C)[Y]
    h = np.tanh(np.hstack([X, e]) @ w["encoder.0.W"] + w["encoder.0.b"])
    mu, s = (h @ w[f"encoder.2.{head}.W"] + w[f"encoder.2.{head}.b"] for head in ("mu", "s"))
    z = mu + model.reparameterise.noise_scale * np.exp(s) * eps
    logits = np.tanh(np.hstack([z, e]) @ w["decoder.0.W"] + w["decoder.0.b"]) @ w["decoder.2.W"] + w["decoder.2.b"]
    return mu, s, 1 / (1 + np.exp(-logits))


def test_the_terms_are_those_of_the_formula_written_out() -> None:
    model = _model(beta=0.5, activation="tanh")
    noise = model.draw(3, 0, B)
    mu, s, p = _passed(model, noise.eps)
    terms = model.loss(X, Y, noise=noise)
    assert terms.nll == pytest.approx(-(X * np.log(p) + (1 - X) * np.log(1 - p)).sum() / B)
    assert terms.kl == pytest.approx(0.5 * (np.exp(2 * s) + mu**2 - 1 - 2 * s).sum() / B)
    assert terms.total == pytest.approx(terms.nll + 0.5 * terms.kl)


def test_free_bits_hold_up_the_units_below_them_and_l2_weighs_the_whole_decoder() -> None:
    model = _model(activation="tanh", l2=0.3)
    noise = model.draw(3, 0, B)
    mu, s, _ = _passed(model, noise.eps)
    per_unit = 0.5 * (np.exp(2 * s) + mu**2 - 1 - 2 * s).mean(axis=0)
    free = float(per_unit.mean())  # one unit is held up, one is not
    terms = _model(activation="tanh", l2=0.3, free_bits=free).loss(X, Y, noise=noise)
    squares = sum((value**2).sum() for name, value in _values(model).items() if name.startswith("decoder."))
    assert terms.kl == pytest.approx(per_unit.sum())
    assert terms.kl_free_bits == pytest.approx(np.maximum(per_unit, free).sum())
    assert terms.kl_free_bits > terms.kl + 1e-3
    assert terms.l2 == pytest.approx(squares)
    assert terms.total == pytest.approx(terms.nll + terms.kl_free_bits + 0.3 * squares)


def test_the_keras_term_is_minimised_and_the_divergence_of_what_is_sampled_stands_beside_it() -> None:
    model = _model(activation="tanh", kl="keras", noise_scale=0.1)
    noise = model.draw(3, 0, B)
    mu, s, p = _passed(model, noise.eps)
    terms, variance = model.loss(X, Y, noise=noise), 0.01 * np.exp(2 * s)
    assert terms.nll == pytest.approx(-(X * np.log(p) + (1 - X) * np.log(1 - p)).sum() / B)
    assert terms.kl_keras == pytest.approx(-0.5 * (1 + s - mu**2 - np.exp(s)).sum() / B)
    assert terms.kl == pytest.approx(0.5 * (variance + mu**2 - 1 - np.log(variance)).sum() / B)
    assert terms.total == pytest.approx(terms.nll + terms.kl_keras)
    assert model.caveat.startswith("not a bound")


def _linear() -> tuple[CVAE, Array, Array, float]:
    """x = z V + b_y + noise of variance eta, V with orthogonal rows, and the encoder that is its exact posterior."""
    eta = 0.3
    model = _model(hidden=(), reconstruction="gaussian", eta=eta)
    v = np.linalg.qr(RNG.standard_normal((F, Z)))[0].T * np.array([[2.0], [0.7]])
    means = RNG.standard_normal((C, F))
    w = _values(model)
    w["decoder.0.W"][...], w["decoder.0.b"][...] = np.vstack([v, means]), 0.0
    precision = 1 + (v**2).sum(axis=1) / eta  # of each unit of z given x and y
    inward = v.T / (eta * precision)
    w["encoder.0.mu.W"][...], w["encoder.0.mu.b"][...] = np.vstack([inward, -means @ inward]), 0.0
    w["encoder.0.s.W"][...], w["encoder.0.s.b"][...] = 0.0, -0.5 * np.log(precision)
    return model, v, means, eta


def test_a_linear_one_with_the_exact_posterior_has_the_exact_log_likelihood_given_the_label() -> None:
    model, v, means, eta = _linear()
    x = RNG.standard_normal((B, F))
    exact = [stats.multivariate_normal.logpdf(x[i], means[Y[i]], v.T @ v + eta * np.eye(F)) for i in range(B)]
    np.testing.assert_allclose(log_weights(model, x, Y, samples=3), np.repeat(exact, 3).reshape(B, 3), rtol=1e-10)
    found = bounds(model, x, Y, samples=4)
    assert found["elbo"] == pytest.approx(np.mean(exact), rel=1e-10)
    noise = model.draw(0, 0, 20_000)
    many = np.repeat(x[:1], 20_000, axis=0)
    assert model.loss(many, np.full(20_000, Y[0]), noise=noise).total == pytest.approx(-exact[0], rel=0.01)


def test_the_label_changes_the_code_and_what_a_code_decodes_to() -> None:
    model = _model()
    other = (Y + 1) % C
    z = model.encode(X, Y)
    assert not np.allclose(model.encode(X, other), z)
    assert not np.allclose(model.decode(z, other), model.decode(z, Y))
    assert not np.allclose(model.posterior(X, other)[1], model.posterior(X, Y)[1])
    np.testing.assert_array_equal(model.reconstruct(X, Y), model.decode(z, Y))
    np.testing.assert_array_equal(model.posterior(X, Y)[0], z)


def test_a_sample_is_a_draw_of_the_prior_decoded_with_its_label() -> None:
    model = _model()
    labels = np.arange(8) % C
    np.testing.assert_array_equal(model.sample(8, seed=5, y=labels), model.decode(model.prior(8, 5), labels))


def test_the_codes_gradient_goes_through_the_decoder_without_the_label() -> None:
    model, z = _model(activation="tanh"), RNG.standard_normal((B, Z))
    weights = RNG.standard_normal((B, F))
    model.decoded(z, Y)
    dz = model.pulled_back(weights).copy()
    h, numeric = 1e-6, np.empty_like(z)
    for k in range(Z):
        step = np.eye(Z)[k] * h
        outcomes = [_decoded(model, z + sign * step) for sign in (1, -1)]
        numeric[:, k] = ((outcomes[0] - outcomes[1]) * weights).sum(axis=1) / (2 * h)
    np.testing.assert_allclose(dz, numeric, atol=1e-8)


def _decoded(model: CVAE, z: Array) -> Array:
    from npae.layers import inference

    with inference(model):
        return model.decoded(z, Y).copy()


def test_labels_are_asked_for_by_every_call() -> None:
    model = _model()
    for call in (model.encode, model.reconstruct, model.posterior, model.loss_and_grad):
        with pytest.raises(InputError, match="this cvae needs a label for each row: pass y, whole numbers from 0 to 3"):
            call(X)
    with pytest.raises(InputError, match="needs a label for each row"):
        model.sample(3)
    with pytest.raises(InputError, match=r"label 4 \(row 1\): this cvae has 4 classes, 0 to 3"):
        model.encode(X[:2], np.array([0, 4]))


def test_its_gradient_can_be_checked_on_a_users_batch() -> None:
    assert npae.gradcheck(_model(dtype="float32"), X, Y).passed


def test_training_lowers_the_bound_and_labels_take_the_class_out_of_the_code() -> None:
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 400)
    x = 1 / (1 + np.exp(-(np.where(y[:, None] == 1, 2.0, -2.0) * np.array([1, 1, 1, -1, -1, -1]) + 0.3 * rng.standard_normal((400, F)))))
    told = CVAE(F, (16,), 2, classes=2, backend="numpy", seed=1)
    alone = npae.VAE(F, (16,), 2, backend="numpy", seed=1)
    history = npae.fit(told, x, y, epochs=25, learning_rate=5e-3)
    npae.fit(alone, x, epochs=25, learning_rate=5e-3)
    assert history[-1]["train"]["total"] < history[0]["train"]["total"]
    codes = {"told": told.encode(x, y), "alone": alone.encode(x)}
    apart = {name: np.linalg.norm(z[y == 1].mean(axis=0) - z[y == 0].mean(axis=0)) for name, z in codes.items()}
    assert apart["told"] < 0.3 < 1.5 < apart["alone"]


def test_it_comes_back_from_its_file_with_its_classes(tmp_path: Path) -> None:
    model = _model(dtype="float32")
    again = npae.load(npae.save(model, tmp_path / "model.safetensors"), backend="numpy")
    assert again.spec["classes"] == C
    np.testing.assert_array_equal(again.reconstruct(X, Y), model.reconstruct(X, Y))
