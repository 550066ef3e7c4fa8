"""Numba does not load SciPy's linear algebra to learn that there is one, and has it when compiled code multiplies."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys
import numba, numpy as np
from npae.kernels import pairwise_squared
pairwise_squared(np.zeros((1, 1)), np.zeros((1, 1)))
assert "scipy.linalg" not in sys.modules
product = numba.njit(lambda x: x @ x)
assert (product(2 * np.eye(2)) == 4 * np.eye(2)).all()
assert "scipy.linalg" in sys.modules
"""
AFTERWARDS = """
import numba, numpy as np
product = numba.njit(lambda x: x @ x)
product(np.eye(2))
from npae.kernels import pairwise_squared
pairwise_squared(np.zeros((1, 1)), np.zeros((1, 1)))
assert (product(2 * np.eye(2)) == 4 * np.eye(2)).all()
"""


def test_kernels_run_without_scipys_linear_algebra_and_products_load_it() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT], check=True)


def test_a_program_that_compiled_products_before_keeps_them() -> None:
    subprocess.run([sys.executable, "-c", AFTERWARDS], check=True)
