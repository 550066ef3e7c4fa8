"""Every refusal of data, noise, codes or a step: one line that names the thing, what it is, what was expected and a way out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError, NonFiniteError
from npae.models import AE, MODELS, VAE, WAE
from npae.noise import Noise

X = np.random.default_rng(0).random((5, 6))

FLATTEN = "x of shape (5, 2, 3): this vae expects (rows, 6) with at least one row; flatten images with x.reshape(len(x), -1)"

# data, the error, the message
DATA: list[tuple[Any, type[InputError], str]] = [
    (X[:, :4], InputError, "x of shape (5, 4): this vae expects (rows, 6) with at least one row"),
    (X[0], InputError, "x of shape (6,): this vae expects (rows, 6)"),
    (X[:0], InputError, "x of shape (0, 6): this vae expects (rows, 6) with at least one row"),
    (X.reshape(5, 2, 3), InputError, FLATTEN),
    (X.astype(str), InputError, "x of dtype <U"),
    (X.astype(object), InputError, "x of dtype object: numbers are expected, such as float32"),
    (X.astype(complex), InputError, "x of dtype complex128: numbers are expected"),
    (X * 255, InputError, "x ranges over ["),
    (X - 0.5, InputError, "x ranges over [-0."),
    (np.where(np.arange(30).reshape(5, 6) == 15, np.nan, X), NonFiniteError, "x[2, 3] is nan: every value must be finite"),
    (np.where(np.arange(30).reshape(5, 6) == 29, -np.inf, X), NonFiniteError, "x[4, 5] is -inf: every value must be finite"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "error", "message"), DATA, ids=[message[:40] for _, _, message in DATA])
def test_bad_data_are_refused_wherever_a_model_takes_them(data: Any, error: type[InputError], message: str) -> None:
    model = VAE(6, (5,), 2)
    noise = model.draw(0, 0, 5)
    calls: list[Callable[[Any], Any]] = [
        model.encode,
        model.reconstruct,
        model.posterior,
        lambda data: model.loss(data, noise=noise),
        lambda data: model.loss_and_grad(data, noise=noise),
    ]
    for call in calls:
        with pytest.raises(error, match=f"^{re.escape(message)}") as caught:
            call(data)
        assert "\n" not in str(caught.value)


def test_data_outside_the_unit_interval_are_refused_with_two_ways_out_and_only_where_it_matters() -> None:
    for reconstruction in ("bernoulli", "bernoulli_probabilities"):
        with pytest.raises(InputError, match=r"a Bernoulli likelihood needs values in \[0, 1\]; scale .*reconstruction=gaussian"):
            VAE(6, reconstruction=reconstruction).encode(2 * X)
    for reconstruction in ("gaussian", "squared_error", "mean_squared_error"):
        assert VAE(6, reconstruction=reconstruction).encode(20 * X - 10).shape == (5, 8)
    assert VAE(6).encode(np.array([[0.0, 1.0] * 3])).shape == (1, 8)


@pytest.mark.parametrize("kind", ["vae", "wae"])
def test_a_step_without_noise_or_with_that_of_another_batch_says_how_to_draw_it(kind: str) -> None:
    model = MODELS[kind](6, (5,), 2)
    expected = re.escape("expected (5, 2): pass noise=model.draw(seed, step, 5)")
    for call in (model.loss, model.loss_and_grad):
        with pytest.raises(InputError, match=f"^noise 'eps' is missing, {expected}$"):
            call(X)
        with pytest.raises(InputError, match=rf"^noise 'eps' is of shape \(4, 2\), {expected}$"):
            call(X, noise=model.draw(0, 0, 4))


def test_every_kind_of_noise_is_asked_for_by_name() -> None:
    model = WAE(6, (5,), 2, dropout=0.1)
    given = dict(model.draw(0, 0, 5))
    assert set(given) == {"eps", "prior", "dropout0", "dropout1"}
    for name in given:
        with pytest.raises(InputError, match=f"^noise '{name}' is missing"):
            model.loss_and_grad(X, noise=Noise(**{other: array for other, array in given.items() if other != name}))


@pytest.mark.parametrize("z", [np.zeros((3, 3)), np.zeros(2), np.zeros((1, 2, 1))])
def test_codes_of_another_width_are_refused(z: Any) -> None:
    with pytest.raises(InputError, match=re.escape(f"codes of shape {z.shape}: decode expects (N, 2)")):
        VAE(6, (5,), 2).decode(z)


def test_no_samples_are_refused() -> None:
    for rows in (0, -1):
        with pytest.raises(InputError, match=f"^{rows} samples: at least 1 is needed$"):
            VAE(6).sample(rows)
    with pytest.raises(InputError, match="seed -1 is not a whole number"):
        VAE(6).sample(3, seed=-1)


def test_an_autoencoder_needs_data_to_sample_like() -> None:
    with pytest.raises(InputError, match=r"^a plain autoencoder has no prior to sample from: pass like=x"):
        AE(6).sample(3)
    with pytest.raises(InputError, match=r"^like has 1 row: fitting a Gaussian to codes needs at least 2$"):
        AE(6).sample(3, like=X[:1])
    with pytest.raises(InputError, match="x of shape"):
        AE(6).sample(3, like=X[:, :2])


def test_a_deterministic_encoder_has_no_posterior() -> None:
    with pytest.raises(InputError, match=r"^this wae has a deterministic encoder: it has codes"):
        WAE(6, encoder="deterministic").posterior(X)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_a_wae_refuses_a_batch_of_one_row_and_takes_the_next_batch(kernel: str) -> None:
    model = WAE(6, (5,), 2, kernel=kernel)
    with pytest.raises(InputError, match=r"^MMD of a batch of 1: the unbiased estimate needs at least 2 rows"):
        model.loss_and_grad(X[:1], noise=model.draw(0, 0, 1))
    assert math.isfinite(model.loss_and_grad(X, noise=model.draw(0, 0, 5)).total)


def test_each_model_says_how_many_rows_a_batch_needs() -> None:
    needed = {kind: model.minimum_rows for kind, model in MODELS.items()}
    assert {kind for kind, rows in needed.items() if rows == 2} == {"wae", "infovae"}
    assert set(needed.values()) == {1, 2}


@pytest.mark.parametrize("rule", ["flux", "tolstikhin", "median"])
def test_codes_that_collapsed_onto_the_prior_draws_are_refused_with_a_way_out(rule: str) -> None:
    model = WAE(6, (5,), 2, encoder="deterministic", bandwidth=rule)
    model.parameters.value[:] = 0
    noise = Noise(prior=np.zeros((5, 2), np.float32))
    with pytest.raises(InputError, match=f"^bandwidth '{rule}': the chosen distances between codes are all 0 .* give a number or 'prior'$"):
        model.loss_and_grad(X, noise=noise)
    assert math.isfinite(model.loss_and_grad(X, noise=model.draw(0, 0, 5)).total)


def test_a_bad_seed_or_an_unknown_tensor_is_refused() -> None:
    model = VAE(6)
    with pytest.raises(InputError, match="seed -3 is not a whole number"):
        model.draw(-3, 0, 5)
    with pytest.raises(InputError, match=r"parameter 'encoder\.0\.Q' is not in this model; did you mean 'encoder\.0\.[Wb]'"):
        model.parameters["encoder.0.Q"]


def test_a_loss_that_overflows_names_the_term() -> None:
    model = AE(6, (5,), 2, activation="linear", backend="numba")
    model.parameters.value[:] = 1e9
    with pytest.raises(NonFiniteError, match=r"^loss is inf: term reconstruction overflowed; lower the learning rate or .*clip_norm"):
        model.loss_and_grad(X)


def test_a_row_that_is_not_finite_is_named_where_the_data_were_not_checked() -> None:
    model = AE(6, (5,), 2, backend="numba", dtype="float64")
    bad = X.copy()
    bad[3, 1] = np.nan
    with pytest.raises(NonFiniteError, match=r"^loss is nan: row 3 of the batch holds a value that is not finite$"):
        model.forward_backward(bad, Noise())


def test_the_loss_needs_no_numbers_for_a_dropout_that_is_off() -> None:
    assert math.isfinite(AE(6, (5,), 2, dropout=0.1).loss(X).total)
