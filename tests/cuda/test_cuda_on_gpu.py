"""What the CPU cannot show of the CUDA kernels: these run on a GPU alone, with --gpu. GPU_ONLY says what each is for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import CALLS, Call
from gpu_only import GPU_ONLY

from npae.kernels.cuda.device import Device, using

SCRIPT = Path(__file__).with_name("every_kernel.py")
CLOSE = ("squared_error", "mmd_rbf", "distance_order_statistic", "affine_weight_gradient", "check_gradient, ending")  # with partial sums
SIZE = 33


@pytest.fixture
def gpu(request: pytest.FixtureRequest) -> Iterator[Device]:
    """This machine's GPU; without --gpu the test is skipped with its reason."""
    if not request.config.getoption("--gpu"):
        pytest.skip(f"needs --gpu: {GPU_ONLY[request.function.__name__]}")
    with using(Device()) as device:
        yield device


def test_every_test_of_this_file_says_why_it_needs_a_gpu() -> None:
    here = {name for name in globals() if name.startswith("test_") and "gpu" in globals()[name].__annotations__}
    assert here == set(GPU_ONLY)


@pytest.mark.parametrize("tool", ["memcheck", "racecheck", "synccheck"])
def test_compute_sanitizer_finds_nothing(gpu: Device, tool: str) -> None:
    if shutil.which("compute-sanitizer") is None:
        pytest.skip("needs compute-sanitizer on the PATH: it comes with the CUDA toolkit")
    command = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9", "--print-limit", "20", sys.executable, str(SCRIPT), "gpu"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def launched(device: Device, call: Call, dtype: str) -> tuple[list[Any], Any, list[np.ndarray[Any, Any]]]:
    """The arguments, what was returned, and what a plain launch writes."""
    arguments = call.arguments(device, SIZE, dtype)
    returned = call.run(*arguments)
    return arguments, returned, [array.copy() for array in call.written(arguments, returned)]


def numbers_of(returned: Any) -> tuple[Any, ...]:
    """The 0-d arrays that a call returned."""
    return () if returned is None else returned if isinstance(returned, tuple) else (returned,)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_a_captured_kernel_gives_the_same_bytes_each_time_it_is_replayed(gpu: Device, name: str, dtype: str) -> None:
    call = CALLS[name]
    _, _, want = launched(gpu, call, dtype)
    lane = gpu.lane()
    with lane:
        arguments, given = call.arguments(gpu, SIZE, dtype), call.arguments(gpu, SIZE, dtype)
        returned: list[Any] = []

        def launches() -> None:
            returned[:] = [call.run(*arguments)]

        launches()  # compiles, and takes its scratch memory from the lane's pool;
        launches()  # and room for new numbers while those returned before are still kept
        before = lane.allocated()
        replay = lane.record(launches)
        assert lane.allocated() == before, "memory was taken from the driver while launches were recorded"
        for _ in range(3):
            for i in call.outputs:  # what a call adds to, or is to fill, is as it was
                arguments[i][...] = given[i]
            for number in numbers_of(returned[0]):
                number.fill(-7)
            replay()
            lane.wait()
            assert [array.tobytes() for array in call.written(arguments, returned[0])] == [array.tobytes() for array in want]


@pytest.mark.parametrize("name", CALLS)
def test_ten_thousand_launches_take_no_more_memory_than_one(gpu: Device, name: str) -> None:
    call, pool = CALLS[name], gpu.xp.get_default_memory_pool()
    arguments = call.arguments(gpu, SIZE, "float32")
    for _ in range(10):
        call.run(*arguments)
    gpu.xp.cuda.Device().synchronize()
    total, used = pool.total_bytes(), pool.used_bytes()
    free = gpu.xp.cuda.Device().mem_info[0]
    for _ in range(10_000):
        call.run(*arguments)
    gpu.xp.cuda.Device().synchronize()
    assert (pool.total_bytes(), pool.used_bytes()) == (total, used)
    assert gpu.xp.cuda.Device().mem_info[0] >= free - 2**22, "other programs on this GPU can make this fail"


@pytest.mark.parametrize("name", CLOSE)
def test_blocks_that_run_at_once_give_the_same_bytes_every_time(gpu: Device, name: str) -> None:
    call = CALLS[name]
    size = max(size for size in call.sizes if size <= 1100)
    results = set()
    for _ in range(200):
        arguments = call.arguments(gpu, size, "float32")
        results.add(b"|".join(array.tobytes() for array in call.written(arguments, call.run(*arguments))))
    assert len(results) == 1
