"""What the processes of these tests do: a few steps of training, and an MMD, each as a digest of all that came out.

python work.py compiled ordinary penalty        one line each
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npae.compiled import CompiledSteps
from npae.kernels import mmd_rbf
from npae.models import MODELS
from npae.optim import Adam
from npae.training.step import TrainingStep

ROWS, FEATURES, BATCH, STEPS = 400, 256, 100, 12


def digest(*arrays: Any) -> str:
    """Of their bytes."""
    return hashlib.sha256(b"".join(np.asarray(array).tobytes() for array in arrays)).hexdigest()[:16]


def _start(kind: str, seed: int) -> tuple[Any, Adam, Any, list[Any]]:
    """A model, its Adam, data of which most are zero, and the rows of each step."""
    rng = np.random.default_rng(seed)
    data = (rng.random((ROWS, FEATURES)) * (rng.random((ROWS, FEATURES)) < 0.2)).astype(np.float32)
    model = MODELS[kind](FEATURES, hidden=(128,), latent=8, seed=seed, backend="numba")
    return model, Adam(model.parameters, 1e-3), data, [rng.permutation(ROWS)[:BATCH] for _ in range(STEPS)]


def compiled(kind: str = "ae", seed: int = 1, threads: int = 2) -> str:
    """Compiled steps, in two calls."""
    model, adam, data, rows = _start(kind, seed)
    steps = CompiledSteps(model, adam, seed, data, threads=threads)
    losses = [terms.total for part in (rows[:5], rows[5:]) for terms in steps.run(part)]
    return digest(model.parameters.value, adam.m, adam.v, losses)


def ordinary(kind: str = "ae", seed: int = 1) -> str:
    """Ordinary steps: BLAS, and compiled kernels."""
    model, adam, data, rows = _start(kind, seed)
    step = TrainingStep(model, adam, seed)
    return digest(model.parameters.value, adam.m, adam.v, [step(data[taken]).total for taken in rows])


def penalty(n: int = 2000, seed: int = 1) -> str:
    """MMD^2 and its gradient; so many points are shared by several threads."""
    rng = np.random.default_rng(seed)
    z, w = rng.normal(size=(2, n, 8)).astype(np.float32)
    return digest(*mmd_rbf(z, w, 8.0))


WORK: dict[str, Callable[[], str]] = {"compiled": compiled, "ordinary": ordinary, "penalty": penalty}


def all_of(names: Sequence[str] = tuple(WORK)) -> list[str]:
    """Their digests."""
    return [WORK[name]() for name in names]


if __name__ == "__main__":
    print("\n".join(all_of(sys.argv[1:])))
