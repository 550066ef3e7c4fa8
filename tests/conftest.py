"""Real data for the tests that need it; without it they are skipped by name, and NPAE_REQUIRE_DATA=1 makes such a skip a failure."""

from __future__ import annotations

import os

import pytest

from npae.data import Dataset, load
from npae.data.find import find


def pytest_addoption(parser: pytest.Parser) -> None:
    """--gpu: CUDA kernels run on this machine's GPU, in place of the CPU that stands in for it."""
    parser.addoption("--gpu", action="store_true", help="run the CUDA kernels and the cupy backend on this machine's GPU")


def _dataset(name: str, title: str) -> Dataset:
    if find(name) is None:
        message = f"needs {title}: set NPAE_DATA_DIR or run npae data fetch {name}"
        if os.environ.get("NPAE_REQUIRE_DATA") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return load(name)


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    """MNIST, float32 in [0, 1]."""
    return _dataset("mnist", "MNIST")


@pytest.fixture(scope="session")
def fashion_mnist() -> Dataset:
    """Fashion-MNIST, float32 in [0, 1]."""
    return _dataset("fashion-mnist", "Fashion-MNIST")


@pytest.fixture(scope="session")
def binarized_mnist() -> Dataset:
    """Larochelle's fixed binarisation of MNIST, float32 0 and 1."""
    return _dataset("binarized-mnist", "binarised MNIST")
