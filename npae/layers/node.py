"""The node: forward, backward, and what it remembers in between.

`forward` computes and remembers what `backward` needs; `backward` takes the gradient of the objective with respect to forward's output,
ADDS to the gradients of its own parameters, and returns the gradient with respect to forward's input.

What this base class gives every layer and loss:
* `bind`: the backend and the dtype, handed down to the children once the model is built;
* `buffer`: an array by name and shape that is allocated once and reused, so a training step allocates nothing;
* `parameters`: every parameter below this node, by dotted name;
* the order of calls: forward twice before its backward, or backward without a forward, raises. Inside `inference(node)` a forward
  expects no backward; while a recorded forward still waits for its own, it raises too;
* `frozen`: a backward that only hands the gradient through a network, for an objective that does not teach it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from npae.backend import Array, Backend
from npae.kernels.cuda import lane
from npae.parameters import GRADIENT_LINES, Parameter

F = TypeVar("F", bound=Callable[..., Any])


class CallOrderError(RuntimeError):
    """forward and backward of a node were not called in turn."""


def _guard_forward(forward: F) -> F:
    @functools.wraps(forward)
    def guarded(self: Node, *args: Any, **kwargs: Any) -> Any:
        if self._in_forward:  # a subclass calls super().forward: one call, not two
            return forward(self, *args, **kwargs)
        lane.settle(*GRADIENT_LINES)  # they still read what an earlier pass has left, and this one writes it anew
        if self._pending:
            raise CallOrderError(
                f"{type(self).__name__}.forward was called twice before its backward: the first call's values would be lost"
            )
        self._pending, self._to_learn = self.recording, self.learning
        self._in_forward = True
        try:
            return forward(self, *args, **kwargs)
        finally:
            self._in_forward = False

    return guarded  # type: ignore[return-value]


def _guard_backward(backward: F) -> F:
    @functools.wraps(backward)
    def guarded(self: Node, *args: Any, **kwargs: Any) -> Any:
        if self._in_backward:
            return backward(self, *args, **kwargs)
        if not self._pending:
            raise CallOrderError(
                f"{type(self).__name__}.backward was called without a forward before it: there is nothing to differentiate"
            )
        self._pending, self._in_backward = self._to_learn and not self.learning, True
        try:
            return backward(self, *args, **kwargs)
        finally:
            self._in_backward = False

    return guarded  # type: ignore[return-value]


class Node:
    """What every layer and loss is."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    backend: Backend
    dtype: np.dtype[Any]
    recording = True  # whether a forward expects its backward
    learning = True  # whether backward adds to the gradients of the parameters
    _pending = _to_learn = _in_forward = _in_backward = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "forward" in cls.__dict__:
            cls.forward = _guard_forward(cls.__dict__["forward"])
        if "backward" in cls.__dict__:
            cls.backward = _guard_backward(cls.__dict__["backward"])

    def bind(self, backend: Backend, dtype: np.dtype[Any]) -> None:
        """Compute with this backend, in this dtype, here and below."""
        self.backend, self.dtype = backend, dtype
        self._buffers: dict[tuple[str, tuple[int, ...]], Array] = {}
        for _, child in self.children():
            child.bind(backend, dtype)

    def children(self) -> Iterator[tuple[str, Node]]:
        """The nodes inside this one, by name."""
        for name, value in vars(self).items():
            if isinstance(value, Node):
                yield name, value

    def own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """This node's own tensors, by name."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Every tensor here and below, as "encoder.0.W"."""
        for name, parameter in self.own_parameters():
            yield prefix + name, parameter
        for name, child in self.children():
            yield from child.named_parameters(f"{prefix}{name}.")

    def buffer(self, name: str, shape: tuple[int, ...], dtype: Any = None) -> Array:
        """An array to write into; the same one whenever the same name and shape are asked for."""
        key = (name, shape)
        if key not in self._buffers:
            self._buffers[key] = self.backend.xp.empty(shape, dtype or self.dtype)
        return self._buffers[key]

    def everything(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for _, child in self.children():
            yield from child.everything()


@contextlib.contextmanager
def inference(*nodes: Node) -> Iterator[None]:
    """Forward only: nothing is expected to be differentiated."""
    with _each("recording", False, nodes):
        yield


@contextlib.contextmanager
def frozen(*nodes: Node) -> Iterator[None]:
    """backward returns dx and leaves the gradients of the parameters alone: a network that is differentiated, and not learned.

    After a forward made outside, the backward that learns is still to come: one player's gradient passes through, then the other's.
    """
    with _each("learning", False, nodes):
        yield


@contextlib.contextmanager
def differentiated(*nodes: Node) -> Iterator[None]:
    """Forwards with their backwards also inside `inference`, such as steps of gradient descent that a forward itself makes."""
    with _each("recording", True, nodes):
        try:
            yield
        finally:
            forget(*nodes)


@contextlib.contextmanager
def _each(flag: str, value: bool, nodes: tuple[Node, ...]) -> Iterator[None]:
    """Every node's flag has that value for a while."""
    everything = [node for top in nodes for node in top.everything()]
    before = [getattr(node, flag) for node in everything]
    for node in everything:
        setattr(node, flag, value)
    try:
        yield
    finally:
        for node, kept in zip(everything, before, strict=True):
            setattr(node, flag, kept)


def forget(*nodes: Node) -> None:
    """Drop what a forward remembered: its backward will not come (an error, or an interrupt, in between)."""
    for top in nodes:
        for node in top.everything():
            node._pending = False


def scale(gradient: Array, weight: Any) -> None:
    """gradient *= weight, in place; a weight of 0 switches the term off, even where it overflowed (0 times infinity is no number).

    A weight that lies on a GPU (a warm-up's) is not looked at: a step there must not wait to be read.
    """
    known = isinstance(weight, int | float)
    if known and weight == 0:
        gradient.fill(0)
    elif not known or weight != 1:
        gradient *= weight
