"""Every CUDA kernel of the registry against its reference: on the CPU with its threads in three orders, on a GPU with --gpu."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from device_arrays import host

from npae.kernels.cuda.device import Device
from npae.kernels.kernel import EXACT
from npae.kernels.registry import KERNELS, resolve

FORMS = [name for name, kernel in KERNELS.items() if "gpu" in kernel.forms]
CASES = [(name, dtype, size) for name in FORMS for dtype in ("float32", "float64") for size in KERNELS[name].sizes if size <= 1100]


def on_device(device: Device, arguments: tuple[Any, ...]) -> list[Any]:
    return [device.xp.array(a) if isinstance(a, np.ndarray) else a for a in arguments]


def results(device: Device, name: str, arguments: list[Any], returned: Any) -> list[Any]:
    """The arrays that the call wrote, and the number or numbers that it returned, as NumPy's."""
    numbers = [] if returned is None else list(returned) if isinstance(returned, tuple) else [returned]
    every = [arguments[i] for i in KERNELS[name].outputs] + numbers
    return [host(a) for a in every]


def called(device: Device, name: str, size: int, dtype: str) -> tuple[list[Any], tuple[Any, ...]]:
    """What the CUDA form gives for the example of that size, and the example."""
    example = KERNELS[name].examples(np.random.default_rng(size), size, dtype)
    arguments = on_device(device, example)
    return results(device, name, arguments, resolve(name, "gpu")(*arguments)), example


@pytest.mark.parametrize(("name", "dtype", "size"), CASES)
def test_a_cuda_kernel_agrees_with_the_reference(device: Device, name: str, dtype: str, size: int) -> None:
    got, example = called(device, name, size, dtype)
    exact = KERNELS[name].tolerances[dtype] == EXACT
    theirs = [
        a.astype(np.float64)
        if isinstance(a, np.ndarray) and a.dtype == np.float32 and not exact
        else a.copy()
        if isinstance(a, np.ndarray)
        else a
        for a in example
    ]
    returned = resolve(name, "reference")(*theirs)
    numbers = [] if returned is None else list(returned) if isinstance(returned, tuple) else [returned]
    want = [theirs[i] for i in KERNELS[name].outputs] + [np.asarray(number) for number in numbers]
    assert len(got) == len(want) > 0
    rtol, atol = KERNELS[name].tolerances[dtype]
    for x, expected in zip(got, want, strict=True):
        assert np.isfinite(expected).all()
        assert np.abs(x - expected).max() <= rtol * np.abs(expected).max() + atol


@pytest.mark.parametrize("name", FORMS)
def test_a_cuda_kernel_writes_its_outputs_alone(device: Device, name: str) -> None:
    example = KERNELS[name].examples(np.random.default_rng(0), 33, "float32")
    arguments = on_device(device, example)
    resolve(name, "gpu")(*arguments)
    for i, (before, after) in enumerate(zip(example, arguments, strict=True)):
        if isinstance(before, np.ndarray):
            after = host(after)
            assert np.array_equal(before, after, equal_nan=before.dtype.kind == "f") == (i not in KERNELS[name].outputs), f"argument {i}"


@pytest.mark.parametrize("name", FORMS)
def test_two_runs_of_a_cuda_kernel_give_the_same_bytes(device: Device, name: str) -> None:
    size = max(size for size in KERNELS[name].sizes if size <= 300)
    first, second = (called(device, name, size, "float32")[0] for _ in range(2))
    assert [a.tobytes() for a in first] == [a.tobytes() for a in second]
