"""The importance-weighted autoencoder: its bound against scipy, exact log p(x) and the evaluation; its estimators against each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import bernoulli, multivariate_normal, norm

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.likelihood import bounds
from npae.models import IWAE, VAE
from npae.noise import Noise

F, Z, ETA = 6, 2, 0.3
X = (np.random.default_rng(0).random((5, F)) < 0.5).astype(float)


def make(samples: int = 4, **options: Any) -> IWAE:
    """A small one in float64, moved off its start."""
    model = IWAE(F, (5,), Z, samples=samples, dtype="float64", backend="numpy", seed=2, **options)
    model.parameters.value += 0.3 * np.random.default_rng(1).standard_normal(len(model.parameters))
    return model


def linear(samples: int, estimator: str) -> tuple[IWAE, Array]:
    """x = z D + d + noise of variance ETA, one latent unit, and an encoder that returns the true posterior; the exact log p(x) of X."""
    rng = np.random.default_rng(3)
    model = IWAE(F, (), 1, samples=samples, estimator=estimator, reconstruction="gaussian", eta=ETA, dtype="float64", backend="numpy")
    decoder, shift = rng.standard_normal((1, F)), rng.standard_normal(F)
    variance = 1 / (1 + float((decoder**2).sum()) / ETA)
    weights = decoder.T * variance / ETA
    values = {"mu.W": weights, "mu.b": -shift @ weights, "s.W": np.zeros((F, 1)), "s.b": np.array([0.5 * math.log(variance)])}
    for name, value in [
        *((f"encoder.0.{name}", value) for name, value in values.items()),
        ("decoder.0.W", decoder),
        ("decoder.0.b", shift),
    ]:
        model.parameters[name].value[...] = value
    return model, np.asarray(multivariate_normal(shift, decoder.T @ decoder + ETA * np.eye(F)).logpdf(X))


@pytest.mark.parametrize("posterior", ["log_std", "log_variance", "sigma"])
@pytest.mark.parametrize("reconstruction", ["bernoulli", "gaussian", "bernoulli_probabilities"])
def test_the_bound_is_that_of_a_double_loop_over_rows_and_draws(posterior: str, reconstruction: str) -> None:
    model = make(posterior=posterior, reconstruction=reconstruction, eta=ETA)
    noise = model.draw(0, 0, len(X))
    mu, sigma = model.posterior(X)
    every: list[list[float]] = []
    for row, x in enumerate(X):
        every.append([])
        for k in range(4):
            eps = noise.eps[row, k * Z : (k + 1) * Z]
            z = mu[row] + sigma[row] * eps
            y = model.decode(z[None])[0]
            log_p = norm.logpdf(x, y, math.sqrt(ETA)).sum() if reconstruction == "gaussian" else bernoulli.logpmf(x.astype(int), y).sum()
            every[row].append(log_p + norm.logpdf(z).sum() - norm.logpdf(z, mu[row], sigma[row]).sum())
    log_w = np.array(every)
    terms = model.loss(X, noise=noise)
    assert terms.iwae == pytest.approx(-np.mean(logsumexp(log_w, axis=1) - math.log(4)), rel=1e-9)
    assert terms.nll + terms.kl == pytest.approx(-log_w.mean(), rel=1e-9)
    assert terms.total == terms.iwae


def test_one_draw_gives_the_loss_of_a_vae_whose_kl_is_by_monte_carlo() -> None:
    model, rows = make(1), np.tile(X, (2000, 1))
    vae = VAE(F, (5,), Z, dtype="float64", backend="numpy")
    vae.parameters.value[...] = model.parameters.value
    noise = model.draw(0, 0, len(rows))
    terms, other = model.loss(rows, noise=noise), vae.loss(rows, noise=noise)
    assert terms.total == pytest.approx(terms.nll + terms.kl, rel=1e-12)
    assert terms.nll == pytest.approx(other.nll, rel=1e-12)
    assert terms.kl == pytest.approx(other.kl, abs=0.03)
    assert other.kl > 0.2


@pytest.mark.parametrize("estimator", ["iwae", "dreg"])
@pytest.mark.parametrize("samples", [1, 3])
def test_with_the_exact_posterior_the_bound_is_log_p_of_x_itself(samples: int, estimator: str) -> None:
    model, exact = linear(samples, estimator)
    assert model.loss(X, noise=model.draw(0, 0, len(X))).total == pytest.approx(-exact.mean(), rel=1e-12)


def test_with_the_exact_posterior_dreg_has_nothing_to_say_to_the_encoder_and_iwae_speaks_noise() -> None:
    """log w does not depend on z there: its derivative along z, the only way of dreg, is zero whatever is drawn."""
    largest = {}
    for estimator in ("iwae", "dreg"):
        model, _ = linear(3, estimator)
        model.loss_and_grad(X, noise=model.draw(0, 0, len(X)))
        largest[estimator] = max(float(np.abs(model.parameters[f"encoder.0.{name}"].grad).max()) for name in ("mu.W", "mu.b", "s.W", "s.b"))
    assert largest["dreg"] < 1e-12
    assert largest["iwae"] > 1e-3


def test_the_mean_loss_is_the_importance_weighted_bound_of_the_evaluation() -> None:
    model, rows = make(10), np.repeat(X, 40, axis=0)
    losses = np.array([model.loss(rows, noise=model.draw(1, step, len(rows))).total for step in range(60)])
    found = bounds(model, np.repeat(rows, 10, axis=0), samples=10)
    assert -losses.mean() == pytest.approx(found["importance_weighted"], abs=0.03)
    assert losses.std() / math.sqrt(60) < 0.01


def test_more_draws_make_the_bound_tighter() -> None:
    rows = np.repeat(X, 200, axis=0)
    one, five, fifty = (make(samples).loss(rows, noise=make(samples).draw(0, 0, len(rows))).total for samples in (1, 5, 50))
    assert one > five > fifty


def encoder_gradients(samples: int, estimator: str, *, copies: int, groups: int, seed: int = 0) -> Array:
    """(groups, P): the gradient of every tensor of the encoder, a mean over `copies` draws of the noise of X, `groups` times."""
    model, rows = make(samples, estimator=estimator), np.tile(X, (copies, 1))
    names = [name for name in model.parameters.names() if name.startswith("encoder.")]
    every = []
    for step in range(groups):
        model.loss_and_grad(rows, noise=model.draw(seed, step, len(rows)))
        every.append(np.concatenate([model.parameters[name].grad.ravel() for name in names]))
    return np.array(every)


@pytest.mark.parametrize("samples", [1, 4])
def test_both_estimators_of_the_encoders_gradient_have_the_same_mean(samples: int) -> None:
    one, other = (encoder_gradients(samples, estimator, copies=200, groups=50, seed=k) for k, estimator in enumerate(("iwae", "dreg")))
    error = np.sqrt((one.var(axis=0, ddof=1) + other.var(axis=0, ddof=1)) / 50)
    moving = error > 0  # an element whose input is 0 in every row never moves
    assert moving.sum() > 20
    assert (np.abs(one.mean(axis=0) - other.mean(axis=0))[moving] / error[moving]).max() < 4.5
    assert (np.abs(one.mean(axis=0))[moving] / error[moving]).max() > 20, "there is a mean to agree upon"


def test_dreg_has_the_smaller_variance_and_more_so_with_more_draws() -> None:
    ratios = []
    for samples in (2, 64):
        one, other = (encoder_gradients(samples, how, copies=1, groups=200).var(axis=0).sum() for how in ("iwae", "dreg"))
        ratios.append(other / one)
    assert ratios[1] < ratios[0] < 1
    assert ratios[1] < 0.2


def test_the_decoders_gradient_does_not_depend_on_the_estimator() -> None:
    gradients = []
    for estimator in ("iwae", "dreg"):
        model = make(estimator=estimator)
        model.loss_and_grad(X, noise=model.draw(0, 0, len(X)))
        gradients.append(np.concatenate([model.parameters[name].grad.ravel() for name in model.parameters.names() if "decoder" in name]))
    np.testing.assert_array_equal(*gradients)


def test_float32_follows_float64_also_where_one_draw_outweighs_all_others() -> None:
    wide, narrow = (IWAE(F, (5,), Z, samples=8, dtype=dtype, backend="numba", seed=2) for dtype in ("float64", "float32"))
    for model in (wide, narrow):
        model.parameters["decoder.2.W"].value *= 100
    noise = narrow.draw(0, 0, len(X))
    total = wide.loss_and_grad(X, noise=Noise(eps=noise.eps.astype(np.float64))).total
    assert narrow.loss_and_grad(X, noise=noise).total == pytest.approx(total, rel=1e-5)
    assert wide.importance.normalised.min() < 1e-40
    np.testing.assert_allclose(narrow.parameters.grad, wide.parameters.grad, atol=1e-3 * float(np.abs(wide.parameters.grad).max()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples 0 is not a count: it must be a whole number of at least 1"),
        ({"samples": 2.0}, "samples 2.0 is not a count"),
        ({"estimator": "drag"}, "estimator 'drag' is not known; did you mean 'dreg'?"),
        (
            {"reconstruction": "squared_error"},
            "reconstruction 'squared_error' is no likelihood of a row, which an iwae weighs its draws by; take",
        ),
        ({"reconstruction": "mean_bernoulli"}, "reconstruction 'mean_bernoulli' is no likelihood of a row"),
    ],
)
def test_an_option_that_makes_no_bound_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        IWAE(F, **options)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
