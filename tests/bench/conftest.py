"""Tiny workers, and a tiny problem."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.gpu import device as on_gpu
from bench.gpu import rates
from bench.workers import Worker
from npae import backend as backends
from npae.kernels.cuda.device import using

sys.path.insert(0, str(Path(__file__).parent))
from fake_gpu import FakeGpu, StrictDevice

FAKE = Path(__file__).with_name("fake_gpu.py")
ON_GPU = ("bench.captured_step", "bench.peers_of_kernels.device_worker")
StartWorker = Callable[[str], Worker]

ROWS = 1000


@pytest.fixture
def script(tmp_path: Path) -> StartWorker:
    """Starts a worker that runs the given text after importing `serve`."""

    def start(text: str) -> Worker:
        path = tmp_path / "worker.py"
        path.write_text("from bench.workers import serve\n" + text)
        command = [sys.executable, str(path)]
        return Worker("fake", command, folder=tmp_path, variables={"PYTHONPATH": str(Path(__file__).parents[2])})

    return start


@pytest.fixture(scope="session")
def small_problem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with few rows of data in it, as problem.write_data leaves them."""
    folder = tmp_path_factory.mktemp("problem")
    rng = np.random.default_rng(0)
    data = rng.random((ROWS, 784), np.float32) * (rng.random((ROWS, 784)) < 0.19)
    np.save(folder / "data.npy", data.astype(np.float32))
    np.save(folder / "order.npy", rng.permutation(ROWS))
    return folder


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGpu]:
    """A GPU as far as the bench can tell; what is measured on it is kept in no folder of the project."""
    if shutil.which("g++") is None:
        if os.environ.get("NPAE_REQUIRE_CUDA_TOOLS") == "1":
            pytest.fail("needs g++, which runs the CUDA kernels on a CPU", pytrace=False)
        pytest.skip("needs g++, which runs the CUDA kernels on a CPU: install it (Debian: apt-get install g++)")
    monkeypatch.setattr(on_gpu, "Gpu", FakeGpu)
    for module in (rates.rates, rates.uploads, on_gpu.the_gpu, backends._instance):
        module.cache_clear()
    monkeypatch.setattr(rates, "SECONDS", 0.0)
    monkeypatch.setattr("bench.interleave.WINDOW", 0.0)
    with using(StrictDevice()):
        yield on_gpu.the_gpu()  # type: ignore[misc]
    for module in (rates.rates, rates.uploads, on_gpu.the_gpu, backends._instance):
        module.cache_clear()


@pytest.fixture
def workers_on_fake_gpu(gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that ask for a GPU find the fake one."""

    def started(words: Sequence[str], **options: Any) -> Any:
        python, _, module, *rest = words
        return subprocess.Popen([python, str(FAKE), module, *rest] if module in ON_GPU else words, **options)

    monkeypatch.setattr("bench.workers.subprocess", SimpleNamespace(Popen=started, PIPE=subprocess.PIPE))
