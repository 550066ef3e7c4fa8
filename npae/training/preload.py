"""The compiled step's code, loaded while the data are read: each takes a third of a second, and neither needs the other.

    with loading_code(configuration):
        dataset = load(...)             reading, unpacking and hashing leave the interpreter to the thread that loads

Nothing but the start depends on it: what was not loaded here is loaded where it is first called.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

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
    """Numba, its tables, and the kernels' modules. One small kernel is run: that is what makes Numba set up its tables."""
    import npae.kernels.step.perform
    import npae.kernels.step.run
    import npae.kernels.step.start  # noqa: F401
    from npae.compiled.nonzeros import Nonzeros

    Nonzeros(np.zeros((1, 1), dtype))
