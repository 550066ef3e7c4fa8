"""Where the tests of this folder run CUDA kernels: on a CPU, with the threads of a block in three orders; with --gpu on the GPU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from npae.kernels.cuda.device import Device, using

sys.path.insert(0, str(Path(__file__).parent))  # shim.py and nvrtc.py beside this file
from shim import OnCpu  # noqa: E402

ORDERS = {"as numbered": 0, "backwards": 1, "shuffled": 2}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `device` runs once for each order of threads, or once on the GPU."""
    if "device" in metafunc.fixturenames:
        places = ["gpu"] if metafunc.config.getoption("--gpu") else list(ORDERS)
        metafunc.parametrize("device", places, indirect=True)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The device that launches go to."""
    with using(Device() if request.param == "gpu" else OnCpu(ORDERS[request.param], seed=17)) as chosen:
        yield chosen
