"""Tiny workers, and a tiny problem."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.workers import Worker

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
