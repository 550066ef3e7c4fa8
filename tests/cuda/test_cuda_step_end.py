"""How a captured step ends, against NumPy: whether its gradient may be used, its line of the log, the counters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from device_arrays import Array, full, host

from npae.kernels.cuda.device import Device
from npae.kernels.graph.gpu import Ending, check_gradient, end_step

rng = np.random.default_rng(5)


def on_device(device: Device, numbers: Any) -> list[Array]:
    return [full(device, (), number) for number in numbers]


def checked(
    device: Device,
    grad: Array,
    *,
    clip_norm: float | None = None,
    finite: tuple[float, ...] = (1.0,),
    bad: int = 0,
    end: Ending | None = None,
) -> tuple[float, int]:
    """gradient_scale and bad."""
    flag, scale = full(device, (), bad, "uint32"), full(device, (), 7.0)
    check_gradient(device.xp.asarray(grad), on_device(device, finite), clip_norm, flag, scale, end)
    return float(host(scale)), int(host(flag))


def is_stopped(scale: float, bad: int) -> bool:
    return math.isnan(scale) and bad == 1


# ---- the gradient


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 31, 33, 1000, 5000])
def test_the_gradient_is_scaled_down_to_the_norm_it_is_clipped_to(device: Device, dtype: str, size: int) -> None:
    grad = (100 + rng.standard_normal(size)).astype(dtype)
    norm = math.sqrt(math.fsum(float(g) ** 2 for g in grad))
    for clip_norm in (0.25 * norm, 0.999 * norm):
        scale, bad = checked(device, grad, clip_norm=clip_norm)
        assert scale == pytest.approx(clip_norm / norm, rel=1e-14)
        assert bad == 0
    assert checked(device, grad, clip_norm=1.001 * norm) == (1.0, 0)
    assert checked(device, grad) == (1.0, 0)
    assert checked(device, 0 * grad, clip_norm=0.5) == (1.0, 0)


@pytest.mark.parametrize("clip_norm", [None, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_not_finite_stops_the_step(device: Device, dtype: str, value: float, clip_norm: float | None) -> None:
    for place in (0, 1234, 2999):
        grad = np.ones(3000, dtype)
        grad[place] = value
        assert is_stopped(*checked(device, grad, clip_norm=clip_norm))


def test_an_element_whose_square_overflows_stops_the_step_where_it_is_not_clipped(device: Device) -> None:
    grad = np.ones(40, "float32")
    grad[17] = 1e20
    assert is_stopped(*checked(device, grad))
    scale, bad = checked(device, grad, clip_norm=1.0)
    assert scale == pytest.approx(1e-20)
    assert bad == 0
    assert checked(device, grad.astype("float64")) == (1.0, 0)
    assert is_stopped(*checked(device, np.full(40, 1e160)))


def test_squares_that_are_finite_and_whose_sum_is_not_stop_the_step_where_it_is_clipped(device: Device) -> None:
    assert checked(device, np.full(40, 1e154)) == (1.0, 0)
    assert is_stopped(*checked(device, np.full(40, 1e154), clip_norm=1.0))


@pytest.mark.parametrize("clip_norm", [None, 1.0])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_must_be_finite_and_is_not_stops_the_step(device: Device, clip_norm: float | None, value: float) -> None:
    for place in (0, 1, 31):
        finite = tuple(value if k == place else 2.0 for k in range(32))
        assert is_stopped(*checked(device, np.ones(1, "float32"), clip_norm=clip_norm, finite=finite))
    assert checked(device, np.ones(1, "float32"), clip_norm=clip_norm, finite=()) == (1.0, 0)


def test_a_step_after_a_bad_one_is_not_made(device: Device) -> None:
    assert is_stopped(*checked(device, np.ones(5), bad=1))


def test_the_norm_has_the_same_bytes_on_every_run(device: Device) -> None:
    grad = rng.standard_normal(30_000).astype("float32")
    assert checked(device, grad, clip_norm=1.0) == checked(device, grad, clip_norm=1.0)


# ---- the log and the counters


def ending(device: Device, terms: list[float]) -> Ending:
    """Of step 41, the second of three, which have two coefficients each."""
    log, counters = full(device, (3, len(terms)), np.nan), device.xp.asarray(np.array([41, 1]))
    return Ending(on_device(device, terms), log, counters, device.xp.asarray(np.arange(6.0).reshape(3, 2)), full(device, 2, np.nan))


def ends(device: Device, how: str, end: Ending, bad: int = 0) -> None:
    """By its own launch, or by that which checks the gradient."""
    if how == "end_step":
        end_step(end, full(device, (), bad, "uint32"))
    else:
        checked(device, np.ones(3000, "float32"), bad=bad, end=end)


@pytest.mark.parametrize("how", ["end_step", "check_gradient"])
@pytest.mark.parametrize("count", [0, 1, 2, 12, 32])
def test_the_end_of_a_step_logs_its_numbers_and_goes_on(device: Device, how: str, count: int) -> None:
    terms = [*rng.standard_normal(count)]
    end = ending(device, terms)
    ends(device, how, end)
    log = host(end.log)
    assert log[1].tolist() == terms
    assert np.isnan(log[[0, 2]]).all()
    assert host(end.counters).tolist() == [42, 2]
    assert host(end.coefficients).tolist() == [2.0, 3.0]


@pytest.mark.parametrize("how", ["end_step", "check_gradient"])
def test_nothing_is_logged_and_nothing_advances_once_a_step_was_bad(device: Device, how: str) -> None:
    end = ending(device, [1.0, 2.0])
    ends(device, how, end, bad=1)
    assert np.isnan(host(end.log)).all()
    assert np.isnan(host(end.coefficients)).all()
    assert host(end.counters).tolist() == [41, 1]


def test_a_gradient_that_is_not_finite_logs_nothing_and_advances_nothing(device: Device) -> None:
    end = ending(device, [1.0, 2.0])
    assert is_stopped(*checked(device, np.array([1.0, math.nan]), end=end))
    assert np.isnan(host(end.log)).all()
    assert host(end.counters).tolist() == [41, 1]


def test_a_number_that_is_only_logged_need_not_be_finite(device: Device) -> None:
    end = ending(device, [3.0, math.nan])
    assert checked(device, np.ones(2), end=end) == (1.0, 0)
    assert host(end.log)[1, 0] == 3.0
    assert math.isnan(host(end.log)[1, 1])


def test_numbers_are_read_where_they_lie_when_the_step_ends(device: Device) -> None:
    """One of them a part of a longer array."""
    numbers = full(device, 5, 0.5)
    log, counters, table = full(device, (2, 2), np.nan), full(device, 2, 0, "int64"), full(device, (2, 32), 0.0)
    for value in (3.0, 4.0):
        numbers[2:3] = value
        end_step(
            Ending([full(device, (), 2 * value), numbers[2:3]], log, counters, table, full(device, 32, 0.0)), full(device, (), 0, "uint32")
        )
    assert host(log).tolist() == [[6.0, 3.0], [8.0, 4.0]]
    assert host(counters).tolist() == [2, 2]


def test_what_does_not_fit_is_named(device: Device) -> None:
    bad, end = full(device, (), 0, "uint32"), ending(device, [1.0, 2.0])
    with pytest.raises(TypeError, match=r"log: float64 \(3, 1\) is not float64 \(3, 2\)"):
        end_step(end._replace(log=full(device, (3, 1), 0.0)), bad)
    with pytest.raises(TypeError, match=r"number 1: float32 \(\) is not float64 \(\)"):
        end_step(end._replace(numbers=[full(device, (), 1.0), full(device, (), 1.0, "float32")]), bad)
    with pytest.raises(TypeError, match=r"table: float64 \(3, 1\) is not float64 \(3, 2\)"):
        end_step(end._replace(table=full(device, (3, 1), 0.0)), bad)
    with pytest.raises(TypeError, match=r"bad: int64 \(\) is not uint32 \(\)"):
        end_step(end, full(device, (), 0, "int64"))
    with pytest.raises(ValueError, match="33 numbers: a kernel takes at most 32"):
        checked(device, np.ones(1), finite=(1.0,) * 33)
    with pytest.raises(ValueError, match="33 coefficients: a step ends with at most 32"):
        end_step(end._replace(coefficients=full(device, 33, 0.0)), bad)
