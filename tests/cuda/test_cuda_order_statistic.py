"""The order statistic of distances on a GPU against a sort: few and many pairs, ties, NaN, a missed guess; the pair; what stays there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from device_arrays import Array, host
from shim import OnCpu

from npae.errors import InputError
from npae.kernels.cuda.device import Device, using
from npae.kernels.order_statistic import gpu
from npae.kernels.registry import resolve

DTYPES = ["float32", "float64"]
MANY = (71, 133)  # more pairs than are stored, here


@pytest.fixture(autouse=True)
def fewer_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small samples take the way of large ones."""
    monkeypatch.setattr(gpu, "FEW", 1000)


def statistic(device: Device, z: Array, w: Array, rank: int) -> float:
    """That of the CUDA form, read."""
    left = device.xp.array(z)
    return float(gpu.distance_order_statistic(left, left if w is z else device.xp.array(w), rank))


def pair(device: Device, z: Array, w: Array, value: Any) -> tuple[int, int]:
    left = device.xp.array(z)
    i, j = gpu.locate_distance(left, left if w is z else device.xp.array(w), value)
    return int(i), int(j)


def distances(z: Array, w: Array) -> Array:
    out = np.empty((len(z), len(w)), z.dtype)
    resolve("pairwise_squared", "reference")(z, w, out)
    return out


def points(seed: int, n: int, m: int, d: int, dtype: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)).astype(dtype), rng.standard_normal((m, d)).astype(dtype)


