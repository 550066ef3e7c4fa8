"""Pairwise squared distances on a GPU: bit for bit those of the reference at the edges of tiles, whatever the points hold."""

from __future__ import annotations

import numpy as np
import pytest
from device_arrays import Array, host

from npae.kernels.cuda.device import Device
from npae.kernels.registry import resolve

DTYPES = ["float32", "float64"]


def distances(device: Device, x: Array, y: Array) -> Array:
    """Those of the CUDA form."""
    on_device = device.xp.array(x)
    others = on_device if y is x else device.xp.array(y)
    out = device.xp.full((len(x), len(y)), np.nan, x.dtype)
    resolve("pairwise_squared", "gpu")(on_device, others, out)
    return host(out)


def expected(x: Array, y: Array) -> Array:
    out = np.empty((len(x), len(y)), x.dtype)
    resolve("pairwise_squared", "reference")(x, y, out)
    return out


def points(seed: int, n: int, d: int, dtype: str) -> Array:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 16, 17, 33])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (31, 129), (33, 127), (64, 128)])
def test_the_edges_of_tiles_and_of_groups_of_features_are_exact(device: Device, dtype: str, n: int, m: int, d: int) -> None:
    x, y = points(n, n, d, dtype), points(m, m, d, dtype)
    assert np.array_equal(distances(device, x, y), expected(x, y))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_point_is_at_distance_0_from_itself_and_both_ways_are_as_far_also_far_from_the_origin(device: Device, dtype: str) -> None:
    x = points(0, 150, 7, dtype) + np.dtype(dtype).type(100)
    d2 = distances(device, x, x)
    assert (np.diag(d2) == 0).all()
    assert np.array_equal(d2, d2.T)
    assert np.array_equal(d2, expected(x, x))


def test_rows_of_no_features_are_all_at_distance_0(device: Device) -> None:
    assert (distances(device, np.empty((3, 0)), np.empty((200, 0))) == 0).all()


@pytest.mark.filterwarnings("ignore:invalid value")  # NumPy's, where infinities meet
def test_nan_and_infinity_reach_the_pairs_that_have_them_and_no_others(device: Device) -> None:
    x, y = points(1, 40, 5, "float32"), points(2, 140, 5, "float32")
    x[3, 1], x[35, 4], y[0, 1], y[139, 0] = np.nan, np.inf, np.inf, -np.inf
    assert np.array_equal(distances(device, x, y), expected(x, y), equal_nan=True)


def test_distances_too_small_and_too_large_for_their_squares_become_0_and_infinity(device: Device) -> None:
    x = np.array([[0.0], [1e-30], [1e-20], [1e25]], "float32")
    with np.errstate(over="ignore"):
        want = expected(x, x)
    assert np.array_equal(distances(device, x, x), want)
    assert np.isinf(want[0, 3])
    assert 0 < want[0, 2] < np.finfo("float32").tiny  # subnormal numbers are kept
