"""Bernoulli likelihood, squared error and Gaussian KL against SciPy, Monte Carlo and central differences; NaN, infinity and aliasing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numba.core.errors import NumbaError
from scipy.special import expit, xlogy

from npae.kernels.registry import resolve

FORMS = ["reference", "cpu"]
DTYPES = ["float32", "float64"]
KL_FORMS = ["gaussian_kl_log_std", "gaussian_kl_log_variance", "gaussian_kl_sigma"]
Array = np.ndarray[Any, Any]


def pixels(seed: int, shape: tuple[int, int] = (6, 50)) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return 4 * rng.standard_normal(shape), rng.random(shape)


def kl(form: str, name: str, mu: Array, second: Array, scale: float = 1.0) -> tuple[float, Array, Array, Array]:
    dmu, dsecond, per_unit = np.full_like(mu, np.nan), np.full_like(mu, np.nan), np.full(mu.shape[1], np.nan)
    value = resolve(name, form)(mu, second, scale, dmu, dsecond, per_unit)
    return value, dmu, dsecond, per_unit


@pytest.mark.parametrize("form", FORMS)
def test_bernoulli_of_logits_is_the_textbook_formula(form: str) -> None:
    logits, x = pixels(0)
    p, gradient = expit(logits), np.full_like(logits, np.nan)
    value = resolve("bernoulli_logits", form)(logits, x, 0.25, gradient)
    assert value == pytest.approx(-0.25 * (xlogy(x, p) + xlogy(1 - x, 1 - p)).sum(), rel=1e-12)
    np.testing.assert_allclose(gradient, 0.25 * (p - x), rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_logit_of_any_size_loses_nothing(form: str, dtype: str) -> None:
    logits, x = np.array([[80, -80, 1000, -1000, 80, -80]], dtype), np.array([[1, 0, 1, 0, 0, 1]], dtype)
    gradient = np.empty_like(logits)
    assert resolve("bernoulli_logits", form)(logits, x, 1.0, gradient) == pytest.approx(160, rel=1e-6)
    assert gradient[0].tolist() == pytest.approx([0, 0, 0, 0, 1, -1], abs=1e-30)


@pytest.mark.parametrize("form", FORMS)
def test_bernoulli_of_probabilities_is_the_textbook_formula_inside_the_clip(form: str) -> None:
    logits, x = pixels(1)
    p, gradient = expit(logits), np.full_like(logits, np.nan)
    value = resolve("bernoulli_probabilities", form)(p, x, 1e-9, 0.25, gradient)
    assert value == pytest.approx(-0.25 * (xlogy(x, p) + xlogy(1 - x, 1 - p)).sum(), rel=1e-12)
    np.testing.assert_allclose(gradient, 0.25 * (p - x) / (p * (1 - p)), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_is_zero_on_the_clip_and_beyond_it_and_not_inside(form: str, dtype: str) -> None:
    clip = 0.125
    p = np.array([[0.0, 0.0625, clip, 0.126, 0.874, 1 - clip, 0.99, 1.0]], dtype)
    gradient = np.full_like(p, np.nan)
    value = resolve("bernoulli_probabilities", form)(p, np.ones_like(p), clip, 1.0, gradient)
    inside = [False, False, False, True, True, False, False, False]
    assert (gradient[0] != 0).tolist() == inside
    assert value == pytest.approx(-np.log(p.clip(clip, 1 - clip)).sum(), rel=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_squared_error_is_its_definition(form: str) -> None:
    y, x = pixels(2)
    gradient = np.full_like(y, np.nan)
    assert resolve("squared_error", form)(y, x, 0.1, gradient) == pytest.approx(0.1 * math.fsum(((y - x) ** 2).ravel()), rel=1e-13)
    np.testing.assert_allclose(gradient, 0.2 * (y - x), rtol=1e-13)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["bernoulli_logits", "squared_error"])
def test_a_sum_of_a_million_float32_terms_is_good_to_a_millionth(form: str, name: str) -> None:
    rng = np.random.default_rng(3)
    y, x = rng.standard_normal((1000, 1000)).astype(np.float32), rng.random((1000, 1000)).astype(np.float32)
    value = resolve(name, form)(y, x, 1.0, np.empty_like(y))
    truth = resolve(name, "reference")(y.astype(np.float64), x.astype(np.float64), 1.0, np.empty(y.shape))
    assert value == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["bernoulli_logits", "bernoulli_probabilities", "squared_error"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_may_overwrite_the_input(form: str, name: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    y, x = rng.random((5, 70)).astype(dtype), rng.random((5, 70)).astype(dtype)
    scalars = (0.1, 0.5) if name == "bernoulli_probabilities" else (0.5,)
    gradient, in_place = np.empty_like(y), y.copy()
    value = resolve(name, form)(y, x, *scalars, gradient)
    assert resolve(name, form)(in_place, x, *scalars, in_place) == pytest.approx(value, rel=1e-6 if dtype == "float32" else 1e-13)
    np.testing.assert_allclose(in_place, gradient, rtol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("name", ["bernoulli_logits", "squared_error"])
@pytest.mark.parametrize("layout", ["fortran", "strided"])
def test_the_compiled_form_refuses_an_output_that_it_could_only_write_to_a_copy(name: str, layout: str) -> None:
    x = np.ones((4, 6))
    output = np.asfortranarray(x) if layout == "fortran" else np.ones((4, 12))[:, ::2]
    with pytest.raises((NotImplementedError, NumbaError)):
        resolve(name, "cpu")(x, x, 1.0, output)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["bernoulli_logits", "bernoulli_probabilities", "squared_error"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_an_input_that_is_not_finite_gives_no_finite_value(form: str, name: str, dtype: str, bad: float, target: float) -> None:
    y, x = np.full((3, 40), 0.5, dtype), np.full((3, 40), target, dtype)
    y[1, 7] = bad
    scalars = (0.001, 1.0) if name == "bernoulli_probabilities" else (1.0,)
    gradient = np.empty_like(y)
    value = resolve(name, form)(y, x, *scalars, gradient)
    assert math.isnan(value) if math.isnan(bad) else not math.isfinite(value)
    assert np.isfinite(np.delete(gradient, 47)).all()
    if math.isnan(bad) and name != "bernoulli_probabilities":
        assert math.isnan(gradient[1, 7])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", KL_FORMS)
def test_the_divergence_is_the_monte_carlo_mean_of_the_log_ratio(form: str, name: str) -> None:
    """E_q[log q(z) - log p(z)] with 400,000 draws a unit, within 4 standard errors; each way of giving sigma means its own sigma."""
    mu, second = np.array([[0.7, -1.2]]), np.array([[0.4, 0.9]])
    sigma = {"gaussian_kl_log_std": np.exp(second), "gaussian_kl_log_variance": np.exp(second / 2), "gaussian_kl_sigma": second}[name]
    eps = np.random.default_rng(5).standard_normal((400_000, 2))
    z = mu + sigma * eps
    ratio = (-0.5 * eps**2 - np.log(sigma)) + 0.5 * z**2
    _, _, _, per_unit = kl(form, name, mu, second)
    assert (np.abs(per_unit - ratio.mean(axis=0)) < 4 * ratio.std(axis=0) / math.sqrt(len(eps))).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", KL_FORMS)
def test_the_gradients_of_the_divergence_are_central_differences(form: str, name: str) -> None:
    rng, h = np.random.default_rng(6), 1e-6
    mu, second = rng.standard_normal((3, 4)), rng.uniform(0.5, 1.5, (3, 4))
    _, dmu, dsecond, _ = kl(form, name, mu, second, 0.5)
    for index in np.ndindex(mu.shape):
        step = np.zeros_like(mu)
        step[index] = h
        for gradient, above, below in (
            (dmu, (mu + step, second), (mu - step, second)),
            (dsecond, (mu, second + step), (mu, second - step)),
        ):
            slope = (kl(form, name, *above, 0.5)[0] - kl(form, name, *below, 0.5)[0]) / (2 * h)
            assert gradient[index] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("form", FORMS)
def test_the_three_ways_of_giving_sigma_agree_and_the_units_add_up(form: str) -> None:
    rng = np.random.default_rng(7)
    mu, s = rng.standard_normal((11, 5)), rng.uniform(-3, 1, (11, 5))
    results = [kl(form, name, mu, second, 0.1) for name, second in zip(KL_FORMS, (s, 2 * s, np.exp(s)), strict=True)]
    for value, dmu, _, per_unit in results:
        assert value == pytest.approx(results[0][0], rel=1e-12)
        assert value == pytest.approx(per_unit.sum(), rel=1e-14)
        np.testing.assert_allclose(per_unit, results[0][3], rtol=1e-12)
        np.testing.assert_allclose(dmu, 0.1 * mu, rtol=1e-15)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_divergence_of_the_prior_from_itself_is_exactly_zero(form: str, dtype: str) -> None:
    zero, one = np.zeros((3, 2), dtype), np.ones((3, 2), dtype)
    for name, second in zip(KL_FORMS, (zero, zero, one), strict=True):
        value, dmu, dsecond, per_unit = kl(form, name, zero, second)
        assert value == 0
        assert not np.any([dmu, dsecond])
        assert not per_unit.any()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "bad", "expected"), [
    ("gaussian_kl_log_std", math.nan, "nan"),
    ("gaussian_kl_log_std", math.inf, "not finite"),
    ("gaussian_kl_log_std", -math.inf, "inf"),
    ("gaussian_kl_log_std", 1000.0, "inf"),
    ("gaussian_kl_log_variance", math.nan, "nan"),
    ("gaussian_kl_log_variance", -math.inf, "inf"),
    ("gaussian_kl_log_variance", 1000.0, "inf"),
    ("gaussian_kl_sigma", 0.0, "inf"),
    ("gaussian_kl_sigma", -1.0, "nan"),
    ("gaussian_kl_sigma", math.inf, "not finite"),
])  # fmt: skip
def test_a_degenerate_sigma_gives_no_finite_divergence(form: str, dtype: str, name: str, bad: float, expected: str) -> None:
    mu, second = np.zeros((3, 9), dtype), np.ones((3, 9), dtype)
    second[1, 4] = bad
    value, _, _, per_unit = kl(form, name, mu, second)
    assert not math.isfinite(value)
    assert expected == "not finite" or str(value) == expected
    assert np.isfinite(np.delete(per_unit, 4)).all()
