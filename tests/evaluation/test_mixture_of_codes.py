"""A mixture fitted to codes draws codes of the same moments, in the same groups."""

from __future__ import annotations

import numpy as np
import pytest

from npae.errors import InputError
from npae.evaluation.mixture import Mixture, fit_mixture
from npae.evaluation.two_sample import two_sample_test

MEANS = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
COVARIANCES = np.array([[[1.0, 0.8], [0.8, 1.0]], [[0.2, 0.0], [0.0, 2.0]], [[0.5, -0.2], [-0.2, 0.5]]])
TRUE = Mixture(np.array([0.5, 0.3, 0.2]), MEANS, COVARIANCES)


def test_a_sample_has_the_moments_of_its_mixture() -> None:
    z = TRUE.sample(40_000)
    mean = TRUE.weights @ MEANS
    spread = sum(w * (c + np.outer(m - mean, m - mean)) for w, m, c in zip(TRUE.weights, MEANS, COVARIANCES, strict=True))
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.06)
    np.testing.assert_allclose(np.cov(z, rowvar=False), spread, atol=0.15)


def test_the_fit_finds_weights_means_and_covariances() -> None:
    found = fit_mixture(TRUE.sample(8000, seed=1), 3)
    order = [int(np.argmin(((found.means - mean) ** 2).sum(axis=1))) for mean in MEANS]
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(found.weights[order], TRUE.weights, atol=0.03)
    np.testing.assert_allclose(found.means[order], MEANS, atol=0.1)
    np.testing.assert_allclose(found.covariances[order], COVARIANCES, atol=0.15)


def test_new_codes_cannot_be_told_from_codes_where_one_gaussian_can() -> None:
    codes = TRUE.sample(4000, seed=2)
    held_out = TRUE.sample(400, seed=3)
    mixture, gaussian = (fit_mixture(codes, components).sample(400, seed=4) for components in (3, 1))
    assert two_sample_test(mixture, held_out, permutations=200).p_value > 0.05
    assert two_sample_test(gaussian, held_out, permutations=200).p_value < 0.01


def test_one_component_is_the_gaussian_of_the_codes() -> None:
    codes = np.random.default_rng(0).standard_normal((500, 3)).astype(np.float32) @ np.diag([1.0, 2.0, 0.1]) + 5
    found = fit_mixture(codes, 1)
    np.testing.assert_allclose(found.means[0], codes.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.covariances[0], np.cov(codes, rowvar=False, bias=True), atol=1e-5)


def test_a_unit_that_is_always_zero_stays_zero() -> None:
    codes = np.random.default_rng(0).standard_normal((500, 3))
    codes[:, 1] = 0
    assert np.abs(fit_mixture(codes, 4).sample(100)[:, 1]).max() < 0.01


def test_the_seeds_decide_fit_and_draw() -> None:
    codes = TRUE.sample(300)
    first, again = (fit_mixture(codes, 5, seed=1).sample(10, seed=2) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != fit_mixture(codes, 5, seed=1).sample(10, seed=3)).any()


def test_what_cannot_be_fitted_is_refused() -> None:
    codes = TRUE.sample(10)
    with pytest.raises(InputError, match="6 Gaussians fitted to 10 codes: expected 1 to 5"):
        fit_mixture(codes, 6)
    with pytest.raises(InputError, match="all 10 codes are equal"):
        fit_mixture(np.ones((10, 2)), 2)
    with pytest.raises(InputError, match="0 samples"):
        TRUE.sample(0)
