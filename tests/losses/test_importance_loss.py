"""The importance-weighted bound from log weights, against scipy; and log p(x|z) row by row in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from npae.backend import Array, backend
from npae.losses import BernoulliLogits, BernoulliProbabilities, Gaussian, ImportanceWeighted
from npae.losses.log_likelihood import log_likelihood_rows


def bound(log_w: Array) -> tuple[float, Array]:
    """The loss and its gradient."""
    loss = ImportanceWeighted()
    loss.bind(backend("numpy"), np.dtype("float64"))
    value = loss.forward(log_w)
    return value, loss.backward()


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 7), (6, 50)])
@pytest.mark.parametrize("scale", [0.1, 30.0, 1e4])
def test_the_bound_and_its_gradient_are_scipys(shape: tuple[int, int], scale: float) -> None:
    log_w = scale * np.random.default_rng(0).standard_normal(shape) - 100
    value, gradient = bound(log_w)
    assert value == pytest.approx(-np.mean(logsumexp(log_w, axis=1) - np.log(shape[1])), rel=1e-12)
    np.testing.assert_allclose(gradient, -softmax(log_w, axis=1) / shape[0], rtol=1e-9, atol=1e-300)


def test_one_draw_a_row_is_the_mean_of_the_log_weights() -> None:
    log_w = np.array([[-3.0], [-5.0]])
    value, gradient = bound(log_w)
    assert value == 4.0
    np.testing.assert_array_equal(gradient, [[-0.5], [-0.5]])


def test_equal_draws_gain_nothing_and_share_the_gradient() -> None:
    value, gradient = bound(np.full((2, 4), -7.0))
    assert value == pytest.approx(7.0, rel=1e-15)
    np.testing.assert_allclose(gradient, -1 / 8, rtol=1e-15)


@pytest.mark.parametrize("spread", [1.0, 60.0])
@pytest.mark.parametrize("make", [BernoulliLogits, BernoulliProbabilities, lambda: Gaussian(0.3)])
def test_rows_in_float32_are_those_in_float64_up_to_rounding(make: Callable[[], Any], spread: float) -> None:
    rng = np.random.default_rng(1)
    y, x = spread * rng.standard_normal((9, 784)), (rng.random((9, 784)) < 0.5).astype(float)
    if isinstance(make(), BernoulliProbabilities):
        y = 1 / (1 + np.exp(-y / spread))
    exact = log_likelihood_rows(make(), y, x)
    found = log_likelihood_rows(make(), y.astype(np.float32), x.astype(np.float32))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, exact, rtol=3e-6)
