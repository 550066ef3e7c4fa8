"""Two trainings of the same model, one step by ordinary step and one compiled, on a few random rows of which most numbers are zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.compiled import CompiledSteps
from npae.models import MODELS, Model, Terms
from npae.optim import Adam, Schedule
from npae.training.step import TrainingStep

ROWS, FEATURES, SEED = 90, 253, 3  # so that nonzeros are in three blocks of columns, of which two are taken at a time
CALLS = ((0, 2), (2, 5), (5, 6))  # which batches are trained in one call


@dataclass
class Trained:
    """What a few steps have left."""

    model: Model
    adam: Adam
    terms: list[Terms]


Train = Callable[..., Trained]


@pytest.fixture(scope="session")
def data() -> Array:
    """(90, 253) in [0, 1], a fifth of it not zero; float64."""
    rng = np.random.default_rng(0)
    return rng.random((ROWS, FEATURES)) * (rng.random((ROWS, FEATURES)) < 0.2)


@pytest.fixture(scope="session")
def batches() -> list[Array]:
    """Five batches of 20 rows and one of 7."""
    rng = np.random.default_rng(1)
    return [rng.permutation(ROWS)[:count].astype(np.int64) for count in (20, 20, 20, 20, 20, 7)]


def _start(kind: str, dtype: str, settings: dict[str, Any]) -> tuple[Model, Adam]:
    own = {"hidden": (33, 20), "latent": 5, "dtype": dtype, "seed": 1, "backend": "numba"}
    of_adam = {name: settings.pop(name) for name in ("epsilon_placement", "schedule", "clip_norm") if name in settings}
    model = MODELS[kind](FEATURES, **own | settings)
    of_adam["schedule"] = Schedule(of_adam.pop("schedule", "constant"), 10)
    return model, Adam(model.parameters, 1e-2, **of_adam)


@pytest.fixture(scope="session")
def ordinary(data: Array, batches: list[Array]) -> Train:
    """ordinary("vae", "float64", l2=0.1): six steps, layer by layer."""

    def train(kind: str, dtype: str, **settings: Any) -> Trained:
        model, adam = _start(kind, dtype, settings)
        step, x = TrainingStep(model, adam, SEED), data.astype(dtype)
        return Trained(model, adam, [step(x[rows]) for rows in batches])

    return train


@pytest.fixture(scope="session")
def compiled(data: Array, batches: list[Array]) -> Train:
    """The same, compiled: the first two batches in a call of their own, three in the next, and the short one. `grey`: of 8-bit images."""

    def train(
        kind: str,
        dtype: str,
        *,
        threads: int = 1,
        sparse: bool = True,
        grey: bool = False,
        calls: Any = ((0, 2), (2, 5), (5, 6)),
        **settings: Any,
    ) -> Trained:
        model, adam = _start(kind, dtype, settings)
        rows = np.rint(255 * data).astype(dtype) / np.dtype(dtype).type(255) if grey else data.astype(dtype)
        steps = CompiledSteps(model, adam, SEED, rows, threads=threads)
        assert steps.sparse
        assert steps.sparse.in_levels == grey
        steps.sparse = steps.sparse if sparse else None
        return Trained(model, adam, [terms for first, last in calls for terms in steps.run(batches[first:last])])

    return train
