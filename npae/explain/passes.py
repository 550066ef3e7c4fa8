"""What goes through every node of a model in one step: shapes and numbers, forward and backward, as the model itself runs it.

    with watched(model) as passes:      model.forward_backward(x, noise)
    passes["encoder.0"].out             what that node's last forward returned; came, gradient_in, gradient_out likewise

Arrays are copied when they pass: nodes use their buffers again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.layers import Node


@dataclass
class Passed:
    """One node: what came, what went out, and the same for the gradient; a tuple where there are several."""

    node: Node
    came: Any = None
    out: Any = None
    gradient_in: Any = None
    gradient_out: Any = None
    calls: int = 0


@contextlib.contextmanager
def watched(model: Node) -> Iterator[dict[str, Passed]]:
    """Every node below the model that has a forward, by its dotted name, in the order of the first call."""
    passes: dict[str, Passed] = {}
    nodes = dict(_below(model, ""))
    for name, node in nodes.items():
        node.forward = _forward(node.forward, passes, name, node)
        node.backward = _backward(node.backward, passes, name)
    try:
        yield passes
    finally:
        for node in nodes.values():
            del node.forward, node.backward


def _below(node: Node, prefix: str) -> Iterator[tuple[str, Node]]:
    for name, child in node.children():
        if hasattr(child, "forward"):
            yield prefix + name, child
        yield from _below(child, f"{prefix}{name}.")


def _forward(forward: Callable[..., Any], passes: dict[str, Passed], name: str, node: Node) -> Callable[..., Any]:
    def passing(*arguments: Any, **named: Any) -> Any:
        passed = passes.setdefault(name, Passed(node))
        passed.came = copied(arguments[0]) if arguments else None
        out = forward(*arguments, **named)
        passed.out, passed.calls = copied(out), passed.calls + 1
        return out

    return passing


def _backward(backward: Callable[..., Any], passes: dict[str, Passed], name: str) -> Callable[..., Any]:
    def passing(*arguments: Any, **named: Any) -> Any:
        passes[name].gradient_in = copied(arguments[0]) if arguments else None
        out = backward(*arguments, **named)
        passes[name].gradient_out = copied(out)
        return out

    return passing


def copied(value: Any) -> Any:
    """Arrays as they are now; numbers as they are."""
    if isinstance(value, tuple | list):
        return tuple(copied(one) for one in value)
    return value.copy() if isinstance(value, np.ndarray) else value
