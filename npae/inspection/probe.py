"""Something whose gradient is checked: a scalar objective of some tensors, and the gradient that backward gives.

A layer y = f(x) becomes scalar by fixed random weights: L = sum(c * y), so dy = c. A loss is scalar already; a model has its own objective.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npae.backend import Array, Backend
from npae.layers import Node, forget, inference
from npae.models import Model, Terms
from npae.noise import Noise
from npae.parameters import Parameters

Tensors = Mapping[str, Array]


@dataclass(frozen=True)
class Probe:
    """`objective()` reads the arrays in `tensors`, which the check changes in place; `gradients()` is what backward says of them.

    `of_player`: the objective of the tensors whose name begins with that, where it is not the common one (a game, an estimator).
    """

    name: str
    tensors: Tensors
    objective: Callable[[], float]
    gradients: Callable[[], Tensors]
    of_player: Mapping[str, Callable[[], float]] = field(default_factory=dict)
    backend: Backend = field(default_factory=Backend)  # where the tensors lie

    def objective_of(self, tensor: str) -> Callable[[], float]:
        """What that tensor minimises."""
        return self.of_player.get(tensor.split(".")[0], self.objective)


def bind(node: Node, backend: Backend, seed: int = 0) -> Parameters:
    """Give a node that stands alone its parameters, in float64."""
    parameters = Parameters(node.named_parameters(), backend=backend, dtype="float64", seed=seed)
    node.bind(backend, parameters.dtype)
    rng = np.random.default_rng(seed)
    parameters.value += backend.from_host(0.1 * rng.standard_normal(len(parameters)))  # biases start at zero: move them off it
    return parameters


def on(backend: Backend, values: Any) -> Any:
    """The same mapping or sequence, its arrays where the backend computes."""
    if isinstance(values, Mapping):
        return {name: on(backend, value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(on(backend, value) for value in values)
    return backend.from_host(values) if isinstance(values, np.ndarray) else values


def layer_probe(name: str, layer: Node, backend: Backend, inputs: Tensors, given: Sequence[Any] = ()) -> Probe:
    """A layer: its inputs and its parameters. `given` follows the inputs as they are (noise)."""
    parameters, inputs, given = bind(layer, backend), on(backend, inputs), on(backend, given)
    with inference(layer):
        outputs = _tuple(layer.forward(*inputs.values(), *given))
    rng = np.random.default_rng(1)
    weights = [backend.from_host(rng.standard_normal(output.shape)) for output in outputs]

    def objective() -> float:
        with inference(layer):
            return sum(float((c * y).sum()) for c, y in zip(weights, _tuple(layer.forward(*inputs.values(), *given)), strict=True))

    def gradients() -> Tensors:
        parameters.zero_grad()
        layer.forward(*inputs.values(), *given)
        returned = _tuple(layer.backward(tuple(weights) if len(weights) > 1 else weights[0]))
        found = dict(zip(inputs, (gradient.copy() for gradient in returned), strict=True))
        return found | {name: parameters[name].grad.copy() for name in parameters.names()}

    tensors = {**inputs, **{name: parameters[name].value for name in parameters.names()}}
    return Probe(name, tensors, objective, gradients, backend=backend)


def loss_probe(
    name: str, loss: Node, backend: Backend, inputs: Tensors, given: Sequence[Any] = (), held: Mapping[str, Any] | None = None
) -> Probe:
    """A loss: the inputs that it has gradients for. `held` is kept constant (a stopped bandwidth)."""
    bind(loss, backend)
    constants, inputs, given = held or {}, on(backend, inputs), on(backend, given)

    def objective() -> float:
        with inference(loss):
            return float(loss.forward(*inputs.values(), *given, **constants))

    def gradients() -> Tensors:
        loss.forward(*inputs.values(), *given, **constants)
        return dict(zip(inputs, (gradient.copy() for gradient in _tuple(loss.backward())), strict=True))

    return Probe(name, inputs, objective, gradients, backend=backend)


def model_probe(name: str, model: Model, x: Array, noise: Noise, *given: Array, step: int | None = None) -> Probe:
    """A model: every parameter, through the whole objective, with noise and held constants frozen. `given` is the companion of x."""
    parameters, x, given = model.parameters, model.backend.from_host(x), on(model.backend, given)
    held = model.held_constant(x, noise, *given)

    def terms() -> Terms:
        forget(model)  # the forward before this one will have no backward; unlike in inference, dropout stays on
        return model.forward(x, noise, step, held, *given).on_host(model.backend)

    def gradients() -> Tensors:
        forget(model)
        model.forward_backward(x, noise, step, held, *given)
        return {name: parameters[name].grad.copy() for name in parameters.names()}

    tensors = {name: parameters[name].value for name in parameters.names()}

    def surrogate(part: str) -> float:
        forget(model)
        return model.surrogates(x, noise, held, *given)[part]

    of_player = {player: lambda player=player: terms()[player] for player in model.players}
    of_player |= {part: lambda part=part: surrogate(part) for part in model.surrogates(x, noise, held, *given)}
    return Probe(name, tensors, lambda: terms().total, gradients, of_player, model.backend)


def _tuple(value: Any) -> tuple[Array, ...]:
    return value if isinstance(value, tuple) else (value,)
