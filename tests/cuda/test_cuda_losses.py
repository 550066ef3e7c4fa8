"""Bernoulli likelihood and Gaussian KL on a GPU: every shape of tile, NaN and infinity, aliasing, addresses; values stay on the device."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from device_arrays import Array, host

from npae.kernels.cuda.device import Device
from npae.kernels.registry import KERNELS, resolve

DTYPES = ["float32", "float64"]
BERNOULLI = ["bernoulli_logits", "bernoulli_probabilities"]
KL = ["gaussian_kl_log_std", "gaussian_kl_log_variance", "gaussian_kl_sigma"]


def likelihood(device: Device, name: str, y: Any, x: Any, scale: float, gradient: Any, clip: float = 1 / 64) -> Any:
    """The value; the arrays are the device's."""
    return resolve(name, "gpu")(y, x, *([clip] if name == "bernoulli_probabilities" else []), scale, gradient)


def kl(device: Device, name: str, mu: Array, second: Array, scale: float = 1.0) -> tuple[float, Array, Array, Array]:
    dmu, dsecond, per_unit = (device.xp.array(np.full(shape, np.nan)) for shape in (mu.shape, mu.shape, mu.shape[1:]))
    dmu, dsecond = dmu.astype(mu.dtype), dsecond.astype(mu.dtype)
    value = resolve(name, "gpu")(device.xp.array(mu), device.xp.array(second), scale, dmu, dsecond, per_unit)
    return float(value), host(dmu), host(dsecond), host(per_unit)


def gaussians(name: str, B: int, Z: int, dtype: str = "float64") -> tuple[Array, Array]:
    rng = np.random.default_rng(B + 1000 * Z)
    mu, s = rng.standard_normal((B, Z)).astype(dtype), rng.uniform(-2.0, 1.0, (B, Z)).astype(dtype)
    return mu, np.exp(s) if name == "gaussian_kl_sigma" else s


@pytest.mark.parametrize("name", BERNOULLI + KL)
def test_the_value_stays_on_the_device_as_a_float64_number(device: Device, name: str) -> None:
    example = KERNELS[name].examples(np.random.default_rng(0), 33, "float32")
    value = resolve(name, "gpu")(*(device.xp.array(a) if isinstance(a, np.ndarray) else a for a in example))
    assert isinstance(value, device.xp.ndarray)
    assert (value.shape, value.dtype) == ((), np.float64)


@pytest.mark.parametrize("name", BERNOULLI)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 3, 4, 5, 1023, 1025, 3001])
def test_a_likelihood_does_not_depend_on_where_the_arrays_start(device: Device, name: str, dtype: str, size: int) -> None:
    rng = np.random.default_rng(size)
    y, x = rng.random((2, size)).astype(dtype)
    results = []
    for starts in ((0, 0, 0), (1, 1, 1), (0, 1, 2), (0, 0, 1)):
        rooms = [device.xp.full(size + 8, 7.0, dtype) for _ in starts]
        views = [room[start : start + size] for room, start in zip(rooms, starts, strict=True)]
        views[0][...], views[1][...] = device.xp.array(y), device.xp.array(x)
        value = likelihood(device, name, views[0], views[1], 0.25, views[2])
        results.append((host(value).tobytes(), host(views[2]).tobytes()))
        assert (np.delete(host(rooms[2]), np.s_[starts[2] : starts[2] + size]) == 7.0).all()
    assert results == results[:1] * 4


