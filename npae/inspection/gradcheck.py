"""The gradient check: every hand-written gradient against finite differences of the whole objective, in float64.

    error = |analytic - numeric| / max(|analytic|, |numeric|, FLOOR * the tensor's largest |analytic|)

must be at most 1e-7 for every checked element, and the Taylor order at least 1.9, with noise, dropout masks and stopped bandwidths frozen.
FLOOR keeps elements 10,000 times smaller than their tensor's largest from being judged by their own rounding. A large objective L is itself
rounded, by about eps |L|: where an error is above 1e-7, ULPS eps |L| / h of the difference is put down to that (7e-12 |L| at h = 1e-3).

    gradcheck(model, x) -> report            report.passed, str(report), a row a tensor
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.inspection.finite_differences import STEPS, derivative, taylor_order
from npae.inspection.probe import Probe, model_probe
from npae.inspection.report import TOLERANCE, Report, TensorCheck
from npae.models import Model

FLOOR = 1e-4
ULPS = 32.0  # a sum of thousands of terms is good to some units in the last place
ENOUGH = TOLERANCE / 100  # agreement that no smaller step can improve on by much
ABSOLUTE = 1e-9  # below this a gradient is zero: a tensor that the objective does not depend on


@dataclass(frozen=True)
class _Element:
    error: float
    index: int
    analytic: float
    numeric: float
    kink: bool


def gradcheck(model: Model, x: Array, y: Array | None = None, *, entries: int = 100, seed: int = 0) -> Report:
    """Check the gradient of a model's whole objective on the batch x (B, F) and its companion y, if it has one.

    At most `entries` elements of each tensor are differenced (chosen by seed); the Taylor test sees all of them. A float32 model is checked
    as a float64 copy, since float32 differences cannot tell a right gradient from a wrong one.
    """
    twin = float64_twin(model)
    x = twin.check_data(x)
    noise = twin.draw(seed, 0, len(x))
    return check(model_probe(model.kind, twin, x, noise, *twin.check_companion(y, len(x))), entries=entries, seed=seed)


def float64_twin(model: Model) -> Model:
    """The same model with the same parameters in float64."""
    twin = type(model)(**{**model.spec, "dtype": "float64", "backend": model.backend.name})
    twin.parameters.value[...] = model.parameters.value
    return twin


def check(probe: Probe, *, entries: int = 100, seed: int = 0) -> Report:
    """Check one probe, tensor by tensor."""
    if entries < 1:
        raise InputError(f"entries {entries}: at least 1 element of each tensor has to be checked")
    gradients = probe.gradients()
    return Report(tuple(_check_tensor(probe, name, value, gradients[name], entries, seed) for name, value in probe.tensors.items()))


def _check_tensor(probe: Probe, name: str, value: Array, gradient: Array, entries: int, seed: int) -> TensorCheck:
    flat, analytic, objective = value.reshape(-1), probe.backend.to_host(gradient).reshape(-1), probe.objective_of(name)
    rng = np.random.default_rng(seed)
    chosen = np.arange(flat.size) if flat.size <= entries else np.sort(rng.choice(flat.size, entries, replace=False))
    floor = max(FLOOR * float(np.abs(analytic).max()), ABSOLUTE)
    rounding = ULPS * float(np.finfo(float).eps) * abs(objective())
    elements = [_check_element(objective, flat, int(index), float(analytic[index]), floor, rounding) for index in chosen]
    worst = max(elements, key=lambda element: (np.isnan(element.error), element.error))
    direction = rng.standard_normal(flat.size)
    return TensorCheck(
        subject=probe.name,
        tensor=name,
        shape=value.shape,
        checked=len(elements),
        error=worst.error,
        index=tuple(int(place) for place in np.unravel_index(worst.index, value.shape)),
        analytic=worst.analytic,
        numeric=worst.numeric,
        order=taylor_order(objective, flat, analytic, direction / np.linalg.norm(direction), probe.backend),
        kinks=sum(element.kink for element in elements),
    )


def _check_element(objective: Callable[[], float], flat: Array, index: int, analytic: float, floor: float, rounding: float) -> _Element:
    """The best agreement over the steps: a smaller one is tried only where a larger one disagrees."""
    best: _Element | None = None
    for h in STEPS:
        numeric = derivative(objective, flat, index, h)
        scale = max(abs(analytic), abs(numeric), floor)
        error = abs(analytic - numeric) / scale
        if error > TOLERANCE:
            error = max(error - rounding / (h * scale), 0.0)
        if best is None or error < best.error:
            best = _Element(error, index, analytic, numeric, kink=h != STEPS[0] and best is not None and best.error > TOLERANCE)
        if best.error <= ENOUGH:
            break
    assert best is not None
    return best
