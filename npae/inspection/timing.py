"""How long each node takes in a step: the median over some steps, after one that is not counted.

The clock is read around each call of a node, from outside; nothing else is listened to, so what is timed is the step as it trains, layer by
layer. What a model does between its nodes (adding gradients, drawing noise) is in no node's time. A GPU computes after a call has returned,
so there the clock is read once a number has come back: a launch and that wait are in every node's time.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npae.backend import Array
from npae.inspection.hooks import Round, around, computing
from npae.layers import Node
from npae.models import Model
from npae.noise import Noise


def seconds_of_nodes(
    model: Model, x: Array, noise: Noise, step: int | None, given: Sequence[Array], repeats: int
) -> dict[str, tuple[float, float]]:
    """node -> (forward, backward), the sum over its calls in a step."""
    steps: list[dict[tuple[str, int], float]] = []
    for _ in range(repeats + 1):
        spent: dict[tuple[str, int], float] = defaultdict(float)
        with around(computing(model), _clocked(model, spent, 0), _clocked(model, spent, 1)):
            model.forward_backward(x, noise, step, None, *given)
        steps.append(spent)
    names = {name for name, _ in steps[0]}
    return {name: tuple(float(np.median([spent[name, way] for spent in steps[1:]])) for way in (0, 1)) for name in names}  # type: ignore[misc]


def _clocked(model: Model, spent: dict[tuple[str, int], float], way: int) -> Round:
    def clocked(name: str, node: Node, call: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        started = time.perf_counter()
        returned = call()
        model.backend.to_host(model.parameters.grad[:1])  # waits for the GPU
        spent[name, way] += time.perf_counter() - started
        return returned

    return clocked
