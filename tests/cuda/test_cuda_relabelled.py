"""Sums over relabellings on a GPU: edges of tiles and panels, where a relabelling stands, numbers on the device, memory."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest
from counting import Counting
from device_arrays import Array, host
from shim import OnCpu

from npae.kernels.cuda.device import Device, using
from npae.kernels.relabelled.gpu import relabelled_sums
from npae.kernels.relabelled.reference import relabelled_sums as reference

DTYPES = ["float32", "float64"]


def example(n: int, count: int, dtype: str, d: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(n + 1000 * count)
    return (0.7 * rng.standard_normal((n, d)) + 100.0).astype(dtype), rng.integers(2, size=(count, n), dtype=np.int8)


def sums_of(device: Device, x: Array, labels: Array, sigma2: Any = 2.5) -> tuple[Array, Array]:
    """The sums, and T."""
    sums = device.xp.full((2, len(labels)), np.nan)
    total = relabelled_sums(device.xp.array(x), sigma2, device.xp.array(labels), sums)
    assert isinstance(total, device.xp.ndarray)
    assert (total.shape, total.dtype) == ((), np.float64)
    return host(sums), host(total)


def compare(device: Device, x: Array, labels: Array) -> None:
    sums, total = sums_of(device, x, labels)
    want = np.empty(sums.shape)
    want_total = reference(x.astype(np.float64), 2.5, labels, want)
    pairs = len(x) * (len(x) - 1) * (3e-7 if x.dtype == np.float32 else 1e-14)
    assert np.abs(sums - want).max() <= pairs
    assert abs(total - want_total) <= pairs


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 63, 64, 65, 127, 128, 129])
def test_relabellings_about_the_edges_of_a_panel_agree_with_the_reference(device: Device, dtype: str, count: int) -> None:
    compare(device, *example(70, count, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "d"), [(2, 1), (63, 16), (64, 17), (65, 70), (129, 3), (200, 33)])
def test_points_about_the_edges_of_a_tile_agree_with_the_reference(device: Device, dtype: str, n: int, d: int) -> None:
    compare(device, *example(n, 9, dtype, d))


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_that_are_collected_after_every_other_tile_add_up_to_the_same(dtype: str) -> None:
    """What a strip of more than GROUP tiles does, at a size that a test can afford."""

    def edit(name: str, text: str) -> str:
        assert "GROUP = 16;" in text
        return text.replace("GROUP = 16;", "GROUP = 2;")

    with mock.patch("npae.kernels.relabelled.gpu.MOST", 1), using(OnCpu(order=2, seed=3, edit=edit)) as device:
        compare(device, *example(500, 20, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_relabellings_have_equal_sums_wherever_they_stand(device: Device, dtype: str) -> None:
    x, labels = example(150, 260, dtype)
    same = [0, 1, 5, 63, 64, 127, 128, 200, 259]
    labels[same] = labels[0]
    sums, _ = sums_of(device, x, labels)
    assert len({sums[:, i].tobytes() for i in same}) == 1
    assert sums_of(device, x, labels[:1])[0].tobytes() == sums[:, :1].tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_group_of_all_points_has_the_sum_of_all_pairs_and_one_of_none_has_nothing(device: Device, dtype: str) -> None:
    x, _ = example(140, 1, dtype)
    sums, total = sums_of(device, x, np.repeat(np.array([[1], [0]], np.int8), len(x), axis=1))
    assert np.abs(sums[:, 0] - total).max() <= 1e-6 * total
    assert not sums[:, 1].any()


def test_a_bandwidth_on_the_device_gives_the_same_bytes_as_one_on_the_host(device: Device) -> None:
    x, labels = example(70, 5, "float32")
    on_host, on_device = sums_of(device, x, labels, 1.7), sums_of(device, x, labels, device.xp.array(1.7))
    assert [a.tobytes() for a in on_host] == [a.tobytes() for a in on_device]


def test_memory_does_not_grow_with_the_pairs() -> None:
    x, labels = np.broadcast_to(np.float32(0), (40_000, 8)), np.broadcast_to(np.int8(0), (1000, 40_000))
    counting = Counting()
    with using(counting):
        relabelled_sums(x, 1.0, labels, x)
    assert 0 < counting.asked < 12e6
