"""MMD^2 against double loops over the pairs, its mean under equal distributions, and its gradient's two parts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.errors import InputError
from npae.losses import IMQMMD, RBFMMD
from npae.losses.mmd import check_kernel

Bound = Callable[..., Any]
Kernel = Callable[[float], float]
RNG = np.random.default_rng(0)
Z, W = 0.8 * RNG.standard_normal((9, 3)) + 0.5, RNG.standard_normal((9, 3))


def _rbf(sigma2: float) -> Kernel:
    return lambda d2: math.exp(-d2 / (2 * sigma2))


def _imq(constants: list[float]) -> Kernel:
    return lambda d2: sum(c / (c + d2) for c in constants)


def _by_loops(k: Kernel, z: Array, w: Array) -> float:
    n = len(z)

    def d2(a: Array, b: Array) -> float:
        return sum((float(p) - float(q)) ** 2 for p, q in zip(a, b, strict=True))

    within_z = sum(k(d2(z[i], z[j])) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_w = sum(k(d2(w[i], w[j])) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    between = sum(k(d2(z[i], w[j])) for i in range(n) for j in range(n)) / n**2
    return within_z + within_w - 2 * between


@pytest.mark.parametrize("sigma2", [0.3, 2.0, 50.0])
def test_the_rbf_value_is_the_three_means_over_pairs(bound: Bound, sigma2: float) -> None:
    assert bound(RBFMMD(sigma2)).forward(Z, W) == pytest.approx(_by_loops(_rbf(sigma2), Z, W), rel=1e-11)


def test_the_prior_rule_is_the_mean_squared_distance_of_two_prior_draws(bound: Bound) -> None:
    assert bound(RBFMMD("prior")).forward(Z, W) == pytest.approx(_by_loops(_rbf(2 * 3), Z, W), rel=1e-11)
    wide = bound(RBFMMD("prior", prior_variance=4.0))
    assert wide.forward(Z, W) == pytest.approx(_by_loops(_rbf(2 * 3 * 4), Z, W), rel=1e-11)


@pytest.mark.parametrize("prior_variance", [1.0, 2.5])
def test_the_imq_value_sums_kernels_whose_constants_are_twice_the_code_size_times_variance_times_scale(
    bound: Bound, prior_variance: float
) -> None:
    constants = [2 * 3 * prior_variance * scale for scale in (0.1, 0.2, 0.5, 1, 2, 5, 10)]
    value = bound(IMQMMD(prior_variance=prior_variance)).forward(Z, W)
    assert value == pytest.approx(_by_loops(_imq(constants), Z, W), rel=1e-11)


def test_one_imq_scale_is_one_kernel(bound: Bound) -> None:
    assert bound(IMQMMD(scales=(0.5,))).forward(Z, W) == pytest.approx(_by_loops(_imq([3.0]), Z, W), rel=1e-11)


def test_a_bandwidth_given_from_outside_is_the_one_that_counts(bound: Bound) -> None:
    loss = bound(RBFMMD("flux"))
    assert loss.forward(Z, W, 1.25) == pytest.approx(_by_loops(_rbf(1.25), Z, W), rel=1e-11)
    assert loss.sigma2 == 1.25


@pytest.mark.parametrize("make", [lambda: RBFMMD("prior"), IMQMMD])
def test_equal_distributions_give_zero_on_average_and_both_signs(bound: Bound, make: Callable[[], Any]) -> None:
    rng = np.random.default_rng(3)
    values = []
    for _ in range(300):
        loss = bound(make())
        values.append(loss.forward(rng.standard_normal((20, 2)), rng.standard_normal((20, 2))))
    assert abs(np.mean(values)) < 4 * np.std(values) / math.sqrt(300)
    assert min(values) < 0 < max(values)


@pytest.mark.parametrize("make", [lambda: RBFMMD("prior"), IMQMMD])
def test_a_shifted_sample_is_far_and_the_gradient_points_away_from_the_prior(bound: Bound, make: Callable[[], Any]) -> None:
    rng = np.random.default_rng(3)
    z, w = rng.standard_normal((200, 2)) + np.array([2.0, 0.0]), rng.standard_normal((200, 2))
    loss = bound(make())
    assert loss.forward(z, w) > 0.1
    dz = loss.backward()
    assert dz[:, 0].sum() > 0, "a step down the gradient must move the codes back"
    assert abs(dz[:, 1].sum()) < 0.1 * dz[:, 0].sum()


def _slope_of_loops(k: Kernel, z: Array, w: Array) -> Array:
    """Central differences of the double loop."""
    gradient, h = np.empty_like(z), 1e-5
    for place in np.ndindex(z.shape):
        plus, minus = z.copy(), z.copy()
        plus[place] += h
        minus[place] -= h
        gradient[place] = (_by_loops(k, plus, w) - _by_loops(k, minus, w)) / (2 * h)
    return gradient


def test_the_gradient_is_the_slope_of_the_double_loop(bound: Bound) -> None:
    for loss, k in ((RBFMMD(1.3), _rbf(1.3)), (IMQMMD(scales=(1.0,)), _imq([6.0]))):
        bound(loss).forward(Z, W)
        dz = loss.backward()
        np.testing.assert_allclose(dz, _slope_of_loops(k, Z, W), rtol=0, atol=1e-8 * np.abs(dz).max() + 1e-10)


def test_the_weight_multiplies_the_gradient(bound: Bound) -> None:
    for make in (lambda: RBFMMD(1.3), IMQMMD):
        once, tenfold = bound(make()), bound(make())
        once.forward(Z, W)
        tenfold.forward(Z, W)
        np.testing.assert_allclose(tenfold.backward(10.0), 10 * once.backward(), rtol=1e-14)


def test_a_stopped_bandwidth_changes_the_gradient_and_not_the_value(bound: Bound) -> None:
    stopped, flowing = bound(RBFMMD("flux")), bound(RBFMMD("flux", stop_gradient=False))
    assert stopped.forward(Z, W) == flowing.forward(Z, W)
    picked = np.abs(flowing.backward() - stopped.backward()).max(axis=1) > 1e-12
    assert 1 <= picked.sum() <= 3, "the bandwidth's gradient reaches the codes of the two picked pairs and no others"


def test_float32_agrees_with_float64_also_far_from_the_origin(bound: Bound) -> None:
    for make in (lambda: RBFMMD(1.3), IMQMMD):
        near, far = bound(make(), "float32"), bound(make(), "float32")
        z, w = Z.astype(np.float32), W.astype(np.float32)
        truth = bound(make(), "float64")
        value = truth.forward(z.astype(float), w.astype(float))
        assert near.forward(z, w) == pytest.approx(value, abs=2e-6)
        dz = truth.backward()
        np.testing.assert_allclose(near.backward(), dz, rtol=0, atol=1e-5 * np.abs(dz).max())
        shifted_z, shifted_w = (np.round(a * 64) / 64 + np.float32(100) for a in (z, w))  # these sums are exact in float32
        moved = bound(make(), "float64").forward((shifted_z - 100).astype(float), (shifted_w - 100).astype(float))
        assert far.forward(shifted_z.astype(np.float32), shifted_w.astype(np.float32)) == pytest.approx(moved, abs=1e-5)


@pytest.mark.parametrize("make", [lambda: RBFMMD(1.0), IMQMMD])
def test_a_batch_of_one_row_has_no_pairs_and_is_refused(bound: Bound, make: Callable[[], Any]) -> None:
    with pytest.raises(InputError, match="MMD of a batch of 1: the unbiased estimate needs at least 2 rows"):
        bound(make()).forward(Z[:1], W[:1])


def test_an_unknown_kernel_is_refused_with_the_nearest_name() -> None:
    assert check_kernel("imq") == "imq"
    with pytest.raises(InputError, match=r"kernel 'rfb' is not known; did you mean 'rbf'\?"):
        check_kernel("rfb")
