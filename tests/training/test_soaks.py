"""The two soaks, short: kill -9 again and again ends byte-equal, and memory and open files stay flat. Longer: see tests/soak."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def soak(*words: str) -> str:
    """python -m tests.soak.WORDS, as a person would."""
    environment = os.environ | {name: "1" for name in ("OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_training_that_is_killed_again_and_again_ends_byte_equal() -> None:
    said = soak("tests.soak.kills", "--times", "4", "--epochs", "80", "--backend", "numpy")
    assert "4 kills" in said
    assert "byte-equal to the undisturbed training: yes" in said
    assert "whole: yes" in said


def test_memory_and_open_files_stay_flat() -> None:
    said = soak("tests.soak.steps", "--steps", "2000", "--backend", "numpy")
    assert said.count("open files\n") == 20
    assert said.rstrip().endswith(": flat")
