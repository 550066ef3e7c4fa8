"""The code of a compiled run, loaded while the data are read: neither needs the other, and there are often two cores.

    with loading_code(configuration):
        dataset = load(...)             reading, unpacking and hashing leave the interpreter to the thread that loads

The step takes LLVM alone (npae/kernels/entry.py); a run that evaluates rows after its epochs does so by the ordinary kernels, and takes
Numba, its tables, and SciPy's products: half a second more. Nothing but the start depends on it: what was not loaded here is loaded, or
compiled, where it is first called.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from npae.backend import chosen_name
from npae.kernels.registry import resolve
from npae.training.configuration import Configuration


@contextmanager
def loading_code(configuration: Configuration) -> Iterator[None]:
    """Inside it a thread loads, where this configuration's step may be compiled; it has ended when the block has."""
    if configuration["step"] == "ordinary" or chosen_name(configuration["backend"])[0] != "numba":
        yield
        return
    evaluates = configuration["validation"] != "none" or configuration["watch"] > 0
    thread = threading.Thread(target=_load, args=(configuration["dtype"], evaluates), name="npae-load")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _load(dtype: str, evaluates: bool) -> None:
    """LLVM, and what is kept of the code that every compiled step calls; to evaluate, one kernel is run: Numba then sets up its tables."""
    from npae.kernels.step.entries import ALL
    from npae.kernels.step.operations import Back, Bias, Decode, Norm, Weights
    from npae.kernels.step.perform import HANDLERS

    for entry in (*ALL, *(HANDLERS[kind] for kind in (Decode, Back, Norm, Weights, Bias))):
        entry.load_kept(dtype)
    if evaluates:
        import scipy.linalg.blas  # noqa: F401

        x = np.zeros((1, 1), dtype)
        resolve("squared_error", "cpu")(x, x, 1.0, np.empty_like(x))
