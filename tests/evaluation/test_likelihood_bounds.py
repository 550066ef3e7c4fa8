"""The importance-weighted bound against exact log p(x): a linear-Gaussian VAE in closed form, a Bernoulli VAE by quadrature."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import bernoulli, multivariate_normal, norm

import npae
from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.likelihood import bounds
from npae.losses import BernoulliLogits, BernoulliProbabilities, Gaussian, SquaredError
from npae.losses.log_likelihood import log_likelihood_rows

F, ETA = 5, 0.4


def linear_vae(latent: int, *, dtype: str = "float64", backend: str = "numpy", exact_posterior: bool = False) -> npae.VAE:
    """x = z D + d + noise of variance ETA; the encoder is linear, with a constant spread.

    The true posterior is N((x - d) D^T S / ETA, S), S = (I + D D^T / ETA)^-1; the encoder has its mean and its variances, or is off.
    """
    model = npae.VAE(F, (), latent, reconstruction="gaussian", eta=ETA, dtype=dtype, backend=backend)
    rng = np.random.default_rng(3)
    decoder, shift = 0.8 * rng.standard_normal((latent, F)), 0.3 * rng.standard_normal(F)
    covariance = np.linalg.inv(np.eye(latent) + decoder @ decoder.T / ETA)
    weights = decoder.T @ covariance / ETA
    if not exact_posterior:
        weights = 0.8 * weights
    values = {
        "encoder.0.mu.W": weights,
        "encoder.0.mu.b": -shift @ weights,
        "encoder.0.s.W": np.zeros((F, latent)),
        "encoder.0.s.b": 0.5 * np.log(np.diag(covariance)) + (0.0 if exact_posterior else 0.2),
        "decoder.0.W": decoder,
        "decoder.0.b": shift,
    }
    assert set(values) == set(model.parameters.names())
    for name, value in values.items():
        model.parameters[name].value[...] = value
    return model


def exact(model: npae.VAE, x: Array) -> Array:
    """log N(x; d, D^T D + ETA I), row by row."""
    decoder, shift = (model.parameters[f"decoder.0.{name}"].value.astype(np.float64) for name in "Wb")
    found = multivariate_normal(shift, decoder.T @ decoder + ETA * np.eye(F)).logpdf(x)
    return np.asarray(found)


@pytest.fixture(scope="module")
def x() -> Array:
    """Rows that the model itself could have drawn."""
    rng = np.random.default_rng(4)
    model = linear_vae(2)
    z = rng.standard_normal((300, 2))
    means = z @ model.parameters["decoder.0.W"].value + model.parameters["decoder.0.b"].value
    return np.asarray(means + math.sqrt(ETA) * rng.standard_normal((300, F)))


def test_elbo_then_importance_weighted_then_the_exact_value(x: Array) -> None:
    model = linear_vae(2)
    true = float(exact(model, x).mean())
    few, many = (bounds(model, x, samples=samples, seed=1) for samples in (5, 2000))
    assert many["elbo"] < few["importance_weighted"] < many["importance_weighted"] < true + 0.02
    assert true - many["elbo"] > 0.1  # a bound that is loose, so that there is something to tighten
    assert many["importance_weighted"] == pytest.approx(true, abs=0.02)


def test_the_importance_weighted_bound_converges(x: Array) -> None:
    model = linear_vae(2)
    true = float(exact(model, x).mean())
    gaps = [true - bounds(model, x, samples=samples, seed=2)["importance_weighted"] for samples in (1, 4, 16, 64, 256, 1024)]
    assert all(later < earlier for earlier, later in itertools.pairwise(gaps))
    assert gaps[-1] < 0.02 * gaps[0]


def test_one_sample_gives_the_evidence_lower_bound_itself(x: Array) -> None:
    found = bounds(linear_vae(2), x, samples=1)
    assert found["importance_weighted"] == pytest.approx(found["elbo"], abs=1e-12)
    assert found["importance_weighted_standard_error"] == pytest.approx(found["elbo_standard_error"], abs=1e-12)


@pytest.mark.parametrize("samples", [1, 3])
def test_with_the_exact_posterior_every_weight_is_the_likelihood(samples: int, x: Array) -> None:
    """log w = log p(x, z) - log p(z | x) = log p(x), whatever z is: no Monte Carlo error at all."""
    model = linear_vae(1, exact_posterior=True)
    found, true = bounds(model, x, samples=samples), exact(model, x)
    assert found["elbo"] == pytest.approx(true.mean(), rel=1e-12)
    assert found["importance_weighted"] == pytest.approx(true.mean(), rel=1e-12)
    assert found["elbo_standard_error"] == pytest.approx(true.std(ddof=1) / math.sqrt(len(x)), rel=1e-9)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_float32_agrees_with_float64(backend: str, x: Array) -> None:
    wide, narrow = (bounds(linear_vae(2, dtype=dtype, backend=backend), x, samples=50) for dtype in ("float64", "float32"))
    for name in ("elbo", "importance_weighted", "elbo_standard_error"):
        assert narrow[name] == pytest.approx(wide[name], rel=1e-4)


def test_the_elbo_is_the_negative_loss_of_the_model(x: Array) -> None:
    """The loss takes KL in closed form and one draw; the bound takes it by Monte Carlo."""
    model = linear_vae(2)
    losses = [model.loss(x, noise=model.draw(5, step, len(x))).total for step in range(200)]
    assert bounds(model, x, samples=200)["elbo"] == pytest.approx(-np.mean(losses), abs=4 * float(np.std(losses)) / math.sqrt(200) + 0.01)


def test_a_bernoulli_vae_agrees_with_quadrature() -> None:
    """One latent unit: log p(x) = log of the integral of p(x|z) p(z) over a fine grid."""
    rng = np.random.default_rng(6)
    model = npae.VAE(F, (4,), 1, dtype="float64", backend="numpy", seed=2)
    model.parameters.value += 0.5 * rng.standard_normal(len(model.parameters))
    model.parameters["encoder.2.s.W"].value[...] = 0
    model.parameters["encoder.2.s.b"].value[...] = math.log(0.7)
    x = (rng.random((40, F)) < 0.5).astype(float)
    grid = np.linspace(-12, 12, 4001)
    p = model.decode(grid[:, None])
    log_joint = bernoulli.logpmf(x[:, None, :].astype(int), p[None]).sum(axis=2) + norm.logpdf(grid)
    step = grid[1] - grid[0]
    true = float((logsumexp(log_joint, axis=1) + math.log(step)).mean())
    mu, sigma = model.posterior(x)
    density = norm.pdf(grid, mu, sigma)
    elbo = float(((log_joint - norm.logpdf(grid, mu, sigma)) * density * step).sum(axis=1).mean())
    found = bounds(model, x, samples=3000)
    assert found["elbo"] == pytest.approx(elbo, abs=0.02)
    assert found["importance_weighted"] == pytest.approx(true, abs=0.01)
    assert elbo < true


def test_the_result_does_not_depend_on_how_the_rows_are_cut(x: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes around the cut: as many rows, none lost, none twice; the mean moves within its Monte Carlo error only."""
    from npae.evaluation import likelihood

    model = linear_vae(1, exact_posterior=True)
    true = float(exact(model, x).mean())
    for at_once in (1, 7, 299, 300, 301):
        monkeypatch.setattr(likelihood, "DECODED", at_once)
        found = bounds(model, x, samples=1)
        assert found["rows"] == 300
        assert found["elbo"] == pytest.approx(true, rel=1e-12)


