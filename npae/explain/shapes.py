"""The shapes of a configuration, node by node, from one step of the model itself on random rows.

    shapes(configuration, features)        -> what comes into and goes out of every node of that model, at the configured batch size

Rows are uniform on [0, 1); labels and targets, where a model reads them, are made up: CLASSES classes, PLACES places of SYMBOLS symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.explain.passes import watched
from npae.models import Model, model_class
from npae.training.configuration import Configuration

CLASSES, PLACES, SYMBOLS = 10, 10, 12


@dataclass(frozen=True)
class NodeShapes:
    """One node: its class, its own parameters, and the shapes of what comes and goes."""

    name: str
    kind: str
    parameters: str
    came: str
    out: str
    gradient: str


def shapes(configuration: Configuration, features: int) -> list[NodeShapes]:
    """Every node that has no nodes inside, in the order in which the model calls them."""
    if features < 1:
        raise InputError(f"--features {features} is not a number of features: at least 1")
    sizes: dict[str | None, dict[str, int]] = {
        "labels": {"classes": CLASSES},
        "targets": {"target_features": PLACES * SYMBOLS, "symbols": SYMBOLS},
        None: {},
    }
    kind = model_class(configuration.model)
    model = kind(features, **sizes[kind.companion], **{**configuration.constructor_arguments(), "backend": "numpy"})
    rows = int(configuration["batch_size"])
    x = np.random.Generator(np.random.Philox(0)).random((rows, features)).astype(model.dtype)
    with watched(model) as passes:
        model.loss_and_grad(x, _companion(model, rows), noise=model.draw(0, 0, rows))
    return [
        NodeShapes(
            name=name,
            kind=type(passed.node).__name__,
            parameters=", ".join(f"{key} {_shape(parameter.value)}" for key, parameter in passed.node.own_parameters()),
            came=_shape(passed.came),
            out=_shape(passed.out),
            gradient=_shape(passed.gradient_out),
        )
        for name, passed in passes.items()
        if not list(passed.node.children())
    ]


def _companion(model: Model, rows: int) -> Array | None:
    if model.companion is None:
        return None
    labels = np.arange(rows) % CLASSES
    return labels if model.companion == "labels" else np.tile(np.eye(SYMBOLS)[labels], (1, PLACES))


def _shape(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return ", ".join(_shape(one) for one in value)
    return "(" + ", ".join(map(str, value.shape)) + ")" if isinstance(value, np.ndarray) and value.ndim else "number"