@pytest.mark.parametrize("name", BERNOULLI)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_of_a_likelihood_may_overwrite_the_input(device: Device, name: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    y, x = (device.xp.array(rng.random((5, 701)).astype(dtype)) for _ in range(2))
    gradient, in_place = device.xp.empty_like(y), y.copy()
    value = likelihood(device, name, y, x, 0.5, gradient)
    assert float(likelihood(device, name, in_place, x, 0.5, in_place)) == float(value)
    assert host(in_place).tobytes() == host(gradient).tobytes()


@pytest.mark.parametrize("name", BERNOULLI)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_an_input_that_is_not_finite_gives_no_finite_value(device: Device, name: str, dtype: str, bad: float, target: float) -> None:
    y, x = np.full((3, 40), 0.5, dtype), np.full((3, 40), target, dtype)
    y[1, 7] = bad
    gradient = device.xp.empty_like(device.xp.array(y))
    value = float(likelihood(device, name, device.xp.array(y), device.xp.array(x), 1.0, gradient))
    assert math.isnan(value) if math.isnan(bad) else not math.isfinite(value)
    assert np.isfinite(np.delete(host(gradient), 47)).all()
    assert math.isnan(bad) <= (name == "bernoulli_probabilities" or math.isnan(host(gradient)[1, 7]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_logit_of_any_size_loses_nothing(device: Device, dtype: str) -> None:
    logits, x = np.array([80, -80, 1000, -1000, 80, -80], dtype), np.array([1, 0, 1, 0, 0, 1], dtype)
    gradient = device.xp.zeros(6, dtype)
    value = likelihood(device, "bernoulli_logits", device.xp.array(logits), device.xp.array(x), 1.0, gradient)
    assert float(value) == pytest.approx(160, rel=1e-6)
    assert host(gradient).tolist() == pytest.approx([0, 0, 0, 0, 1, -1], abs=1e-30)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_is_zero_on_the_clip_and_beyond_it_and_not_inside(device: Device, dtype: str) -> None:
    p = np.array([0.0, 0.0625, 0.125, 0.126, 0.874, 0.875, 0.99, 1.0], dtype)
    gradient = device.xp.full(8, math.nan, dtype)
    value = likelihood(device, "bernoulli_probabilities", device.xp.array(p), device.xp.ones(8, dtype), 1.0, gradient, clip=0.125)
    assert (host(gradient) != 0).tolist() == [False, False, False, True, True, False, False, False]
    assert float(value) == pytest.approx(-np.log(p.clip(0.125, 0.875)).sum(), rel=1e-6)


def test_a_sum_over_more_elements_than_threads_is_good_to_a_millionth(device: Device) -> None:
    rng = np.random.default_rng(3)
    y, x = rng.standard_normal((2, 1024 * 1024 + 5)).astype(np.float32)
    gradient, theirs = device.xp.full(y.shape, math.nan, "float32"), np.empty(y.shape)
    value = likelihood(device, "bernoulli_logits", device.xp.array(y), device.xp.array(x), 1.0, gradient)
    truth = resolve("bernoulli_logits", "reference")(y.astype(np.float64), x.astype(np.float64), 1.0, theirs)
    assert float(value) == pytest.approx(truth, rel=1e-6)
    assert np.abs(host(gradient) - theirs).max() <= 1e-6 * np.abs(theirs).max()


@pytest.mark.parametrize("name", KL)
@pytest.mark.parametrize(("B", "Z"), [
    (1, 1), (5, 1), (1025, 1), (3, 3), (100, 8), (129, 8), (700, 20), (9, 100), (31, 128), (33, 129), (21, 255), (20, 256), (20, 257),
    (7, 600), (1100, 256),
])  # fmt: skip
def test_the_divergence_is_that_of_the_reference_for_every_shape_of_tile(device: Device, name: str, B: int, Z: int) -> None:
    mu, second = gaussians(name, B, Z)
    got = kl(device, name, mu, second, 1 / B)
    dmu, dsecond, per_unit = np.empty((B, Z)), np.empty((B, Z)), np.empty(Z)
    value = resolve(name, "reference")(mu, second, 1 / B, dmu, dsecond, per_unit)
    assert got[0] == pytest.approx(value, rel=1e-13)
    for x, expected in zip(got[1:], (dmu, dsecond, per_unit), strict=True):
        np.testing.assert_allclose(x, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", KL)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradients_of_the_divergence_may_overwrite_its_inputs(device: Device, name: str, dtype: str) -> None:
    mu, second = gaussians(name, 150, 20, dtype)
    value, dmu, dsecond, per_unit = kl(device, name, mu, second, 0.5)
    in_place, units = (device.xp.array(mu), device.xp.array(second)), device.xp.empty(20, "float64")
    assert float(resolve(name, "gpu")(*in_place, 0.5, *in_place, units)) == value
    assert [host(a).tobytes() for a in (*in_place, units)] == [a.tobytes() for a in (dmu, dsecond, per_unit)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_divergence_of_the_prior_from_itself_is_exactly_zero(device: Device, dtype: str) -> None:
    zero, one = np.zeros((300, 3), dtype), np.ones((300, 3), dtype)
    for name, second in zip(KL, (zero, zero, one), strict=True):
        value, dmu, dsecond, per_unit = kl(device, name, zero, second)
        assert value == 0
        assert not np.any([dmu, dsecond])
        assert not per_unit.any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("B", [3, 300])
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
def test_a_degenerate_sigma_shows_in_its_own_unit_alone(device: Device, dtype: str, B: int, name: str, bad: float, expected: str) -> None:
    mu, second = np.zeros((B, 9), dtype), np.ones((B, 9), dtype)
    second[B - 2, 4] = bad
    value, _, _, per_unit = kl(device, name, mu, second)
    assert not math.isfinite(value)
    assert expected == "not finite" or str(value) == expected
    assert np.isfinite(np.delete(per_unit, 4)).all()
