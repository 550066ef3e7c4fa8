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

from npae import backend as backends
from npae.captured import CapturedSteps
from npae.kernels.cuda.device import Device, using
from npae.optim import Adam
from npae.training.configuration import build_model, resolve

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


class Repeated:
    """A call that is made again and again on the same arrays, what it adds to or fills being put back before each."""

    def __init__(self, device: Device, call: Call, dtype: str = "float32") -> None:
        self.call, self.returned = call, None
        self.arguments, self.given = call.arguments(device, SIZE, dtype), call.arguments(device, SIZE, dtype)

    def put_back(self) -> None:
        """As it was, and no numbers returned."""
        for i in self.call.outputs:
            self.arguments[i][...] = self.given[i]
        for number in self.numbers():
            number.fill(-7)

    def numbers(self) -> tuple[Any, ...]:
        """Those that the call has returned."""
        return () if self.returned is None else self.returned if isinstance(self.returned, tuple) else (self.returned,)

    def launch(self) -> None:
        """The call."""
        self.returned = self.call.run(*self.arguments)

    def bytes(self) -> list[bytes]:
        """Of all that it wrote."""
        return [array.tobytes() for array in self.call.written(self.arguments, self.returned)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_a_captured_kernel_gives_the_same_bytes_each_time_it_is_replayed(gpu: Device, name: str, dtype: str) -> None:
    plain = Repeated(gpu, CALLS[name], dtype)
    plain.launch()
    with gpu.lane() as lane:
        captured = Repeated(gpu, CALLS[name], dtype)
        for _ in range(2):  # compiles, and takes memory from the lane's pool: for new numbers, too, while those before are still kept
            captured.put_back()
            captured.launch()
        before = lane.allocated()
        replay = lane.record(captured.launch)
        assert lane.allocated() == before, "memory was taken from the driver while launches were recorded"
        for _ in range(3):
            captured.put_back()
            replay()
            lane.wait()
            assert captured.bytes() == plain.bytes()


@pytest.mark.parametrize("name", CALLS)
def test_ten_thousand_launches_take_no_more_memory_than_one(gpu: Device, name: str) -> None:
    repeated, pool, card = Repeated(gpu, CALLS[name]), gpu.xp.get_default_memory_pool(), gpu.xp.cuda.Device()
    taken = set()
    for launches in (10, 10_000):
        for _ in range(launches):
            repeated.put_back()
            repeated.launch()
        card.synchronize()
        taken.add((pool.total_bytes(), pool.used_bytes()))
    assert len(taken) == 1


@pytest.mark.parametrize("name", CLOSE)
def test_blocks_that_run_at_once_give_the_same_bytes_every_time(gpu: Device, name: str) -> None:
    call = CALLS[name]
    size = max(size for size in call.sizes if size <= 1100)
    results = set()
    for _ in range(200):
        arguments = call.arguments(gpu, size, "float32")
        results.add(b"|".join(array.tobytes() for array in call.written(arguments, call.run(*arguments))))
    assert len(results) == 1


def test_the_graph_of_a_step_has_the_launches_and_the_order_that_were_asked_for(gpu: Device) -> None:
    backends._instance.cache_clear()
    model = build_model(resolve("flux-ae", flags={"backend": "cupy"}), 784)
    steps = CapturedSteps(model, Adam(model.parameters, 1e-3), 0, gpu.xp.zeros((40, 784), "float32"), most=4)
    steps.run([np.arange(20)] * 4)
    assert steps.chain(20) == (17, 12)  # as test_lines_of_a_step.py counts them
