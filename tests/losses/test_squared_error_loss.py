"""Squared error and the Gaussian likelihood, against double loops and scipy.stats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from npae.errors import InputError
from npae.losses import Gaussian, SquaredError

Bound = Callable[..., Any]
RNG = np.random.default_rng(0)
Y, X = RNG.standard_normal((5, 3)), RNG.random((5, 3))


def test_sum_is_the_mean_over_rows_of_the_sum_over_features(bound: Bound) -> None:
    by_loops = sum(sum((Y[b, f] - X[b, f]) ** 2 for f in range(3)) for b in range(5)) / 5
    assert bound(SquaredError()).forward(Y, X) == pytest.approx(by_loops, rel=1e-14)


def test_mean_is_the_mean_over_all_elements(bound: Bound) -> None:
    by_loops = sum((Y[b, f] - X[b, f]) ** 2 for f in range(3) for b in range(5)) / 15
    assert bound(SquaredError("mean")).forward(Y, X) == pytest.approx(by_loops, rel=1e-14)


@pytest.mark.parametrize(("reduction", "count"), [("sum", 5), ("mean", 15)])
def test_the_gradient_is_twice_the_difference_over_the_count(bound: Bound, reduction: str, count: int) -> None:
    loss = bound(SquaredError(reduction))
    loss.forward(Y, X)
    np.testing.assert_allclose(loss.backward(), 2 * (Y - X) / count, rtol=1e-14)


def test_per_image_turns_either_reduction_into_the_sum_over_features(bound: Bound) -> None:
    total, mean = bound(SquaredError("sum")), bound(SquaredError("mean"))
    assert mean.forward(Y, X) * mean.per_image(3) == pytest.approx(total.forward(Y, X) * total.per_image(3), rel=1e-14)


@pytest.mark.parametrize("eta", [0.01, 0.5, 1.0, 7.0])
def test_the_gaussian_loss_is_the_negative_log_density_constant_included(bound: Bound, eta: float) -> None:
    truth = -stats.norm.logpdf(X, loc=Y, scale=math.sqrt(eta)).sum() / 5
    assert bound(Gaussian(eta)).forward(Y, X) == pytest.approx(truth, rel=1e-13)


@pytest.mark.parametrize("eta", [0.01, 0.5, 7.0])
def test_the_gaussian_gradient_is_the_difference_over_eta_and_the_rows(bound: Bound, eta: float) -> None:
    loss = bound(Gaussian(eta))
    loss.forward(Y, X)
    np.testing.assert_allclose(loss.backward(), (Y - X) / (eta * 5), rtol=1e-13)


def test_a_variance_of_one_half_is_the_squared_error_up_to_its_constant(bound: Bound) -> None:
    constant = 0.5 * 3 * math.log(math.pi)
    assert bound(Gaussian(0.5)).forward(Y, X) == pytest.approx(bound(SquaredError()).forward(Y, X) + constant, rel=1e-14)


def test_the_mean_of_the_data_is_the_decoders_output(bound: Bound) -> None:
    for loss in (SquaredError(), Gaussian(2.0)):
        assert bound(loss).mean(Y) is Y
    assert Gaussian().per_image(784) == 1


def test_float32_agrees_with_float64(bound: Bound) -> None:
    for make in (SquaredError, Gaussian):
        wide, narrow = bound(make(), "float64"), bound(make(), "float32")
        value = narrow.forward(Y.astype(np.float32), X.astype(np.float32))
        assert value == pytest.approx(wide.forward(Y, X), rel=1e-6)
        gradient = narrow.backward()
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, wide.backward(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("eta", [0.0, -1.0, math.inf, math.nan])
def test_a_variance_that_is_none_is_refused(eta: float) -> None:
    with pytest.raises(InputError, match=f"eta {eta} is not a variance: it must be a finite number above 0"):
        Gaussian(eta)


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(InputError, match=r"reduction 'means' is not known; did you mean 'mean'\?"):
        SquaredError("means")
