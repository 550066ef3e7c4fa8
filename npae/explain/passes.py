"""What goes through every node of a model in one step, forward and backward, as the model itself runs it.

    with watched(model) as passes:      model.forward_backward(x, noise)
    passes["encoder.0"].out             what that node's last forward returned; came, gradient_in, gradient_out likewise

A Chain is watched as well as its layers. Arrays are copied when they pass: nodes use their buffers again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.inspection.hooks import around, nodes_of
from npae.layers import Node


@dataclass
class Passed:
    """One node: what came, what went out, and the same for the gradient; a tuple where there are several."""

    node: Node
    came: Any = None
    out: Any = None
    gradient_in: Any = None
    gradient_out: Any = None


@contextmanager
def watched(model: Node) -> Iterator[dict[str, Passed]]:
    """Every node below the model that has a forward, by its dotted name, in the order of the first call."""
    passes: dict[str, Passed] = {}

    def forward(name: str, node: Node, call: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        passed = passes.setdefault(name, Passed(node))
        passed.came = _first(arguments)
        out = call()
        passed.out = _copied(out)
        return out

    def backward(name: str, node: Node, call: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        passes[name].gradient_in = _first(arguments)
        out = call()
        passes[name].gradient_out = _copied(out)
        return out

    with around([(name, node) for name, node in nodes_of(model) if hasattr(node, "forward")], forward, backward):
        yield passes


def _first(arguments: tuple[Any, ...]) -> Any:
    """Nothing comes forward to an L2, which reads the weights, and nothing back to a loss of weight 1."""
    return _copied(arguments[0]) if arguments else None


def _copied(value: Any) -> Any:
    """Arrays as they are now; numbers as they are."""
    if isinstance(value, tuple | list):
        return tuple(_copied(one) for one in value)
    return value.copy() if isinstance(value, np.ndarray) else value
