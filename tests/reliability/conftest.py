"""Processes that do what work.py says, and what they have to give."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIMIT = 300  # seconds: a process that hangs fails its test

Run = Callable[..., list[str]]


@pytest.fixture(scope="session")
def run() -> Run:
    """run("lines of Python", NAME="value") -> the words that they print; work.py can be imported there."""

    def started(program: str, **variables: str) -> list[str]:
        paths = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": paths, **variables}
        command = [sys.executable, "-W", "error", "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return started


@pytest.fixture(scope="session")
def plain(run: Run) -> list[str]:
    """compiled, ordinary, penalty: of a process in which nothing else happens."""
    return run("import work; print(*work.all_of())")
