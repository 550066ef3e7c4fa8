"""How a captured step begins, against NumPy: its rows, its batch out of the data."""

from __future__ import annotations

import numpy as np
import pytest
from device_arrays import Array, full, host

from npae.kernels.cuda.device import Device
from npae.kernels.graph.gpu import begin_step, gather

rng = np.random.default_rng(5)


def offset(device: Device, array: Array, by: int) -> Array:
    """The same array, so many elements behind an aligned address."""
    room = device.xp.zeros(array.size + by + 16, array.dtype)
    start = -(device.address(room) // array.itemsize) % (16 // array.itemsize) + by
    view: Array = room[start : start + array.size].reshape(array.shape)
    view[...] = device.xp.asarray(array)
    return view


# ---- the beginning of a step


def begun(device: Device, k: int, rows: int, data: Array) -> dict[str, Array]:
    """What begin_step writes at place k of four steps, the first of them step 38."""
    xp = device.xp
    state = {
        "counters": xp.asarray(np.array([38 + k, k])),
        "order": xp.asarray(np.random.default_rng(1).permutation(1200)[: 4 * rows]),
        "rows": full(device, rows, -1, "int64"),
        "data": xp.asarray(data),
        "x": full(device, (rows, data.shape[1]), np.nan, str(data.dtype)),
    }
    begin_step(**state)
    return {name: host(array) for name, array in state.items()}


@pytest.mark.parametrize(("k", "rows"), [(0, 300), (2, 300), (3, 100), (1, 1)])
@pytest.mark.parametrize(("dtype", "features"), [("float32", 784), ("float32", 7), ("float64", 3), ("float32", 1)])
def test_a_step_begins_with_its_own_rows_and_their_data(device: Device, k: int, rows: int, dtype: str, features: int) -> None:
    data = rng.standard_normal((1200, features)).astype(dtype)
    state = begun(device, k, rows, data)
    assert np.array_equal(state["rows"], state["order"][rows * k : rows * (k + 1)])
    assert np.array_equal(state["x"], data[state["rows"]])
    assert state["counters"].tolist() == [38 + k, k]


def test_a_step_begins_with_every_row_where_the_rows_are_more_than_threads(device: Device) -> None:
    order, rows = device.xp.arange(5000)[::-1].copy(), full(device, 5000, -1, "int64")
    begin_step(full(device, 2, 0, "int64"), order, rows, full(device, (5000, 1), 1.0), full(device, (5000, 1), 0.0))
    assert np.array_equal(host(rows), host(order))


# ---- rows of the data


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (0, 1), (2, 2)])
@pytest.mark.parametrize(
    ("dtype", "shape"), [("float32", (784,)), ("float32", (31,)), ("float32", (6,)), ("float64", (33,)), ("int64", ())]
)
def test_gather_copies_rows_of_any_width_wherever_they_lie(
    device: Device, dtype: str, shape: tuple[int, ...], shift: tuple[int, int]
) -> None:
    values = rng.integers(-(2**31), 2**31, (50, *shape)).astype(dtype)
    data, out = offset(device, values, shift[0]), offset(device, np.zeros((101, *shape), dtype), shift[1])
    behind = full(device, 101, 0, "int64")
    behind[...] = device.xp.asarray(rng.integers(50, size=101))
    behind[0], behind[1] = 49, 0
    gather(data, behind, out)
    assert np.array_equal(host(out), values[host(behind)])
    assert np.array_equal(host(data), values)


def test_gather_copies_all_where_rows_are_more_than_threads(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npae.kernels.graph.gpu.MOST", 2)
    values, rows = rng.standard_normal((40, 31)), rng.integers(40, size=100)
    out = full(device, (100, 31), np.nan)
    gather(device.xp.asarray(values), device.xp.asarray(rows), out)
    assert np.array_equal(host(out), values[rows])


def test_gather_copies_bits_and_no_numbers(device: Device) -> None:
    values = np.array([[0x7FC00001, 0x7F800000], [0x80000000, 1]], np.uint32).view(np.float32)
    out = full(device, (3, 2), 0.0, "float32")
    gather(device.xp.asarray(values), device.xp.asarray(np.array([1, 0, 1])), out)
    assert host(out).tobytes() == values[[1, 0, 1]].tobytes()


def test_gather_says_which_array_does_not_fit(device: Device) -> None:
    rows, data = full(device, 3, 0, "int64"), full(device, (4, 2), 0.0)
    with pytest.raises(TypeError, match=r"out: float32 \(3, 2\) is not float64 \(3, 2\)"):
        gather(data, rows, full(device, (3, 2), 0.0, "float32"))
    with pytest.raises(TypeError, match=r"rows: int32 \(3,\) is not int64 \(3,\)"):
        gather(data, rows.astype("int32"), full(device, (3, 2), 0.0))
    with pytest.raises(TypeError, match="elements of 1 bytes"):
        gather(data.astype("uint8"), rows, full(device, (3, 2), 0, "uint8"))
