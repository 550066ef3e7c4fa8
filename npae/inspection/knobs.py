"""What each setting of an objective does: how the loss follows it, and whether any gradient does.

    slope     dL/dk = ( L(k + h) - L(k - h) ) / 2h              at fixed parameters and noise; exact where L is linear in k
    change    || g(k') - g(k) || / || g(k) ||                   k' half as much again (0.1 where k is 0): does a gradient move with it
    pull      d/dt [ L_k(theta + t d) ] / |d|^2  at t = 0       d = dg/dk, L_k = dL/dk: 1 where the gradient belongs to the loss; of weights

The last is the symmetry of second derivatives, d^2 L / dk dtheta = d^2 L / dtheta dk: it is -1 where the sign of a term's gradient is
turned, and 0 where the gradient of a term has nothing to do with its value. Where k + h or k - h is no value that the model takes, the
difference is one-sided. Noise, bandwidths and posteriors that backward holds constant are held at what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.inspection.batches import Batch, look, objective
from npae.models import Model
from npae.training.options import OPTIONS

WEIGHTS = ("beta", "lambda", "l2", "alpha")  # settings that weigh a term
SMALL = 1e-4  # of the setting, or of 1: the step of the difference
NOTHING = 1e-12  # relative: what rounding alone moves


@dataclass(frozen=True)
class Knob:
    """One setting; `origin` is where its value is from. `pull` is None where it weighs no term, or no gradient moves."""

    key: str
    value: float
    origin: str
    slope: float
    loss_change: float
    gradient_change: float
    pull: float | None


def knobs(model: Model, batch: Batch, values: Mapping[str, Any], origins: Mapping[str, str]) -> list[Knob]:
    """Every setting of the model that is a number with a fraction; `model` in float64."""
    found: list[Knob | None] = []
    for key, value in values.items():
        argument = OPTIONS[key].argument
        numeric = OPTIONS[key].kind in ("float", "number or name") and isinstance(value, int | float) and not isinstance(value, bool)
        if numeric and argument in model.spec and (key, value) != ("dropout", 0):  # no node would become one: another network
            found.append(_knob(model, batch, key, float(value), origins.get(key, "default")))
    return [knob for knob in found if knob is not None]


def _knob(model: Model, batch: Batch, key: str, value: float, origin: str) -> Knob | None:
    """None for a setting that other settings hold where it is."""
    away = _moved(model, key, value, (0.5 * value, -0.5 * value) if value else (0.1, -0.1))
    if away is None:
        return None
    far, moved = away
    terms, gradient = look(model, batch)
    loss = objective(model, terms)
    far_terms, far_gradient = look(far, batch)
    direction = (far_gradient - gradient) / moved
    norm, length = float(np.linalg.norm(gradient)), float(np.linalg.norm(direction))
    loss_change = abs(objective(far, far_terms) - loss) / (abs(loss) or 1.0)
    change = length * abs(moved) / (norm or 1.0)
    return Knob(
        key,
        value,
        origin,
        _slope(model, batch, key, value, loss),
        loss_change if loss_change > NOTHING else 0.0,
        change if change > NOTHING else 0.0,
        _pull(model, far, moved, batch, direction, length) if key in WEIGHTS and change > NOTHING else None,
    )


def _slope(model: Model, batch: Batch, key: str, value: float, loss: float) -> float:
    """The central difference, or a one-sided one at the end of the range; 0 where it is rounding."""
    h = SMALL * (abs(value) or 1.0)
    sides = {step: twin for step in (h, -h) if (twin := _twin(model, key, value + step)) is not None}
    points = {step: objective(twin, look(twin, batch)[0]) for step, twin in sides.items()}
    if len(points) < 2:  # one of the two sides is no value that the model takes
        points[0.0] = loss
    (up, high), (down, low) = points.items()
    return (high - low) / (up - down) if abs(high - low) > NOTHING * abs(loss) else 0.0


def _pull(model: Model, far: Model, moved: float, batch: Batch, direction: Array, length: float) -> float:
    """How much of the slope's own derivative along d the gradient's change accounts for."""
    unit = model.backend.from_host(direction / length)
    held = model.held_constant(batch.x, batch.noise, *batch.given)
    starts = [twin.parameters.value.copy() for twin in (model, far)]
    t = 1e-4 * (float(np.linalg.norm(model.backend.to_host(starts[0]))) or 1.0)
    slopes = []
    for sign in (1.0, -1.0):
        for twin, start in zip((model, far), starts, strict=True):
            twin.parameters.value[...] = start + sign * t * unit
        slopes.append((objective(far, look(far, batch, held)[0]) - objective(model, look(model, batch, held)[0])) / moved)
    for twin, start in zip((model, far), starts, strict=True):
        twin.parameters.value[...] = start
    return (slopes[0] - slopes[1]) / (2 * t) / length


def _moved(model: Model, key: str, value: float, steps: tuple[float, float]) -> tuple[Model, float] | None:
    """The model with the setting moved by the first of the steps that it takes, and that step."""
    for step in steps:
        if (twin := _twin(model, key, value + step)) is not None:
            return twin, step
    return None


def _twin(model: Model, key: str, value: float) -> Model | None:
    """The same model with another value of the setting; None where it refuses it."""
    try:
        twin = type(model)(**{**model.spec, OPTIONS[key].argument: value})
    except InputError:
        return None
    twin.parameters.value[...] = model.parameters.value
    return twin
