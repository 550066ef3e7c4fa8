"""Where the tests of this folder run CUDA kernels: on a CPU, with the threads of a block in three orders; with --gpu on the GPU.

A test that needs a C++ compiler, or NVIDIA's run-time compiler, is skipped by name without it; NPAE_REQUIRE_CUDA_TOOLS=1 makes it fail.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from npae import backend as backends
from npae.kernels.cuda.device import Device, using

sys.path.insert(0, str(Path(__file__).parent))  # shim.py, nvrtc.py and others beside this file
from nvrtc import WHEEL, library
from shim import OnCpu
from strict import StrictDevice
from strict_numpy import no_conversion

ORDERS = {"as numbered": 0, "backwards": 1, "shuffled": 2}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `device` runs once for each order of threads, or once on the GPU."""
    if "device" in metafunc.fixturenames:
        places = ["gpu"] if metafunc.config.getoption("--gpu") else list(ORDERS)
        metafunc.parametrize("device", places, indirect=True)


def _needed(there: bool, message: str) -> None:
    if not there:
        if os.environ.get("NPAE_REQUIRE_CUDA_TOOLS") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)


@pytest.fixture(scope="session")
def compiler() -> None:
    """A C++ compiler, for running CUDA sources on the CPU."""
    _needed(shutil.which("g++") is not None, "needs g++, which runs the CUDA kernels on a CPU: install it (Debian: apt-get install g++)")


@pytest.fixture(scope="session")
def nvrtc() -> None:
    """NVIDIA's run-time compiler, from its wheel: it needs no GPU and no driver."""
    _needed(library() is not None, f"needs NVIDIA's run-time compiler: pip install -e '.[dev]' or {WHEEL} (Linux)")


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The device that launches go to."""
    if request.param != "gpu":
        request.getfixturevalue("compiler")
    with using(Device() if request.param == "gpu" else OnCpu(ORDERS[request.param], seed=17)) as chosen:
        yield chosen


@pytest.fixture
def gpu(request: pytest.FixtureRequest) -> Iterator[Device]:
    """Where backend "cupy" computes: the GPU with --gpu; else a CPU with a GPU's manners (strict.py)."""
    real = request.config.getoption("--gpu")
    if not real:
        request.getfixturevalue("compiler")
    backends._instance.cache_clear()
    with using(Device() if real else StrictDevice()) as chosen, contextlib.nullcontext() if real else no_conversion():
        yield chosen
    backends._instance.cache_clear()
