"""Adam on a GPU: numbers that lie on the device, a step that is called off, arrays that do not start at a multiple of 16 bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from device_arrays import host

from npae.kernels.cuda.device import Device
from npae.kernels.registry import KERNELS, resolve

DTYPES = ["float32", "float64"]


def example(size: int, dtype: str) -> tuple[Any, ...]:
    return KERNELS["adam"].examples(np.random.default_rng(size), size, dtype)


def stepped(device: Device, arguments: tuple[Any, ...], **numbers: Any) -> bytes:
    """theta, m and v after the step, with some of the numbers replaced."""
    theta, grad, m, v = (device.xp.array(a) for a in arguments[:4])
    names = ("alpha", "beta1", "beta2", "root_scale", "epsilon", "gradient_scale")
    resolve("adam", "gpu")(theta, grad, m, v, **{**dict(zip(names, arguments[4:], strict=True)), **numbers})
    return np.stack([host(theta), host(m), host(v)]).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_on_the_device_make_the_step_that_numbers_of_the_host_make(device: Device, dtype: str) -> None:
    given = {"alpha": 0.003, "root_scale": 1.7, "gradient_scale": 0.25}
    there = {name: device.xp.array(value, "float64") for name, value in given.items()}
    arguments = example(300, dtype)
    assert stepped(device, arguments, **there) == stepped(device, arguments, **given) != stepped(device, arguments)


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_gradient_scale_that_is_nan_calls_the_step_off(device: Device, dtype: str, on_device: bool) -> None:
    arguments = example(300, dtype)
    arguments[1][17] = math.inf
    scale = device.xp.array(math.nan, "float64") if on_device else math.nan
    assert stepped(device, arguments, gradient_scale=scale) == np.stack([arguments[0], arguments[2], arguments[3]]).tobytes()


def test_a_nan_in_the_gradient_stays_visible_and_stays_where_it_is(device: Device) -> None:
    theta, grad, m, v = example(70, "float32")[:4]
    grad[13] = np.nan
    after = np.frombuffer(stepped(device, (theta, grad, m, v, 0.1, 0.9, 0.999, 1.0, 1e-8, 1.0)), np.float32).reshape(3, 70)
    assert [np.flatnonzero(np.isnan(row)).tolist() for row in after] == [[13]] * 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("starts", [(1, 1, 1, 1), (3, 3, 3, 3), (5, 1, 9, 1), (1, 0, 0, 0), (0, 1, 2, 3), (2, 2, 2, 3)])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 1021, 1022, 1023, 1024, 1025, 2049])
def test_a_step_does_not_depend_on_where_the_arrays_start(device: Device, dtype: str, starts: tuple[int, ...], size: int) -> None:
    arguments = example(size, dtype)
    rooms, views = [], []
    for start, array in zip(starts, arguments[:4], strict=True):
        room = device.xp.full(size + 16, 7.0, dtype)
        room[start : start + size] = device.xp.array(array)
        rooms.append(room)
        views.append(room[start : start + size])
    resolve("adam", "gpu")(*views, *arguments[4:])
    assert np.stack([host(views[i]) for i in (0, 2, 3)]).tobytes() == stepped(device, arguments)
    for start, room in zip(starts, rooms, strict=True):
        assert (np.delete(host(room), np.s_[start : start + size]) == 7.0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_ten_steps_over_several_blocks_are_those_of_the_reference(device: Device, dtype: str) -> None:
    rng, size = np.random.default_rng(3), 5003
    ours = [device.xp.array(rng.standard_normal(size), dtype), device.xp.zeros(size, dtype), device.xp.zeros(size, dtype)]
    theirs = [host(ours[0]).astype(np.float64), np.zeros(size), np.zeros(size)]
    for t in range(1, 11):
        gradient = rng.standard_normal(size).astype(dtype)
        numbers = (0.05 / (1 - 0.9**t), 0.9, 0.999, 1 / math.sqrt(1 - 0.999**t), 1e-8, 0.5)
        resolve("adam", "gpu")(ours[0], device.xp.array(gradient), *ours[1:], *numbers)
        resolve("adam", "reference")(theirs[0], gradient.astype(np.float64), *theirs[1:], *numbers)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for x, expected in zip(ours, theirs, strict=True):
        assert np.abs(host(x) - expected).max() <= tolerance * np.abs(expected).max()
