"""Adam against the paper's algorithm 1 written as a plain loop, in both of its forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from npae.kernels.registry import resolve

FORMS = ["reference", "cpu"]


def algorithm_1(theta: list[float], gradients: list[list[float]], lr: float, beta1: float, beta2: float, epsilon: float) -> list[float]:
    theta, m, v = list(theta), [0.0] * len(theta), [0.0] * len(theta)
    for t, gradient in enumerate(gradients, start=1):
        for i, g in enumerate(gradient):
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g * g
            m_hat, v_hat = m[i] / (1 - beta1**t), v[i] / (1 - beta2**t)
            theta[i] -= lr * m_hat / (math.sqrt(v_hat) + epsilon)
    return theta


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
def test_ten_steps_are_algorithm_1(form: str, dtype: str, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(37), rng.standard_normal((10, 37))
    lr, beta1, beta2, epsilon = 0.05, 0.9, 0.99, 1e-3
    theta, m, v = start.astype(dtype), np.zeros(37, dtype), np.zeros(37, dtype)
    for t, gradient in enumerate(gradients.astype(dtype), start=1):
        alpha, root_scale = lr / (1 - beta1**t), 1 / math.sqrt(1 - beta2**t)
        resolve("adam", form)(theta, gradient, m, v, alpha, beta1, beta2, root_scale, epsilon, 1.0)
    want = algorithm_1(start.tolist(), gradients.tolist(), lr, beta1, beta2, epsilon)
    np.testing.assert_allclose(theta, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_section_2_differs_only_in_what_epsilon_is_added_to(form: str) -> None:
    def one_step(alpha: float, root_scale: float, epsilon: float) -> Any:
        theta, m, v = np.ones(3), np.zeros(3), np.zeros(3)
        resolve("adam", form)(theta, np.array([2.0, -1e-3, 0.5]), m, v, alpha, 0.9, 0.999, root_scale, epsilon, 1.0)
        return theta

    root = math.sqrt(1 - 0.999)
    printed, folded = one_step(0.1 / 0.1, 1 / root, 1e-4), one_step(0.1 * root / 0.1, 1.0, 1e-4 * root)
    np.testing.assert_allclose(printed, folded, rtol=1e-13)
    assert np.abs(one_step(0.1 * root / 0.1, 1.0, 1e-4) - printed).max() > 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_scale_multiplies_the_gradient_and_nothing_else(form: str) -> None:
    grad = np.array([0.5, -2.0, 3.0])
    states = []
    for gradient, scale in ((grad, 0.25), (0.25 * grad, 1.0)):
        theta, m, v = np.ones(3), np.full(3, 0.1), np.full(3, 0.2)
        resolve("adam", form)(theta, gradient, m, v, 0.1, 0.9, 0.999, 1.0, 1e-8, scale)
        states.append((theta, m, v))
    np.testing.assert_allclose(states[0], states[1], rtol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_a_nan_in_the_gradient_stays_visible_and_stays_where_it_is(form: str) -> None:
    theta, grad, m, v = np.ones(70, np.float32), np.ones(70, np.float32), np.zeros(70, np.float32), np.zeros(70, np.float32)
    grad[13] = np.nan
    resolve("adam", form)(theta, grad, m, v, 0.1, 0.9, 0.999, 1.0, 1e-8, 1.0)
    assert np.flatnonzero(np.isnan(theta)).tolist() == [13]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_scale_that_is_nan_calls_the_step_off(form: str, dtype: str) -> None:
    theta, grad, m, v = (np.linspace(start, 2.0, 70).astype(dtype) for start in (-1.0, -2.0, 0.5, 0.1))
    grad[13] = np.inf
    before = [array.tobytes() for array in (theta, grad, m, v)]
    resolve("adam", form)(theta, grad, m, v, 0.1, 0.9, 0.999, 1.0, 1e-8, math.nan)
    assert [array.tobytes() for array in (theta, grad, m, v)] == before
