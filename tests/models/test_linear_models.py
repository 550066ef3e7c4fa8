"""Linear models whose answers are known: a linear autoencoder is PCA, a linear VAE is probabilistic PCA.

AE    the best linear code of Z numbers is the first Z principal components: no weights can do better         Baldi & Hornik 1989
VAE   decoder y = z W + b with variance eta: p(x) = N(b, W^T W + eta I); the posterior is N((x - b) W^T M^-1 / eta, M^-1),
      M = I + W W^T / eta, diagonal where the rows of W are orthogonal                                        Tipping & Bishop 1999
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits

from npae.backend import Array
from npae.models import AE, VAE
from npae.optim import Adam, Schedule

F, Z, ETA = 5, 2, 0.3
ROWS, DRAWS = 40, 400


@pytest.mark.parametrize("latent", [2, 8])
def test_a_linear_autoencoder_learns_to_reconstruct_real_digits_as_well_as_pca_and_never_better(latent: int) -> None:
    x = load_digits().data[:500] / 16
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    pca = float((singular[latent:] ** 2).sum()) / len(x)
    model = AE(64, (), latent, activation="linear", dtype="float64")
    adam = Adam(model.parameters, 0.03, schedule=Schedule("cosine", total=1500))
    for _ in range(1500):
        assert model.loss_and_grad(x).total >= pca * (1 - 1e-12)
        adam.update()
    reached = float(((model.reconstruct(x) - x) ** 2).sum()) / len(x)
    assert pca * (1 - 1e-12) <= reached <= 1.01 * pca


@pytest.fixture(params=["log_std", "log_variance", "sigma"])
def linear(request: pytest.FixtureRequest) -> VAE:
    """A linear VAE with a random encoder, whose decoder's rows are orthogonal."""
    model = VAE(F, (), Z, posterior=request.param, activation="linear", reconstruction="gaussian", eta=ETA, dtype="float64")
    rng = np.random.default_rng(0)
    model.parameters.value[:] = 0.3 * rng.standard_normal(len(model.parameters))
    axes = np.linalg.qr(rng.standard_normal((F, Z)))[0].T
    model.parameters["decoder.0.W"].value[...] = np.array([[1.5], [0.4]]) * axes
    return model


def _x() -> Array:
    return np.random.default_rng(1).standard_normal((ROWS, F))


def _log_p(model: VAE, x: Array) -> Array:
    """The exact log p(x) of each row."""
    W, b = model.parameters["decoder.0.W"].value, model.parameters["decoder.0.b"].value
    return np.asarray(stats.multivariate_normal(b, W.T @ W + ETA * np.eye(F)).logpdf(x))


def _bound(model: VAE, x: Array) -> tuple[float, float]:
    """The mean over many draws of the evidence lower bound, in nats per row, and its standard error."""
    values = [-model.loss(x, noise=model.draw(0, step, len(x))).total for step in range(DRAWS)]
    return float(np.mean(values)), float(np.std(values) / math.sqrt(len(values)))


def _set_exact_posterior(model: VAE) -> Array:
    """mu and s such that q(z|x) is p(z|x); the standard deviations."""
    W, b = model.parameters["decoder.0.W"].value, model.parameters["decoder.0.b"].value
    precision = 1 + (W**2).sum(axis=1) / ETA
    model.parameters["encoder.0.mu.W"].value[...] = (W / ETA / precision[:, None]).T
    model.parameters["encoder.0.mu.b"].value[...] = -(W @ b) / ETA / precision
    sigma = 1 / np.sqrt(precision)
    head = "encoder.0.s.0" if model.reparameterise.form == "sigma" else "encoder.0.s"
    model.parameters[f"{head}.W"].value[...] = 0
    before = {"log_std": np.log(sigma), "log_variance": np.log(sigma**2), "sigma": np.log(np.expm1(sigma - 1e-6))}  # a softplus, from 1e-6
    model.parameters[f"{head}.b"].value[...] = before[model.reparameterise.form]
    return np.asarray(sigma)


def test_the_bound_of_a_linear_vae_is_below_its_exact_log_likelihood(linear: VAE) -> None:
    x = _x()
    bound, error = _bound(linear, x)
    assert bound < _log_p(linear, x).mean() - 4 * error


def test_with_the_exact_posterior_the_bound_is_the_log_likelihood(linear: VAE) -> None:
    x = _x()
    sigma = _set_exact_posterior(linear)
    np.testing.assert_allclose(linear.posterior(x)[1], np.tile(sigma, (ROWS, 1)), rtol=1e-12)
    bound, error = _bound(linear, x)
    assert bound == pytest.approx(_log_p(linear, x).mean(), abs=4 * error)
    assert error < 0.02


def test_a_posterior_that_is_too_wide_by_a_half_costs_the_bound_its_divergence_from_the_exact_one(linear: VAE) -> None:
    """The gap is KL(q || p(z|x)): for q wider by a factor c in Z units, Z (c^2 - 1 - log c^2) / 2 nats."""
    x = _x()
    _set_exact_posterior(linear)
    exact, exact_error = _bound(linear, x)
    sigma = linear.posterior(x[:1])[1][0] * 1.5
    head = "encoder.0.s.0.b" if linear.reparameterise.form == "sigma" else "encoder.0.s.b"
    wider = {"log_std": np.log(sigma), "log_variance": np.log(sigma**2), "sigma": np.log(np.expm1(sigma - 1e-6))}
    linear.parameters[head].value[...] = wider[linear.reparameterise.form]
    bound, error = _bound(linear, x)
    gap = Z * (1.5**2 - 1 - math.log(1.5**2)) / 2
    assert exact - bound == pytest.approx(gap, abs=4 * (error + exact_error))
