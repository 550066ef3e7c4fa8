"""The shapes of a configuration, node by node, from one step of the model itself on random rows.

    shapes(configuration, features)        -> what comes into and goes out of every node of that model, at the configured batch size

Rows are uniform on [0, 1); labels and targets, where a model reads them, are made up: CLASSES classes, PLACES places of SYMBOLS symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.explain.passes import watched
from npae.models import Model, model_class
from npae.training.configuration import Configuration

CLASSES, PLACES, SYMBOLS = 10, 10, 12


Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class NodeShapes:
    """One node: its class, its own parameters, and the shapes of what comes and goes; () is a number's, and there may be none."""

    name: str
    kind: str
    parameters: dict[str, Shape]
    came: tuple[Shape, ...]
    out: tuple[Shape, ...]
    gradient: tuple[Shape, ...]

    @property
    def cells(self) -> tuple[str, str, str, str, str, str]:
        """As texts: W (784, 128), b (128)."""
        parameters = ", ".join(f"{name} {_said(shape)}" for name, shape in self.parameters.items())
        came, out, gradient = (", ".join(map(_said, shapes)) or "-" for shapes in (self.came, self.out, self.gradient))
        return self.name, self.kind, parameters, came, out, gradient


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
            parameters={key: parameter.shape for key, parameter in passed.node.own_parameters()},
            came=_shapes(passed.came),
            out=_shapes(passed.out),
            gradient=_shapes(passed.gradient_out),
        )
        for name, passed in passes.items()
        if not list(passed.node.children())
    ]


def _companion(model: Model, rows: int) -> Array | None:
    if model.companion is None:
        return None
    labels = np.arange(rows) % CLASSES
    return labels if model.companion == "labels" else np.tile(np.eye(SYMBOLS)[labels], (1, PLACES))


def _shapes(value: Any) -> tuple[Shape, ...]:
    """Of an array, of a number, of each of several, of nothing."""
    if isinstance(value, tuple):
        return tuple(shape for one in value for shape in _shapes(one))
    return () if value is None else (np.shape(value),)


def _said(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))})" if shape else "number"
