"""Philox on CUDA: the known answers, a step number that lies on the device, outputs that are not aligned, more numbers than threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from device_arrays import Array, host

from npae.kernels.cuda.device import Device
from npae.kernels.registry import resolve

DRAWS = ["philox_bits", "philox_uniform", "philox_normal"]
TOP = 2**32 - 1


def draw(
    device: Device | None,
    name: str,
    rows: Any,
    columns: int,
    *,
    seed: int = 11,
    stream: int = 2,
    step: Any = 3,
    dtype: str = "float64",
    offset: int = 0,
) -> Array:
    """By the CUDA form, into an array that many elements behind its room's beginning; by the reference where there is no device."""
    xp = np if device is None else device.xp
    rows = xp.asarray(np.asarray(rows, np.int64))
    room = xp.zeros(len(rows) * columns + offset, "uint32" if name == "philox_bits" else dtype)
    out = room[offset:].reshape(len(rows), columns)
    resolve(name, "reference" if device is None else "gpu")(seed, stream, step, rows, out)
    return host(out)


def test_the_first_known_answer_is_seed_zero(device: Device) -> None:
    bits = draw(device, "philox_bits", [0], 4, seed=0, stream=0, step=0)
    assert [f"{word:08x}" for word in bits[0]] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("columns", [1, 4, 7, 8, 50, 784])
def test_the_numbers_are_the_references_for_every_width(device: Device, name: str, columns: int) -> None:
    rows = np.random.default_rng(columns).integers(2**32, size=9)
    for dtype in ("float32", "float64"):
        ours, theirs = (draw(place, name, rows, columns, dtype=dtype) for place in (device, None))
        if name == "philox_normal":
            np.testing.assert_allclose(ours, theirs, rtol=6e-8 if dtype == "float32" else 4e-15, atol=4e-15)
        else:
            assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", DRAWS)
def test_the_largest_seed_stream_step_and_row_are_taken_whole(device: Device, name: str) -> None:
    ours, theirs = (draw(place, name, [TOP, 0], 6, seed=2**64 - 1, stream=TOP, step=TOP) for place in (device, None))
    np.testing.assert_allclose(ours, theirs, rtol=4e-15)


@pytest.mark.parametrize("name", DRAWS)
def test_a_step_number_on_the_device_draws_what_a_host_number_draws(device: Device, name: str) -> None:
    there = device.xp.zeros((), "int64")
    for step in (0, 3, TOP):
        there[...] = step
        assert np.array_equal(draw(device, name, range(5), 9, step=there), draw(device, name, range(5), 9, step=step))
    assert not np.array_equal(draw(device, name, range(5), 9, step=0), draw(device, name, range(5), 9, step=there))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DRAWS)
def test_an_output_that_is_not_aligned_holds_the_same_numbers(device: Device, name: str, dtype: str) -> None:
    for columns in (8, 5):
        whole = draw(device, name, range(33), columns, dtype=dtype)
        for offset in (1, 2, 3, 4):
            assert np.array_equal(draw(device, name, range(33), columns, dtype=dtype, offset=offset), whole)


@pytest.mark.parametrize("name", DRAWS)
def test_every_number_is_drawn_where_they_are_more_than_threads(device: Device, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = draw(device, name, range(200), 9)
    monkeypatch.setattr("npae.kernels.philox.gpu.MOST", 2)
    assert np.array_equal(draw(device, name, range(200), 9), whole)


def test_float32_noise_is_the_rounded_float64_noise(device: Device) -> None:
    single, double = (draw(device, "philox_normal", range(300), 9, dtype=dtype) for dtype in ("float32", "float64"))
    assert np.array_equal(single, double.astype(np.float32))


def test_uniform_is_the_upper_24_bits_in_both_dtypes(device: Device) -> None:
    bits = draw(device, "philox_bits", range(200), 30)
    for dtype in ("float32", "float64"):
        assert np.array_equal(draw(device, "philox_uniform", range(200), 30, dtype=dtype), (bits >> 8) / 2**24)


@pytest.mark.parametrize("name", DRAWS)
def test_no_rows_are_drawn_without_harm(device: Device, name: str) -> None:
    assert draw(device, name, [], 5).shape == (0, 5)
