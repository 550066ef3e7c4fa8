"""The Gaussian likelihood with a learned variance: its value, its optimum, and what training makes of eta."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from npae.backend import Array, backend
from npae.evaluation.likelihood import log_likelihood_rows
from npae.inspection.probe import bind
from npae.losses import Gaussian, GaussianLearned
from npae.models import AE, VAE, Model
from npae.optim import Adam

RNG = np.random.default_rng(0)
X, Y = RNG.uniform(0, 1, (7, 5)), RNG.standard_normal((7, 5))


def _at(eta: float, name: str = "numpy", start: float = 0.3) -> GaussianLearned:
    loss = GaussianLearned(start)
    bind(loss, backend(name))
    loss.r.value[...] = np.log(eta / start)
    return loss


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_it_is_scipys_density_at_the_variance_it_has_reached(name: str) -> None:
    loss = _at(0.2, name)
    expected = -stats.norm.logpdf(X, Y, np.sqrt(0.2)).sum() / 7
    assert loss.eta == pytest.approx(0.2)
    assert loss.forward(Y, X) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(log_likelihood_rows(loss, Y, X), stats.norm.logpdf(X, Y, np.sqrt(0.2)).sum(axis=1), rtol=1e-12)


def test_it_starts_as_the_gaussian_of_a_fixed_variance_with_the_same_gradient() -> None:
    fixed, learned = Gaussian(0.3), GaussianLearned(0.3)
    for loss in (fixed, learned):
        bind(loss, backend("numpy"))
    learned.r.value[...] = 0
    assert learned.forward(Y, X) == pytest.approx(fixed.forward(Y, X), rel=1e-13)
    np.testing.assert_allclose(learned.backward(), fixed.backward(), rtol=1e-13)


def test_its_gradient_vanishes_where_eta_is_the_mean_squared_error_and_points_there_from_either_side() -> None:
    best = float(((Y - X) ** 2).mean())

    def dr(eta: float) -> float:
        loss = _at(eta)
        loss.forward(Y, X)
        loss.r.grad.fill(0)
        loss.backward()
        return float(loss.r.grad[0])

    assert dr(best) == pytest.approx(0, abs=1e-12)
    assert dr(0.9 * best) < 0 < dr(1.1 * best)


@pytest.mark.parametrize("initialiser", ["flux", "keras", "he", "pytorch"])
def test_eta_starts_where_it_is_told_whatever_the_initialiser_of_the_weights(initialiser: str) -> None:
    model = AE(6, (5,), 2, reconstruction="gaussian_learned", eta=0.04, initialiser=initialiser)
    assert isinstance(model.likelihood, GaussianLearned)
    assert model.likelihood.eta == pytest.approx(0.04)


def _train(model: Model, x: Array, steps: int) -> Model:
    adam = Adam(model.parameters, 1e-2)
    for step in range(steps):
        model.loss_and_grad(x, noise=model.draw(0, step, len(x)))
        adam.update()
    return model


def test_training_finds_the_variance_that_is_the_mean_squared_error() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 2)) @ rng.standard_normal((2, 10)) + 0.1 * rng.standard_normal((200, 10))
    model = _train(AE(10, (), 2, reconstruction="gaussian_learned", dtype="float64"), x, 1500)
    assert isinstance(model.likelihood, GaussianLearned)
    error = float(((model.reconstruct(x) - x) ** 2).mean())
    assert model.likelihood.eta == pytest.approx(error, rel=1e-2)
    assert error == pytest.approx(0.01, rel=0.3)  # the noise that the data were made with, less what 2 of 10 directions take in


def test_a_vae_takes_it_and_keeps_it_in_a_copy() -> None:
    import copy

    x = np.random.default_rng(2).uniform(0, 1, (30, 6))
    model = _train(VAE(6, (5,), 2, reconstruction="gaussian_learned", dtype="float64"), x, 50)
    twin = copy.deepcopy(model)
    assert isinstance(model.likelihood, GaussianLearned)
    assert isinstance(twin.likelihood, GaussianLearned)
    assert twin.likelihood.eta == model.likelihood.eta != 1.0
