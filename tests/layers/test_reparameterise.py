"""Drawing z: its moments are those of N(mu, sigma^2) with sigma as each form's name says, against NumPy's own normal numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from npae.backend import Array
from npae.errors import InputError
from npae.layers import FORMS, Reparameterise, inference
from npae.layers.reparameterise import check_form

Bound = Callable[..., Any]

# what the head returns for a posterior of this standard deviation: the name of the form, read literally
HEAD: dict[str, Callable[[Array], Array]] = {
    "log_std": lambda sigma: np.log(sigma),
    "log_variance": lambda sigma: np.log(sigma**2),
    "sigma": lambda sigma: sigma,
}
MU, SIGMA = np.array([[-2.0, 0.0, 3.0]]), np.array([[0.1, 1.0, 2.5]])


def test_every_form_is_tried_here() -> None:
    assert set(HEAD) == set(FORMS)


@pytest.mark.parametrize("form", FORMS)
def test_z_is_normal_with_the_mean_and_the_standard_deviation_that_the_head_says(bound: Bound, form: str) -> None:
    n = 40_000
    node = bound(Reparameterise(form))
    eps = np.random.default_rng(0).standard_normal((n, 3))
    z = node.forward(np.repeat(MU, n, axis=0), np.repeat(HEAD[form](SIGMA), n, axis=0), eps)
    np.testing.assert_array_less(np.abs(z.mean(axis=0) - MU[0]), 4 * SIGMA[0] / math.sqrt(n))
    np.testing.assert_array_less(np.abs(z.std(axis=0) / SIGMA[0] - 1), 4 / math.sqrt(2 * n))
    assert stats.kstest((z - MU) / SIGMA, "norm", axis=0).pvalue.min() > 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_z_is_the_mean_plus_the_standard_deviation_times_eps_element_by_element(bound: Bound, form: str) -> None:
    eps = np.array([[1.0, -1.0, 0.5]])
    z = bound(Reparameterise(form)).forward(MU, HEAD[form](SIGMA), eps)
    np.testing.assert_allclose(z, [[-2 + 0.1, -1.0, 3 + 1.25]], rtol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_noise_of_another_scale_is_drawn_and_the_true_sigma_is_told(bound: Bound, form: str) -> None:
    n = 40_000
    node, s = bound(Reparameterise(form, 0.1)), HEAD[form](SIGMA)
    np.testing.assert_allclose(node.sigma(s), 0.1 * SIGMA, rtol=1e-14)
    eps = np.random.default_rng(0).standard_normal((n, 3))
    z = node.forward(np.repeat(MU, n, axis=0), np.repeat(s, n, axis=0), eps)
    np.testing.assert_array_less(np.abs(z.std(axis=0) / (0.1 * SIGMA[0]) - 1), 4 / math.sqrt(2 * n))


@pytest.mark.parametrize("noise_scale", [0.0, -0.1, math.inf, math.nan])
def test_noise_without_a_scale_is_refused(noise_scale: float) -> None:
    with pytest.raises(InputError, match=f"noise_scale {noise_scale} is not a standard deviation of the noise"):
        Reparameterise(noise_scale=noise_scale)


@pytest.mark.parametrize("form", FORMS)
def test_sigma_is_the_standard_deviation(bound: Bound, form: str) -> None:
    np.testing.assert_allclose(bound(Reparameterise(form)).sigma(HEAD[form](SIGMA)), SIGMA, rtol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_the_gradients_are_the_rows_of_the_table(bound: Bound, form: str) -> None:
    node, s = bound(Reparameterise(form)), HEAD[form](SIGMA)
    eps, dz = np.array([[1.5, -1.0, 0.5]]), np.array([[2.0, 3.0, -4.0]])
    dz_before = dz.copy()
    node.forward(MU, s, eps)
    dmu, ds = node.backward(dz)
    slope = {"log_std": SIGMA, "log_variance": SIGMA / 2, "sigma": np.ones((1, 3))}[form]
    np.testing.assert_allclose(dmu, dz, rtol=1e-15)
    np.testing.assert_allclose(ds, dz * eps * slope, rtol=1e-14)
    np.testing.assert_array_equal(dz, dz_before)
    assert not np.shares_memory(dmu, dz), "the model adds the KL's gradient to dmu: it must not be the decoder's dz"


def test_inputs_are_left_as_they_were(bound: Bound) -> None:
    for form in FORMS:
        mu, s, eps = MU.copy(), HEAD[form](SIGMA), np.ones((1, 3))
        s_before = s.copy()
        node = bound(Reparameterise(form))
        with inference(node):
            node.forward(mu, s, eps)
        np.testing.assert_array_equal(mu, MU)
        np.testing.assert_array_equal(s, s_before)
        np.testing.assert_array_equal(eps, 1)


def test_an_unknown_form_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"posterior form 'logvariance' is not known; did you mean 'log_variance'\?"):
        check_form("logvariance")
