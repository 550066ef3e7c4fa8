"""The compiled step's code, loaded while the data are read: neither needs the other, and there are often two cores.

    with loading_code(configuration):
        dataset = load(...)             reading, unpacking and hashing leave the interpreter to the thread that loads

Nothing but the start depends on it: what was not loaded here is loaded, or compiled, where it is first called.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from npae.backend import chosen_name
from npae.training.configuration import Configuration


@contextmanager
def loading_code(configuration: Configuration) -> Iterator[None]:
    """Inside it a thread loads, where this configuration's step may be compiled; it has ended when the block has."""
    if configuration["step"] == "ordinary" or chosen_name(configuration["backend"])[0] != "numba":
        yield
        return
    thread = threading.Thread(target=_load, args=(configuration["dtype"],), name="npae-load")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _load(dtype: str) -> None:
    """LLVM, and what is kept of the code that every compiled step calls."""
    from npae.kernels.step.entries import ALL
    from npae.kernels.step.operations import Back, Bias, Decode, Norm, Weights
    from npae.kernels.step.perform import HANDLERS

    for entry in (*ALL, *(HANDLERS[kind] for kind in (Decode, Back, Norm, Weights, Bias))):
        entry.load_kept(dtype)
