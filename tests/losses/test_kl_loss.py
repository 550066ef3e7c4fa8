"""KL(q || N(0, I)): closed forms, Monte Carlo over the log densities of scipy, and free bits unit by unit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from npae.backend import Array
from npae.errors import InputError
from npae.layers import FORMS
from npae.losses import GaussianKL

Bound = Callable[..., Any]
HEAD: dict[str, Callable[[Array], Array]] = {
    "log_std": np.log,
    "log_variance": lambda sigma: 2 * np.log(sigma),
    "sigma": lambda sigma: sigma,
}
RNG = np.random.default_rng(0)
MU, SIGMA = RNG.standard_normal((4, 3)), RNG.uniform(0.2, 2.0, (4, 3))


def _by_loops(mu: Array, sigma: Array) -> Array:
    """KL_z, the mean over the rows for each unit."""
    per_unit = np.zeros(mu.shape[1])
    for b in range(mu.shape[0]):
        for z in range(mu.shape[1]):
            per_unit[z] += 0.5 * (sigma[b, z] ** 2 + mu[b, z] ** 2 - 1 - math.log(sigma[b, z] ** 2)) / len(mu)
    return per_unit


def test_every_form_is_tried_here() -> None:
    assert set(HEAD) == set(FORMS)


@pytest.mark.parametrize("form", FORMS)
def test_the_value_is_the_closed_form_summed_over_units_and_averaged_over_rows(bound: Bound, form: str) -> None:
    kl = bound(GaussianKL(form))
    assert kl.forward(MU, HEAD[form](SIGMA)) == pytest.approx(_by_loops(MU, SIGMA).sum(), rel=1e-13)
    np.testing.assert_allclose(kl.per_unit, _by_loops(MU, SIGMA), rtol=1e-13)


@pytest.mark.parametrize("form", FORMS)
def test_the_value_is_the_mean_of_log_q_minus_log_p_over_draws_of_q(bound: Bound, form: str) -> None:
    mu, sigma, n = np.array([[1.5, -0.3]]), np.array([[0.4, 1.7]]), 200_000
    z = mu + sigma * np.random.default_rng(1).standard_normal((n, 2))
    log_ratio = (stats.norm.logpdf(z, mu, sigma) - stats.norm.logpdf(z)).sum(axis=1)
    error = log_ratio.std() / math.sqrt(n)
    assert bound(GaussianKL(form)).forward(mu, HEAD[form](sigma)) == pytest.approx(log_ratio.mean(), abs=4 * error)


@pytest.mark.parametrize("form", FORMS)
def test_the_prior_itself_is_at_divergence_zero_with_no_gradient(bound: Bound, form: str) -> None:
    kl = bound(GaussianKL(form))
    assert kl.forward(np.zeros((2, 3)), HEAD[form](np.ones((2, 3)))) == 0
    dmu, ds = kl.backward()
    assert not dmu.any()
    assert not ds.any()


@pytest.mark.parametrize("form", FORMS)
def test_the_gradients_are_the_rows_of_the_table_times_the_weight(bound: Bound, form: str) -> None:
    slope = {"log_std": SIGMA**2 - 1, "log_variance": (SIGMA**2 - 1) / 2, "sigma": SIGMA - 1 / SIGMA}[form]
    for weight in (1.0, 0.25, 0.0):
        kl = bound(GaussianKL(form))
        kl.forward(MU, HEAD[form](SIGMA))
        dmu, ds = kl.backward(weight)
        np.testing.assert_allclose(dmu, weight * MU / 4, rtol=1e-14)
        np.testing.assert_allclose(ds, weight * slope / 4, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("form", FORMS)
def test_free_bits_hold_up_the_units_below_them_and_leave_the_others(bound: Bound, form: str) -> None:
    per_unit = _by_loops(MU, SIGMA)
    low, middle, _ = np.sort(per_unit)
    free_bits = (low + middle) / 2
    free, plain = bound(GaussianKL(form, free_bits)), bound(GaussianKL(form))
    s = HEAD[form](SIGMA)
    assert free.forward(MU, s) == pytest.approx(sum(max(free_bits, unit) for unit in per_unit), rel=1e-13)
    assert free.exact == pytest.approx(plain.forward(MU, s), rel=1e-15)
    held = per_unit < free_bits
    assert held.sum() == 1
    for gradient, usual in zip(free.backward(0.5), plain.backward(0.5), strict=True):
        assert not gradient[:, held].any()
        np.testing.assert_allclose(gradient[:, ~held], usual[:, ~held], rtol=1e-14)


def test_free_bits_look_at_the_mean_over_the_batch_not_at_single_rows(bound: Bound) -> None:
    mu, s = np.array([[0.0], [2.0]]), np.zeros((2, 1))  # divergences 0 and 2 nats: 1 on average
    kl = bound(GaussianKL("log_std", 0.9))
    assert kl.forward(mu, s) == 1
    assert kl.backward()[0][1, 0] == 1


def test_a_unit_at_exactly_its_free_bits_keeps_its_gradient(bound: Bound) -> None:
    kl = bound(GaussianKL("log_std", 0.5))
    assert kl.forward(np.array([[1.0]]), np.array([[0.0]])) == 0.5
    assert kl.backward()[0][0, 0] == 1


@pytest.mark.parametrize("form", FORMS)
def test_noise_of_another_scale_narrows_the_posterior_by_that_factor(bound: Bound, form: str) -> None:
    """KL(N(mu, (c sigma)^2) || N(0, I)) from the two densities, integrated over a grid; and the gradient by the chain rule."""
    mu, sigma, c = np.array([[0.7]]), np.array([[1.3]]), 0.1
    z = np.linspace(0.7 - 1.3, 0.7 + 1.3, 20_001)
    q, p = stats.norm.logpdf(z, mu[0, 0], c * sigma[0, 0]), stats.norm.logpdf(z)
    kl = bound(GaussianKL(form, noise_scale=c))
    assert kl.forward(mu, HEAD[form](sigma)) == pytest.approx(np.trapezoid(np.exp(q) * (q - p), z), rel=1e-8)
    dmu, ds = kl.backward()
    dsigma = c * (c * 1.3 - 1 / (c * 1.3))  # dKL/dsigma; then dsigma/ds = sigma, sigma / 2, 1
    assert dmu[0, 0] == pytest.approx(0.7)
    assert ds[0, 0] == pytest.approx(dsigma * {"log_std": 1.3, "log_variance": 0.65, "sigma": 1.0}[form], rel=1e-12)


def test_the_exact_divergence_of_the_keras_sampler_is_the_one_on_paper(bound: Bound) -> None:
    s = np.log(SIGMA)
    expected = -0.5 * (1 + 2 * (s + math.log(0.1)) - MU**2 - 0.01 * np.exp(2 * s)).sum() / 4
    assert bound(GaussianKL("log_std", noise_scale=0.1)).forward(MU, s) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("form", FORMS)
def test_an_epsilon_stands_inside_the_logarithm_and_nowhere_else(bound: Bound, form: str) -> None:
    sigma = SIGMA.copy()
    sigma[0, 0] = 1e-6  # where epsilon is all that is left
    kl, s = bound(GaussianKL(form, epsilon=1e-8)), HEAD[form](sigma)
    per_unit = np.zeros(3)
    for b in range(4):
        for z in range(3):
            per_unit[z] += 0.5 * (MU[b, z] ** 2 + sigma[b, z] ** 2 - math.log(1e-8 + sigma[b, z] ** 2) - 1) / 4
    assert kl.forward(MU, s) == pytest.approx(per_unit.sum(), rel=1e-13)
    np.testing.assert_allclose(kl.per_unit, per_unit, rtol=1e-13)
    assert kl.exact < bound(GaussianKL(form)).forward(MU, s)


@pytest.mark.parametrize("form", FORMS)
def test_an_epsilon_that_is_lost_in_rounding_changes_nothing(bound: Bound, form: str) -> None:
    with_epsilon, without = (bound(GaussianKL(form, noise_scale=0.7, epsilon=epsilon)) for epsilon in (1e-300, 0.0))
    s = HEAD[form](SIGMA)
    assert with_epsilon.forward(MU, s) == pytest.approx(without.forward(MU, s), rel=1e-13)
    for found, expected in zip(with_epsilon.backward(0.3), without.backward(0.3), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_free_bits_hold_up_units_whose_logarithm_has_an_epsilon_too(bound: Bound) -> None:
    kl = bound(GaussianKL("sigma", 0.5, epsilon=0.1))
    assert kl.forward(np.array([[0.0, 2.0]]), np.ones((1, 2))) == pytest.approx(0.5 + 2 - 0.5 * math.log(1.1))
    assert kl.backward()[0].tolist() == [[0, 2]]


def test_float32_agrees_with_float64(bound: Bound) -> None:
    for form in FORMS:
        wide, narrow = bound(GaussianKL(form), "float64"), bound(GaussianKL(form), "float32")
        mu, s = MU.astype(np.float32), HEAD[form](SIGMA).astype(np.float32)
        assert narrow.forward(mu, s) == pytest.approx(wide.forward(mu.astype(float), s.astype(float)), rel=1e-6)
        for gradient, truth in zip(narrow.backward(), wide.backward(), strict=True):
            assert gradient.dtype == np.float32
            np.testing.assert_allclose(gradient, truth, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("epsilon", [-1e-8, math.inf, math.nan])
def test_an_epsilon_that_is_no_variance_is_refused(epsilon: float) -> None:
    with pytest.raises(InputError, match=f"kl_epsilon {epsilon} is nothing to add to a variance"):
        GaussianKL(epsilon=epsilon)


@pytest.mark.parametrize("free_bits", [-0.1, math.inf, math.nan])
def test_free_bits_that_are_no_nats_are_refused(free_bits: float) -> None:
    with pytest.raises(InputError, match=f"free_bits {free_bits} is not a number of nats per latent unit"):
        GaussianKL(free_bits=free_bits)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(InputError, match=r"posterior form 'logstd' is not known; did you mean 'log_std'\?"):
        GaussianKL("logstd")
