"""How activations and gradients flow through one training step: for every node the numbers a person looks at first.

    y      what forward returned         dy     the gradient of the objective with respect to it
    W b    the parameters                dW db  their gradients

    mean std min max    of the finite values             norm     sqrt(sum of squares)
    idle dead           activity.py                      update   ||theta_new - theta|| / ||theta|| of Adam's step, tensor by tensor
    flops bytes         cost.py                          seconds  timing.py

A healthy update is about 1e-3 of its weight: far below, a tensor does not learn; far above, it jumps. The step itself is made by
trace.py; nothing moves: model and optimiser are left as they were.
Source: the rule of thumb of 1e-3, Karpathy 2015, CS231n notes, "Neural networks part 3"; Glorot & Bengio 2010 for gradients by layer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.inspection.activity import activity
from npae.inspection.cost import bytes_of, flops
from npae.inspection.hooks import nodes_of
from npae.inspection.timing import seconds_of_nodes
from npae.inspection.trace import LOSS, Recorder, Row, Trace, trace_step
from npae.models import Model
from npae.optim import Adam
from npae.training.repro import Step

REPEATS = 5


@dataclass(frozen=True)
class Flow:
    """A step laid open. `terms`: name -> (value, weight); `arrays`: "encoder.0.dW" -> array, in the order of the step."""

    about: dict[str, Any]
    nodes: tuple[NodeFlow, ...]
    terms: dict[str, tuple[float, float]]
    trace: Trace
    arrays: dict[str, Array]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        first = None if self.trace.first is None else self.trace.first.place
        tensors = [asdict(row) | {"norm": _norm(self.arrays.get(name_of(row)))} for row in self.trace.rows]
        ends = {"first_not_finite": first, "refusal": self.trace.refusal}
        terms = {name: {"value": value, "weight": weight} for name, (value, weight) in self.terms.items()}
        return {**self.about, **ends, "terms": terms, "nodes": [asdict(node) for node in self.nodes], "tensors": tensors}


@dataclass(frozen=True)
class NodeFlow:
    """One node that computes; `update` is by parameter, None where the parameter is zero."""

    node: str
    kind: str
    shape: tuple[int, ...]
    y_mean: float | None
    y_std: float | None
    y_min: float | None
    y_max: float | None
    y_norm: float | None
    dy_mean: float | None
    dy_std: float | None
    dy_min: float | None
    dy_max: float | None
    dy_norm: float | None
    gradient_norm: float | None
    update: dict[str, float | None]
    idle: float | None
    dead: float | None
    flops_forward: int
    flops_backward: int
    bytes: int
    seconds_forward: float | None
    seconds_backward: float | None


class Keeper(Recorder):
    """Keeps the arrays themselves too, as they were when they passed."""

    def __init__(self, model: Model, batch: int) -> None:
        super().__init__(model, batch)
        self.arrays: dict[str, Array] = {}
        self.calls: Counter[tuple[str, str]] = Counter()

    def note(self, node: str, kind: str, tensor: str, value: Any) -> None:
        """One array, or one for each part of a tuple."""
        super().note(node, kind, tensor, value)
        self.calls[node, tensor] += 1
        if isinstance(value, int | float | np.generic) or hasattr(value, "dtype"):
            self.arrays[f"{node}.{tensor}"] = np.array(self.model.backend.to_host(value))


def lay_open(step: Step, *, repeats: int = REPEATS) -> Flow:
    """The step that is about to be made."""
    model, noise = step.model, step.model.draw(step.seed, step.steps, len(step.x))
    keeper = Keeper(model, len(step.x))
    trace = trace_step(model, step.x, noise, step.steps, step.given, keeper)
    whole = trace.first is None and trace.refusal is None
    weights = _weights(step) if whole else {}
    updates = update_ratios(step.optimizer) if whole else {}
    seconds = seconds_of_nodes(model, step.x, noise, step.steps, step.given, repeats) if whole and repeats else {}
    rows = {(row.node, row.tensor): row for row in trace.rows}
    order = {name: place for place, name in enumerate(dict.fromkeys(row.node for row in trace.rows if row.tensor == "y"))}
    nodes = {name: node for name, node in nodes_of(model) if name in order}
    flows = [_node(name, nodes[name], rows, keeper, updates, seconds) for name in sorted(nodes, key=order.__getitem__)]
    terms = {row.tensor: (float(keeper.arrays[name_of(row)]), weights.get(row.tensor, 1.0)) for row in trace.rows if row.node == LOSS}
    about = {"model": model.kind, "step": step.steps + 1, "rows": len(step.x), "dtype": str(model.dtype), "backend": model.backend.name}
    return Flow(about, tuple(flows), terms, trace, keeper.arrays)


def name_of(row: Row) -> str:
    """encoder.0.dW"""
    return f"{row.node}.{row.tensor}"


def update_ratios(adam: Adam) -> dict[str, float | None]:
    """||theta_new - theta|| / ||theta|| of every parameter, for the gradient that is there; nothing moves."""
    parameters, steps = adam.parameters, adam.steps
    before = [array.copy() for array in (parameters.value, adam.m, adam.v)]
    adam.update()
    moved = {
        name: float(np.linalg.norm(adam.parameters.backend.to_host(parameters.value[place] - before[0][place])))
        for name, place in parameters.slices.items()
    }
    for array, kept in zip((parameters.value, adam.m, adam.v), before, strict=True):
        array[...] = kept
    adam.steps = steps
    sizes = {name: _norm(parameters.backend.to_host(parameters[name].value)) for name in parameters.names()}
    return {name: moved[name] / size if size else None for name, size in sizes.items()}


def _weights(step: Step) -> dict[str, float]:
    """Of the terms at that step."""
    noise = step.model.draw(step.seed, step.steps, len(step.x))
    return step.model.forward_backward(step.x, noise, step.steps, None, *step.given).weights


def _node(
    name: str,
    node: Any,
    rows: Mapping[tuple[str, str], Row],
    keeper: Keeper,
    updates: Mapping[str, float | None],
    seconds: Mapping[str, tuple[float, float]],
) -> NodeFlow:
    own = {key.rpartition(".")[2]: array for key, array in keeper.arrays.items() if key.rpartition(".")[0] == name}
    parameters = [of for of, _ in node.own_parameters()]
    calls = keeper.calls[name, "y"], keeper.calls[name, "dx"]
    state = activity(node, own["y"])
    forward, backward = flops(node, own, calls)
    gradient = [_norm(own[f"d{of}"]) for of in parameters if f"d{of}" in own]
    y, dy = (rows.get((name, tensor)) for tensor in ("y", "dy"))
    numbers = {
        f"{label}_{what}": getattr(row, what) if row and row.shape else None
        for label, row in (("y", y), ("dy", dy))
        for what in ("mean", "std", "min", "max")
    }
    return NodeFlow(
        node=name,
        kind=type(node).__name__,
        shape=own["y"].shape,
        **numbers,
        y_norm=_norm(own["y"]) if own["y"].ndim else None,
        dy_norm=_norm(own.get("dy")),
        gradient_norm=_total(gradient),
        update={of: updates.get(f"{name}.{of}") for of in parameters},
        idle=state[0] if state else None,
        dead=state[1] if state else None,
        flops_forward=forward,
        flops_backward=backward,
        bytes=bytes_of(own),
        seconds_forward=seconds[name][0] if name in seconds else None,
        seconds_backward=seconds[name][1] if name in seconds else None,
    )


def _norm(array: Array | None) -> float | None:
    """sqrt(sum of squares), in float64; None where there is no array, or it is not finite."""
    if array is None:
        return None
    norm = float(np.linalg.norm(array.astype(np.float64).reshape(-1)))
    return norm if math.isfinite(norm) else None


def _total(norms: list[float | None]) -> float | None:
    return math.hypot(*(norm for norm in norms if norm is not None)) if any(norm is not None for norm in norms) else None
