"""Every form of every model that the gradient check knows, small and bound to a backend, with data and noise that fit."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.inspection.subjects import MODEL_FORMS
from npae.models import MODELS, Model

FEATURES, ROWS = 12, 20
Make = Callable[..., Any]


@pytest.fixture(params=MODEL_FORMS.keys())
def form(request: pytest.FixtureRequest) -> str:
    """The name of a form: a test that asks for it runs on all of them."""
    return str(request.param)


@pytest.fixture
def make(form: str) -> Callable[..., Model]:
    """make(dtype=..., backend=...): a model of that form."""
    kind, options, _ = MODEL_FORMS[form]
    takes = inspect.signature(MODELS[kind].__init__).parameters  # not every model has dropout to switch off

    def make(**more: Any) -> Model:
        fitting = {name: value for name, value in more.items() if name in takes or name != "dropout"}
        model = MODELS[kind](FEATURES, **{"hidden": (9,), "latent": 4, "seed": 1, **options, **fitting})
        start = 0.1 * np.random.default_rng(2).standard_normal(len(model.parameters))
        model.parameters.value += start.astype(model.dtype)  # biases start at zero: move them off it
        return model

    return make


@pytest.fixture
def y(make: Callable[..., Model]) -> Array | None:
    """What a model of that form reads beside x: labels, one-hot targets in 4 symbols, or nothing."""
    model, rng = make(), np.random.default_rng(4)
    if model.companion == "labels":
        return rng.integers(0, model.spec["classes"], ROWS)
    return np.eye(4, dtype=np.float32)[rng.integers(0, 4, (ROWS, model.outputs // 4))].reshape(ROWS, -1) if model.companion else None


@pytest.fixture
def x() -> Array:
    """Data in the unit interval."""
    return np.random.default_rng(3).uniform(0.05, 0.95, (ROWS, FEATURES)).astype(np.float32)
