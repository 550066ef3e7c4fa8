"""The calls of a model's nodes, gone round from outside: what came, what went, how long it took.

    with around(computing(model), forward, backward):  model.forward_backward(x, noise)

forward(name, node, call, arguments) stands in for the node's own: `call()` makes it and gives what it returned, which is to be returned.
The model's own code runs unchanged, and the nodes are left as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from npae.layers import Node

Round: TypeAlias = Callable[[str, Node, Callable[[], Any], tuple[Any, ...]], Any]


@contextmanager
def around(nodes: Iterable[tuple[str, Node]], forward: Round, backward: Round) -> Iterator[None]:
    """While it lasts, every call of one of the nodes goes through these two."""
    nodes = list(nodes)
    for name, node in nodes:
        node.forward, node.backward = _through(forward, name, node, node.forward), _through(backward, name, node, node.backward)
    try:
        yield
    finally:
        for _, node in nodes:
            del node.forward, node.backward  # what was set on the node; its class has its own


def _through(hook: Round, name: str, node: Node, own: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        return hook(name, node, partial(own, *arguments, **named), arguments)

    return called


def nodes_of(node: Node, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Every node below, as "encoder.0", each once."""
    for name, child in node.children():
        yield prefix + name, child
        yield from nodes_of(child, f"{prefix}{name}.")


def computing(model: Node) -> Iterator[tuple[str, Node]]:
    """Those that compute: a Chain, which hands on, has its layers here in its place."""
    return ((name, node) for name, node in nodes_of(model) if not list(node.children()))
