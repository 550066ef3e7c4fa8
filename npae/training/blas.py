"""How many threads BLAS takes while a model is trained: one, where a step is too small to be worth more.

    with blas_threads_for(work): ...        work: multiplications in a step

Beside a busy neighbour a small product on two threads is 15 to 20 times slower than on one, and burns 25 times its processor time: each
waits, spinning, for the other to get a core. Undisturbed it is at most 1.6 times faster. The rule looks at the size alone, since the number
of threads decides in which order BLAS sums: the same seed then gives the same bytes on any number of cores.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

WORTH = 5e8  # multiplications in a step from which on BLAS may take what threads it likes


def blas_threads_for(work: float) -> AbstractContextManager[Any]:
    """Holds every BLAS in this process to one thread, or leaves it alone."""
    if work >= WORTH:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="blas")
    return limits
