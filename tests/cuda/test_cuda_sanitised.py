"""Every CUDA kernel reads and writes only what it was given: on a CPU, under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("every_kernel.py")
SQUARED_ERROR = "squared_error/squared_error.cu"

pytestmark = pytest.mark.usefixtures("compiler")


def sanitised(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The script under the sanitisers of the C++ compiler; Python itself leaks, so leaks are not looked for."""
    libraries = [
        subprocess.run(["g++", f"-print-file-name={name}"], check=True, capture_output=True, text=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = os.environ | {
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0,detect_stack_use_after_return=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return subprocess.run([sys.executable, str(SCRIPT), "cpu", *arguments], env=environment, capture_output=True, text=True)


def test_no_cuda_kernel_leaves_its_arrays() -> None:
    done = sanitised()
    assert done.returncode == 0, (done.stdout[-200:], done.stderr)
    assert "runtime error" not in done.stderr, done.stderr
    assert "AddressSanitizer" not in done.stderr, done.stderr
    assert "squared_error 257 float64" in done.stdout


@pytest.mark.parametrize(
    ("sound", "unsound", "report"),
    [
        ("i < n; i +=", "i <= n; i +=", "heap-buffer-overflow"),
        ("double(error) * double(error)", "double(error) * double(x[i - 1])", "heap-buffer-overflow"),
        ("REAL(2.0 * scale)", "REAL(2 << int(40.0 + scale))", "shift exponent"),
    ],
)
def test_a_fault_is_reported_with_its_line(sound: str, unsound: str, report: str) -> None:
    lines = files("npae.kernels").joinpath(SQUARED_ERROR).read_text("utf-8").splitlines()
    at = next(number for number, line in enumerate(lines, 1) if sound in line)
    done = sanitised("squared_error", "--replace", sound, unsound)
    assert report in done.stderr
    assert re.search(rf"{SQUARED_ERROR}:({at}|{at + 1})\b", done.stderr), done.stderr


def test_a_shared_array_that_is_too_short_is_reported() -> None:
    done = sanitised("squared_error", "--replace", "of_warp[MOST_WARPS]", "of_warp[1]")
    assert "global-buffer-overflow" in done.stderr
    assert "npae.cuh:" in done.stderr
