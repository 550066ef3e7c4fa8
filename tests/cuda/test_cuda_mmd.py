"""MMD and its gradient on a GPU: both forms of the pairs, edges of strips and slices, offsets, what is not finite, memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from counting import Counting
from device_arrays import Array, host
from shim import OnCpu

from npae.kernels.cuda.device import Device, using
from npae.kernels.mmd.gpu import mmd_imq, mmd_rbf
from npae.kernels.mmd.reference import mmd_imq as reference_imq
from npae.kernels.mmd.reference import mmd_rbf as reference_rbf

DTYPES = ["float32", "float64"]
HELD, TILED = 3, 40  # features of points that stay in registers, and of those that do not
SCALES = np.array([0.5, 2.0, 7.0])


def samples(n: int, m: int, d: int, dtype: str, offset: float = 0.0) -> tuple[Array, Array]:
    rng = np.random.default_rng(1000 * n + m + d)
    z, w = 0.7 * rng.standard_normal((n, d)) + 1.0, rng.standard_normal((m, d))
    return (z + offset).astype(dtype), (w + offset).astype(dtype)


def rbf(device: Device, z: Array, w: Array, sigma2: Any) -> tuple[Array, Array, Array]:
    """Value, its derivative with respect to sigma2, and the gradient."""
    dz = device.xp.full(z.shape, np.nan, z.dtype)
    value, slope = mmd_rbf(device.xp.array(z), device.xp.array(w), sigma2, dz)
    return host(value), host(slope), host(dz)


def imq(device: Device, z: Array, w: Array, scales: Array) -> tuple[Array, Array]:
    """Value and gradient."""
    dz = device.xp.full(z.shape, np.nan, z.dtype)
    value = mmd_imq(device.xp.array(z), device.xp.array(w), device.xp.array(scales), dz)
    return host(value), host(dz)


def agree(got: Array, want: Any, atol: float, rtol: float) -> None:
    assert np.abs(got - want).max() <= atol + rtol * np.abs(want).max()


def compare(device: Device, z: Array, w: Array) -> None:
    """Both kernels against the reference in float64."""
    of_value, of_gradient = (1e-6, 1e-5) if z.dtype == np.float32 else (1e-14, 1e-12)
    d = z.shape[1]
    wide = z.astype(np.float64), w.astype(np.float64), np.empty(z.shape)
    value, slope, dz = rbf(device, z, w, 0.7 * d)
    want, want_slope = reference_rbf(wide[0], wide[1], 0.7 * d, wide[2])
    agree(value, want, of_value, 0.0)
    agree(slope, want_slope, of_value, of_gradient)
    agree(dz, wide[2], 0.0, of_gradient)
    value, dz = imq(device, z, w, d * SCALES)
    agree(value, reference_imq(wide[0], wide[1], d * SCALES, wide[2]), of_value * len(SCALES), 0.0)
    agree(dz, wide[2], 0.0, of_gradient)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 8, 9, 16, 17, 63, 64, 65, 130])
def test_points_of_every_width_agree_with_the_reference(device: Device, dtype: str, d: int) -> None:
    compare(device, *samples(67, 34, d, dtype))


@pytest.mark.parametrize("d", [HELD, TILED])
@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 130), (130, 2), (127, 129), (128, 128), (129, 257)])
def test_samples_about_the_edges_of_a_strip_agree_with_the_reference(device: Device, d: int, n: int, m: int) -> None:
    compare(device, *samples(n, m, d, "float32"))


@pytest.mark.parametrize("d", [8, TILED])
def test_an_offset_of_all_points_costs_no_digits(device: Device, d: int) -> None:
    compare(device, *samples(150, 90, d, "float32", offset=100.0))


@pytest.mark.parametrize("d", [HELD, TILED, 70])
def test_pulls_that_are_stored_after_every_tile_add_up_to_the_same(d: int) -> None:
    """What a slice of more than GROUP columns does, at a size that a test can afford."""
    z, w = samples(5, 600, d, "float32")  # slices of w: 32 columns, and 128 in tiles
    columns = 16 if d == HELD else 64

    def edit(name: str, text: str) -> str:
        for old, new in ("GROUP = 1024", f"GROUP = {columns}"), ("COLUMNS = 64", f"COLUMNS = {columns}"):
            assert old in text
            text = text.replace(old, new)
        return text

    with using(OnCpu(order=2, seed=3, edit=edit)) as device:
        compare(device, z, w)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [HELD, TILED])
def test_a_bandwidth_on_the_device_gives_the_same_bytes_as_one_on_the_host(device: Device, dtype: str, d: int) -> None:
    z, w = samples(33, 50, d, dtype)
    on_host, on_device = rbf(device, z, w, 1.7), rbf(device, z, w, device.xp.array(1.7))
    assert [a.tobytes() for a in on_host] == [a.tobytes() for a in on_device]


def test_the_numbers_stay_on_the_device(device: Device) -> None:
    z, w = (device.xp.array(a) for a in samples(5, 6, 3, "float32"))
    numbers = [*mmd_rbf(z, w, 1.0, device.xp.empty_like(z)), mmd_imq(z, w, device.xp.array(SCALES), device.xp.empty_like(z))]
    for number in numbers:
        assert isinstance(number, device.xp.ndarray)
        assert (number.shape, number.dtype) == ((), np.float64)


@pytest.mark.parametrize("d", [HELD, TILED])
@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_point_that_is_not_finite_makes_the_value_nan(device: Device, d: int, sample: int, bad: float) -> None:
    both = samples(140, 70, d, "float32")
    both[sample][-1, d // 2] = bad
    assert np.isnan(rbf(device, *both, 2.0)[0])
    value, dz = imq(device, *both, SCALES)
    assert np.isnan(value)
    assert np.isnan(dz[:, d // 2]).all()


@pytest.mark.parametrize("d", [HELD, TILED])
def test_a_bandwidth_of_zero_gives_nan(device: Device, d: int) -> None:
    for result in rbf(device, *samples(20, 30, d, "float32"), 0.0):
        assert np.isnan(result).all()


@pytest.mark.parametrize("d", [HELD, TILED])
def test_points_that_are_all_the_same_have_no_discrepancy_and_no_gradient(device: Device, d: int) -> None:
    z, w = np.full((150, d), 100.0, "float32"), np.full((70, d), 100.0, "float32")
    value, slope, dz = rbf(device, z, w, 0.5)
    assert abs(value) < 1e-14
    assert slope == 0.0
    assert not dz.any()


@pytest.mark.parametrize(("d", "sigma2"), [(HELD, 0.012), (TILED, 1.5)])
def test_a_narrow_bandwidth_keeps_its_digits(device: Device, d: int, sigma2: float) -> None:
    """A point with itself has k = 1; where all other pairs have far less, a sum that ever held the 1 would have lost them."""
    rng = np.random.default_rng(0)
    z, w = (rng.standard_normal((rows, d)).astype("float32") for rows in (60, 70))
    want, _ = reference_rbf(z.astype(np.float64), w.astype(np.float64), sigma2, np.empty(z.shape))
    assert 1e-8 < abs(want) < 1e-3
    assert abs(rbf(device, z, w, sigma2)[0] - want) <= 3e-5 * abs(want)


@pytest.mark.parametrize(("n", "d", "megabytes"), [(60_000, 8, 40), (60_000, 64, 65), (100, 8, 1), (1000, 64, 10)])
def test_memory_grows_with_the_points_and_not_with_the_pairs(n: int, d: int, megabytes: int) -> None:
    z = np.broadcast_to(np.float32(0), (n, d))
    counting = Counting()
    with using(counting):
        mmd_rbf(z, z, 1.0, z)
    assert 0 < counting.asked < megabytes * 1e6