def passes_with_work(monkeypatch: pytest.MonkeyPatch, device: Device, z: Array, w: Array, rank: int) -> tuple[float, int]:
    """The statistic, and how many passes did not find it found."""
    passes, launch = 0, device.launch

    def counted(name: str, kernel: str, real: Any, grid: Any, block: Any, arguments: Any, shared: int = 0) -> None:
        nonlocal passes
        passes += kernel == "narrow" and not int(arguments[7][2])
        launch(name, kernel, real, grid, block, arguments, shared)

    with monkeypatch.context() as patch:
        patch.setattr(device, "launch", counted)
        return statistic(device, z, w, rank), passes


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_rank_of_few_pairs_is_that_of_the_sorted_distances(device: Device, dtype: str) -> None:
    z, w = points(0, 3, 4, 3, dtype)
    ordered = np.sort(distances(z, w).ravel())
    assert [statistic(device, z, w, rank) for rank in range(12)] == ordered.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_ranks_of_many_pairs_are_exact_and_the_middle_takes_the_passes_that_are_stated(
    monkeypatch: pytest.MonkeyPatch, device: Device, dtype: str, offset: float
) -> None:
    z, w = (array + np.dtype(dtype).type(offset) for array in points(1, *MANY, 8, dtype))
    for left, right in ((z, w), (w, w)):
        ordered = np.sort(distances(left, right).ravel())
        for rank in (0, 140, ordered.size // 2, ordered.size - 1):
            value, passes = passes_with_work(monkeypatch, device, left, right, rank)
            assert value == ordered[rank]
            assert passes <= gpu.PASSES[dtype]
            if rank == ordered.size // 2:
                assert passes <= {"float32": 2, "float64": 5}[dtype]


@pytest.mark.parametrize(("n", "m"), [(127, 129), (128, 64), (129, 65), (1, 1100), (1100, 1)])
def test_samples_that_fill_their_tiles_or_miss_them_by_one_are_exact(device: Device, n: int, m: int) -> None:
    z, w = points(n, n, m, 17, "float32")
    rank = n * m // 3
    assert statistic(device, z, w, rank) == np.partition(distances(z, w).ravel(), rank)[rank]


@pytest.mark.parametrize("dtype", DTYPES)
def test_ties_count_as_often_as_they_occur(device: Device, dtype: str) -> None:
    rng = np.random.default_rng(2)
    z = rng.integers(0, 3, (140, 2)).astype(dtype)
    ordered = np.sort(distances(z, z).ravel())
    edges = np.flatnonzero(np.diff(ordered))
    assert 0 < len(edges) <= 8
    for rank in (edges[0], edges[0] + 1, edges[1], edges[-1] + 1):
        assert statistic(device, z, z, int(rank)) == ordered[rank]


def test_points_that_are_all_the_same_have_one_distance(device: Device) -> None:
    z = np.full((130, 3), 1.5, "float32")
    assert statistic(device, z, z, 8_000) == 0
    assert statistic(device, z, z + np.float32(2), 8_000) == 12
    assert pair(device, z, z + np.float32(2), 12.0) == (0, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_distances_that_share_their_leading_bits_are_told_apart(device: Device, dtype: str) -> None:
    z, w = points(3, *MANY, 1, dtype)
    z, w = (1e-6 * z).astype(dtype), (1.2 + 1e-6 * w).astype(dtype)
    ordered = np.sort(distances(z, w).ravel())
    for rank in (0, ordered.size // 2):
        assert statistic(device, z, w, rank) == ordered[rank]


@pytest.mark.filterwarnings("ignore:invalid value")  # NumPy's, where infinities meet
@pytest.mark.parametrize(("n", "m"), [(20, 30), MANY])
def test_infinity_ranks_above_numbers_and_nan_above_infinity(device: Device, n: int, m: int) -> None:
    z, w = points(4, n, m, 3, "float32")
    z[5, 1], z[7, 0], w[2, 2] = np.nan, np.inf, np.inf
    for left, right in ((z, w), (z, z)):
        ordered = np.sort(distances(left, right).ravel())
        numbers, known = int(np.isfinite(ordered).sum()), int((~np.isnan(ordered)).sum())
        assert numbers < known < ordered.size
        for rank in (numbers - 1, numbers):
            assert statistic(device, left, right, rank) == ordered[rank]
        for rank in (known, ordered.size - 1):
            assert np.isnan(statistic(device, left, right, rank))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("guess", [(-1, -1), (10, 20), (65_536, 65_536), (-1, 65_536)])
def test_a_guess_that_misses_costs_passes_and_not_the_result(
    monkeypatch: pytest.MonkeyPatch, device: Device, dtype: str, guess: tuple[int, int]
) -> None:
    z, w = points(5, *MANY, 4, dtype)
    ordered = np.sort(distances(z, w).ravel())
    monkeypatch.setattr(gpu, "_around", lambda rank, pairs: guess)
    for rank in (0, 4_000):
        assert statistic(device, z, w, rank) == ordered[rank]


def as_written(name: str, text: str) -> str:
    return text


def handing_in_after_every_tile(name: str, text: str) -> str:
    assert name != gpu.PASS or "MOST_TILES = 1 << 17" in text
    return text.replace("MOST_TILES = 1 << 17", "MOST_TILES = 1")


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("edit", [as_written, handing_in_after_every_tile])
def test_the_number_of_blocks_and_how_often_they_hand_in_their_counts_change_nothing(
    monkeypatch: pytest.MonkeyPatch, most: int, edit: Callable[[str, str], str]
) -> None:
    """Tiles on the diagonal count once and the others twice, also where one block has both."""
    z, w = points(6, 270, 140, 2, "float32")
    monkeypatch.setattr(gpu, "MOST_BLOCKS", most)
    with using(OnCpu(order=2, seed=3, edit=edit)) as device:
        for left, right in ((z, w), (z, z)):
            d2 = distances(left, right)
            ordered = np.sort(d2.ravel())
            for rank in (269, 271, 20_000):
                assert statistic(device, left, right, rank) == ordered[rank]
            assert pair(device, left, right, float(d2[211, 17])) == ((17, 211) if right is left else (211, 17))


@pytest.mark.parametrize("rank", [-1, 12, 1.0, True])
def test_a_rank_that_no_distance_has_is_named(device: Device, rank: Any) -> None:
    z, w = points(7, 3, 4, 2, "float32")
    with pytest.raises(InputError, match=f"rank is {rank!r}; expected a whole number from 0"):
        statistic(device, z, w, rank)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_pair_is_found_by_the_number_that_lies_on_the_device(device: Device, dtype: str) -> None:
    z, w = points(8, 40, 133, 6, dtype)
    left, right = device.xp.array(z), device.xp.array(w)
    for a, b in ((left, right), (right, right)):
        value = gpu.distance_order_statistic(a, b, len(a) * len(b) // 2)
        found = gpu.locate_distance(a, b, value)
        assert value.dtype == np.float64
        assert value.shape == ()
        assert all(isinstance(index, device.xp.ndarray) and index.dtype == np.int64 and index.shape == () for index in found)
        assert [int(index) for index in found] == [int(index) for index in gpu.locate_distance(a, b, float(value))]
        i, j = (int(index) for index in found)
        assert distances(host(a), host(b))[i, j] == float(value)


def test_of_several_pairs_at_one_distance_the_first_row_by_row_is_given(device: Device) -> None:
    rng = np.random.default_rng(9)
    z, w = (rng.integers(-1, 2, (n, 2)).astype("float32") for n in (130, 140))
    for left, right in ((z, w), (z, z)):
        d2 = distances(left, right)
        for value in np.unique(d2):
            first = int(np.flatnonzero(d2.ravel() == value)[0])
            assert pair(device, left, right, float(value)) == divmod(first, len(right))


def test_a_distance_that_no_pair_has_is_at_minus_1(device: Device) -> None:
    z, w = points(10, 130, 5, 3, "float32")
    z[4] = np.nan
    for value in (-1.0, 1e9, np.nan):
        assert pair(device, z, w, value) == (-1, -1)
