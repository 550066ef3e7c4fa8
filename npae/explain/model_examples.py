"""A model of a few numbers, run by its own forward and backward: three features, two hidden units, a code of two, two rows.

    of_model(kind, options, watch)        terms and total; `watch`: name -> what to read from the nodes' passes (npae/explain/passes.py)

Steps of its derivation read what passed through a node as v.decoder (returned), v.d_decoder (the gradient that its backward returned) and
v.into_decoder (the gradient that came into it); dots in names become underscores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from npae.explain.derivation import Worked
from npae.explain.passes import Passed, watched
from npae.inspection.gradcheck import check
from npae.inspection.probe import model_probe
from npae.models import MODELS
from npae.noise import Noise

X = np.array([[0.9, 0.2, 0.4], [0.1, 0.7, 0.6]])
LABELS, TARGETS = np.array([1, 0]), np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
Watch = Mapping[str, Callable[[Mapping[str, Passed]], Any]]


def of_model(kind: str, options: Mapping[str, Any] | None = None, watch: Watch | None = None) -> Callable[[], Worked]:
    """The example of one kind of model; numbers among its options are given to the formulas by name."""

    def run() -> Worked:
        asked = dict(options or {})
        model = MODELS[kind](3, **{"hidden": (2,), "latent": 2, "seed": 1, "dtype": "float64", "backend": "numpy", **asked})
        theta = model.parameters
        theta.value[...] = np.round(theta.value, 1) + 0.1 * (np.arange(len(theta)) % 4) - 0.1
        noise = Noise(**{name: np.round(array, 1) for name, array in model.draw(2, 0, 2).items()})
        given = {"labels": {"labels": LABELS}, "targets": {"targets": TARGETS}, None: {}}[model.companion]
        held = model.held_constant(X, noise, *given.values())
        with watched(model) as passes:
            terms = model.forward_backward(X, noise, None, held, *given.values())
        seen: dict[str, Any] = {name.replace(".", "_"): passed.out for name, passed in passes.items()}
        for name, passed in passes.items():
            key = name.replace(".", "_")
            seen |= {f"d_{key}": passed.gradient_out, f"into_{key}": passed.gradient_in}
        seen |= {"theta": {name: theta[name].value.copy() for name in theta.names()}} | held
        results = {"total": terms.total, **terms} | {name: read(passes) for name, read in (watch or {}).items()}
        report = check(model_probe(kind, model, X, noise, *given.values()))
        numbers = {name: value for name, value in asked.items() if isinstance(value, int | float) and not isinstance(value, bool)}
        return Worked({"x": X, **given, **noise, **numbers}, results, report, seen)

    return run
