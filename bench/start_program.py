"""What a process does at its start, from nothing to its first result.        python -m bench.start_program NAME

ordinary     one training step of 784-128-8, batch 100, layer by layer
compiled     the same step, compiled
mmd          MMD^2 of 2,000 points with 8 features, and its gradient
fork         a compiled step here, and then one in a forked process; prints the seconds from the fork to that one's end
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BATCH, FEATURES, POINTS = 100, 784, 2000
NONZERO = 0.191  # of MNIST's pixels


def _model() -> tuple[Any, Any, Any]:
    from npae.models import AE
    from npae.optim import Adam

    rng = np.random.default_rng(0)
    data = rng.random((10 * BATCH, FEATURES), np.float32) * (rng.random((10 * BATCH, FEATURES)) < NONZERO)
    model = AE(FEATURES, (128,), 8, backend="numba")
    return model, Adam(model.parameters, 1e-3), data.astype(np.float32)


def ordinary() -> None:
    """As npae.training does it."""
    from npae.training.step import TrainingStep

    model, adam, data = _model()
    TrainingStep(model, adam, 0)(data[:BATCH])


def compiled() -> None:
    """As npae.training does it where it compiles."""
    from npae.compiled import CompiledSteps

    model, adam, data = _model()
    CompiledSteps(model, adam, 0, data).run([np.arange(BATCH)])


def mmd() -> None:
    """As anybody may call it."""
    from npae.kernels import mmd_rbf

    z, w = np.random.default_rng(0).normal(size=(2, POINTS, 8)).astype(np.float32)
    mmd_rbf(z, w, 8.0)


def fork() -> None:
    """The parent's compiled code is the child's; its threads are not."""
    compiled()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        compiled()
        os._exit(0)
    os.waitpid(child, 0)
    print(time.perf_counter() - started)


PROGRAMS: dict[str, Callable[[], None]] = {"ordinary": ordinary, "compiled": compiled, "mmd": mmd, "fork": fork}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]]()
