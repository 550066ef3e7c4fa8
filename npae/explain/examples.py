"""Examples small enough to follow by hand, run by the real code: given numbers in, results and finite differences out.

    of_layer(make, inputs, upstream)       y, and from dy the gradients of inputs and parameters; the objective is L = sum dy y
    of_loss(make, inputs, given)           L and the gradients of its inputs
    of_kernel(name, arguments, results)    what the kernel's reference returns and writes

All in float64 on the NumPy backend, whose kernels are the references.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from npae.backend import Array, backend
from npae.explain.derivation import Worked
from npae.inspection.gradcheck import check
from npae.inspection.probe import Probe
from npae.kernels.registry import KERNELS, resolve
from npae.layers import Node, inference
from npae.parameters import Parameters

Numbers = Mapping[str, Any]


def arrays(numbers: Numbers) -> dict[str, Any]:
    """Lists of numbers as float64 arrays; what is no list stays as it is."""
    return {name: np.array(value, float) if isinstance(value, list) else value for name, value in numbers.items()}


def of_layer(
    make: Callable[..., Node],
    inputs: Numbers,
    upstream: Numbers,
    *,
    settings: Numbers | None = None,
    given: Numbers | None = None,
    parameters: Numbers | None = None,
    handed: Callable[[dict[str, Any]], Sequence[Any]] = lambda given: list(given.values()),
) -> Callable[[], Worked]:
    """`settings` go to make, `given` (noise, labels) behind the inputs, `parameters` take the place of the initial ones, in order."""

    def run() -> Worked:
        node, x, beside, dy = make(**(settings or {})), arrays(inputs), arrays(given or {}), arrays(upstream)
        theta = _bound(node)
        tensors = dict(zip(parameters or {}, (theta[name].value for name in theta.names()), strict=True))
        for name, value in arrays(parameters or {}).items():
            tensors[name][...] = value
        extra = handed(beside)

        def objective() -> float:
            with inference(node):
                return sum(float((d * y).sum()) for d, y in zip(dy.values(), _tuple(node.forward(*x.values(), *extra)), strict=True))

        def gradients() -> dict[str, Array]:
            theta.zero_grad()
            node.forward(*x.values(), *extra)
            dx = _tuple(node.backward(tuple(dy.values()) if len(dy) > 1 else next(iter(dy.values()))))
            of_inputs = {name: value.copy() for name, value in zip(x, dx, strict=True)}
            return of_inputs | {name: theta[dotted].grad.copy() for name, dotted in zip(tensors, theta.names(), strict=True)}

        with inference(node):
            outputs = [y.copy() for y in _tuple(node.forward(*x.values(), *extra))]
        names = [name.removeprefix("d") for name in dy]
        found = {f"d{name}": value for name, value in gradients().items()}
        results = dict(zip(names, outputs, strict=True)) | found
        report = check(Probe(type(node).__name__, {**x, **tensors}, objective, gradients))
        return Worked({**(settings or {}), **x, **tensors, **beside, **dy}, results, report)

    return run


def of_loss(
    make: Callable[..., Node],
    inputs: Numbers,
    *,
    settings: Numbers | None = None,
    given: Numbers | None = None,
    parameters: Numbers | None = None,
    held: Sequence[str] = (),
) -> Callable[[], Worked]:
    """`given` follows the inputs; `held` of it goes by name, as what backward is to hold constant."""

    def run() -> Worked:
        node, x, beside = make(**(settings or {})), arrays(inputs), arrays(given or {})
        theta = _bound(node)
        tensors = dict(zip(parameters or {}, (theta[name].value for name in theta.names()), strict=True))
        for name, value in arrays(parameters or {}).items():
            tensors[name][...] = value
        extra = [value for name, value in beside.items() if name not in held]
        constants = {name: beside[name] for name in held}

        def objective() -> float:
            with inference(node):
                return float(node.forward(*x.values(), *extra, **constants))

        def gradients() -> dict[str, Array]:
            theta.zero_grad()
            node.forward(*x.values(), *extra, **constants)
            found = {name: value.copy() for name, value in zip(x, _tuple(node.backward()), strict=True)}
            return found | {name: theta[dotted].grad.copy() for name, dotted in zip(tensors, theta.names(), strict=True)}

        report = check(Probe(type(node).__name__, {**x, **tensors}, objective, gradients))
        results = {"L": objective()} | {f"d{name}": value for name, value in gradients().items()}
        return Worked({**(settings or {}), **x, **tensors, **beside}, results, report)

    return run


def of_kernel(name: str, arguments: Numbers, results: Sequence[str], gradient: Mapping[str, str] | None = None) -> Callable[[], Worked]:
    """`results` are what is returned, then what is written, by name (a written argument's own name); `gradient`: input -> its gradient."""

    def call(given: dict[str, Any]) -> dict[str, Any]:
        copies = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in given.items()}
        returned = resolve(name, "reference")(*copies.values())
        places = [list(copies)[place] for place in KERNELS[name].outputs]
        values = [] if returned is None else list(returned) if isinstance(returned, tuple) else [returned]
        return dict(zip(results, [*values, *(copies[place] for place in places)], strict=True))

    def run() -> Worked:
        given = arrays(arguments)
        found = call(given)
        report = None
        if gradient:
            moved, value = {key: given[key] for key in gradient}, results[0]
            report = check(Probe(name, moved, lambda: float(call(given)[value]), lambda: {key: found[d] for key, d in gradient.items()}))
        shown = {key: value for key, value in given.items() if not (isinstance(value, np.ndarray) and np.isnan(value).all())}
        return Worked(shown, found, report)

    return run


def unwritten(*shape: int) -> Array:
    """An output that nobody has written yet."""
    return np.full(shape, np.nan)


def _bound(node: Node) -> Parameters:
    """The node ready to compute, with its parameters."""
    theta = Parameters(node.named_parameters(), backend=backend("numpy"), dtype="float64", seed=0)
    node.bind(theta.backend, theta.dtype)
    return theta


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