def test_every_sample_is_its_own_draw(x: Array) -> None:
    """Rows and samples that shared their noise would leave the ELBO as it is, and the bound too low."""
    found = bounds(linear_vae(2), np.repeat(x[:1], 400, axis=0), samples=1)
    assert found["elbo_standard_error"] > 0


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(x: Array) -> None:
    one, again, other = (bounds(linear_vae(2), x, samples=3, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one["elbo"] != other["elbo"]


def test_one_row_has_no_standard_error(x: Array) -> None:
    found = bounds(linear_vae(2), x[:1], samples=10)
    assert found["elbo_standard_error"] is None
    assert found["importance_weighted_standard_error"] is None
    assert math.isfinite(found["importance_weighted"])


@pytest.mark.parametrize("samples", [0, -3])
def test_no_sample_is_refused(samples: int, x: Array) -> None:
    with pytest.raises(InputError, match=f"samples {samples}"):
        bounds(linear_vae(2), x, samples=samples)


Y = np.random.default_rng(1).normal(size=(6, 4))
X = (np.random.default_rng(2).random((6, 4)) < 0.5).astype(float)
LIKELIHOODS: list[tuple[Any, Array, Array]] = [
    (Gaussian(0.3), Y, norm.logpdf(X, Y, math.sqrt(0.3)).sum(axis=1)),
    (BernoulliLogits(), Y, bernoulli.logpmf(X.astype(int), expit(Y)).sum(axis=1)),
    (BernoulliProbabilities(), expit(Y), bernoulli.logpmf(X.astype(int), expit(Y)).sum(axis=1)),
]


@pytest.mark.parametrize(("likelihood", "y", "expected"), LIKELIHOODS, ids=lambda value: type(value).__name__)
def test_log_p_of_x_given_z_is_scipys(likelihood: Any, y: Array, expected: Array) -> None:
    np.testing.assert_allclose(log_likelihood_rows(likelihood, y, X), expected, rtol=1e-9)


def test_a_squared_error_is_refused_as_a_likelihood() -> None:
    with pytest.raises(InputError, match="reconstruction=bernoulli or gaussian"):
        log_likelihood_rows(SquaredError("sum"), Y, X)
