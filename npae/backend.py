"""Which array library and which kernels a model computes with.

| name  | arrays | kernels   | products                                 | for                                   |
|-------|--------|-----------|------------------------------------------|---------------------------------------|
| numpy | NumPy  | reference | `np.matmul`                              | reading, debugging: the specification |
| numba | NumPy  | Numba     | BLAS `gemm` with beta (adds in place)    | training on a CPU: the default        |
| cupy  | CuPy   | CUDA      | our own, which a graph can capture       | training on a GPU                     |

`backend(name)` gives one of them; without a name it follows the environment variable NPAE_BACKEND, then the default.
Raises InputError for an unknown name, or for one that this machine cannot run. Nothing falls back in silence.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from npae.errors import InputError, nearest
from npae.kernels.cuda import lane
from npae.kernels.cuda.device import current as device
from npae.kernels.registry import resolve

Array: TypeAlias = NDArray[Any]

DEFAULT = "numba"
NAMES = ("numpy", "numba", "cupy")
DTYPES = ("float32", "float64")


class Backend:
    """NumPy arrays, reference kernels: what a reader debugs."""

    name = "numpy"
    form = "reference"
    xp: ModuleType = np
    reads_at_once = True  # a number that was computed is a float: nothing is left to be waited for

    def matmul(self, a: Array, b: Array, out: Array, accumulate: bool = False) -> Array:
        """out = a @ b, or out += a @ b.    a (M, K)   b (K, N)   out (M, N)"""
        self.kernel("matmul")(a, b, out, accumulate)
        return out

    def kernel(self, name: str) -> Callable[..., Any]:
        """The kernel `name` in this backend's form."""
        return resolve(name, self.form)

    def number(self, value: Any) -> Any:
        """A number that was computed from arrays: a float; on a GPU it stays there, an array of no dimensions, and nothing waits for it."""
        return float(value)

    def dot(self, a: Array, b: Array) -> Any:
        """sum a_i b_i over all elements, a number; both C-contiguous."""
        return float(self.xp.vdot(a, b))

    def read(self, numbers: Sequence[Any]) -> list[float]:
        """Those numbers as floats."""
        return [float(number) for number in numbers]

    def to_host(self, array: Any) -> Any:
        """The array as NumPy sees it."""
        return array

    def from_host(self, array: Array) -> Array:
        """A NumPy array as this backend sees it."""
        return array

    def beside(self, line: str) -> AbstractContextManager[None]:
        """Work inside goes beside what follows, until `join`: in a training step on a GPU. Here it is done at once."""
        return nullcontext()

    def join(self, *lines: str) -> None:
        """What follows comes after the work on those lines; without names, on all."""


class NumbaBackend(Backend):
    """NumPy arrays, compiled kernels, and a GEMM that adds into its output without a temporary array."""

    name = "numba"
    form = "cpu"


class CupyBackend(Backend):
    """CuPy arrays and CUDA kernels."""

    name = "cupy"
    form = "gpu"
    reads_at_once = False

    def __init__(self) -> None:
        self.xp = device().xp

    def number(self, value: Any) -> Any:
        """The number, where it is."""
        return value

    def dot(self, a: Array, b: Array) -> Any:
        """sum a_i b_i, accumulated in float64; no library is called that a captured graph refuses."""
        return self.xp.sum(self.xp.multiply(a, b), dtype="float64")

    def read(self, numbers: Sequence[Any]) -> list[float]:
        """Those numbers as floats, in one copy (waits for the GPU)."""
        if not numbers:
            return []
        together = self.xp.stack([self.xp.asarray(number, "float64").reshape(()) for number in numbers])
        floats: list[float] = self.to_host(together).tolist()
        return floats

    def to_host(self, array: Any) -> Any:
        """A copy in host memory (waits for the GPU); what is no array of the GPU's is there already."""
        return self.xp.asnumpy(array) if isinstance(array, self.xp.ndarray) else array

    def from_host(self, array: Array) -> Array:
        """A copy in GPU memory."""
        device: Array = self.xp.asarray(array)
        return device

    def beside(self, line: str) -> AbstractContextManager[None]:
        """On that line of the lane that is entered (npae/kernels/cuda/lane.py)."""
        return lane.beside(line)

    def join(self, *lines: str) -> None:
        """What is launched from now on comes after those lines."""
        lane.join(*lines)


_CLASSES: dict[str, type[Backend]] = {"numpy": Backend, "numba": NumbaBackend, "cupy": CupyBackend}


def chosen_name(name: str | None = None) -> tuple[str, str]:
    """The backend that `name` (or NPAE_BACKEND, or the default) means, and who chose it."""
    if name is not None:
        chosen, origin = name, "argument"
    elif os.environ.get("NPAE_BACKEND"):
        chosen, origin = os.environ["NPAE_BACKEND"], "NPAE_BACKEND"
    else:
        chosen, origin = DEFAULT, "default"
    if chosen not in NAMES:
        raise InputError(f"backend '{chosen}' ({origin}) is not one of {', '.join(NAMES)}{nearest(chosen, NAMES, listed=True)}")
    return chosen, origin


@functools.cache
def _instance(name: str) -> Backend:
    return _CLASSES[name]()


def backend(name: str | None = None) -> Backend:
    """The backend of that name; see the table above."""
    return _instance(chosen_name(name)[0])


def check_dtype(dtype: str) -> np.dtype[Any]:
    """float32 or float64 as a NumPy dtype."""
    if str(dtype) not in DTYPES:
        raise InputError(f"dtype '{dtype}' is not one of {', '.join(DTYPES)}")
    return np.dtype(str(dtype))
