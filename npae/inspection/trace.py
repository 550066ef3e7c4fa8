"""One training step laid open: what every node returned, forward and backward, and what is not finite in it.

    batch     x                                              the rows, and what they come with
    node      W, b          its parameters                   y     what forward returned
              dW, db        their gradients                  dy    the gradient that came for it
                                                             dx    what backward returned: the gradient for its input
    loss      each term of the objective

Rows stand in the order in which the step makes them; `first` is where it ceases to be finite: a node whose inputs are all finite and whose
output is not. A node that runs several times in a step (the draws of an inner loop) has the last of them, or the first
that is not finite. The model's own code runs, unchanged: its nodes are listened to from outside. Mean, std, min and max are those of the
finite values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.inspection.hooks import around, computing, nodes_of
from npae.layers import Node, forget
from npae.models import Model
from npae.noise import Noise

BATCH, LOSS = "batch", "loss"


@dataclass(frozen=True)
class Row:
    """One tensor of one node. `bad` values are not finite, the first at the index `first`, where it is `value`; in `rows` of the batch."""

    node: str
    kind: str
    tensor: str
    shape: tuple[int, ...]
    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    bad: int
    first: tuple[int, ...] | None
    value: str | None
    rows: tuple[int, ...]
    moment: int

    @property
    def place(self) -> str:
        """decoder.0 (Dense): W[3, 0] is nan"""
        index = f"[{', '.join(map(str, self.first))}]" if self.first else ""
        return f"{self.node}{f' ({self.kind})' if self.kind else ''}: {self.tensor}{index} is {self.value}"


@dataclass(frozen=True)
class Trace:
    """All of a step; `refusal` is why it ended before its time, where a node refused what it was given."""

    rows: tuple[Row, ...]
    refusal: str | None

    @property
    def first(self) -> Row | None:
        """The first tensor, in the order of the step, that holds a value that is not finite."""
        return min((row for row in self.rows if row.bad), key=lambda row: row.moment, default=None)


class Recorder:
    """Takes down tensors as they come; `batch` rows make a leading axis that is the batch's."""

    def __init__(self, model: Model, batch: int) -> None:
        self.model, self.batch, self.moment = model, batch, 0
        self.rows: dict[tuple[str, str], Row] = {}

    def note(self, node: str, kind: str, tensor: str, value: Any) -> None:
        """One array, or one for each part of a tuple; what is no number is passed over."""
        if isinstance(value, tuple):
            for place, part in enumerate(value):
                self.note(node, kind, f"{tensor}{place}", part)
            return
        if value is None or not (isinstance(value, int | float | np.generic) or hasattr(value, "dtype")):
            return
        self.moment += 1
        before = self.rows.get((node, tensor))
        if before is None or not before.bad:
            self.rows[node, tensor] = self._row(node, kind, tensor, self.model.backend.to_host(value))

    def _row(self, node: str, kind: str, tensor: str, value: Any) -> Row:
        array = np.asarray(value)
        finite = np.isfinite(array)
        good = array[finite].astype(np.float64)
        bad = np.argwhere(~finite)
        of_rows = len(bad) and array.ndim and len(array) == self.batch and tensor.startswith(("x", "y", "dx", "dy"))
        mean, std, low, high = (_of(good, number) for number in (np.mean, np.std, np.min, np.max))
        return Row(
            node,
            kind,
            tensor,
            array.shape,
            mean,
            std,
            low,
            high,
            len(bad),
            tuple(int(i) for i in bad[0]) if len(bad) else None,
            str(array[tuple(bad[0])]) if len(bad) else None,
            tuple(int(i) for i in np.unique(bad[:, 0])) if of_rows else (),
            self.moment,
        )


def _of(values: Array, number: Callable[[Array], Any]) -> float | None:
    """None where there is none: of no values, or of finite ones whose squares are not."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = float(number(values)) if values.size else math.nan
    return found if math.isfinite(found) else None


def trace_step(
    model: Model, x: Array, noise: Noise, step: int | None, given: Sequence[Array] = (), recorder: Recorder | None = None
) -> Trace:
    """Forward and backward of one step; the gradient is left in model.parameters.grad, also where nothing in it is finite."""
    recorder = recorder or Recorder(model, len(x))
    for name, rows in zip(("x", "y"), (x, *given), strict=False):
        recorder.note(BATCH, "", name, rows)
    for node_name, node in nodes_of(model):
        for name, parameter in node.own_parameters():
            recorder.note(node_name, type(node).__name__, name, parameter.value)
    model.parameters.zero_grad()
    refusal = None
    with listened(model, recorder.note), np.errstate(all="ignore"):
        try:
            for name, value in model.forward(x, noise, step, {}, *given).items():
                recorder.note(LOSS, "", name, value)
            model.backward()
            for node_name, node in nodes_of(model):  # what a term of its own added to them after their node's backward
                for name, parameter in node.own_parameters():
                    recorder.note(node_name, type(node).__name__, f"d{name}", parameter.grad)
        except InputError as error:
            refusal = str(error)
        finally:
            forget(model)
    return Trace(tuple(recorder.rows.values()), refusal)


@contextmanager
def listened(model: Model, note: Callable[[str, str, str, Any], None]) -> Iterator[None]:
    """While it lasts, note(node, kind, tensor, value) is told what every node returns, and the gradient dy that comes to it."""

    def forward(name: str, node: Node, call: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        y = call()
        note(name, type(node).__name__, "y", y)
        return y

    def backward(name: str, node: Node, call: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        if arguments and hasattr(arguments[0], "shape"):  # a loss is given the weight of its term
            note(name, type(node).__name__, "dy", arguments[0])
        dx = call()
        for of, parameter in node.own_parameters():
            note(name, type(node).__name__, f"d{of}", parameter.grad)
        note(name, type(node).__name__, "dx", dx)
        return dx

    with around(computing(model), forward, backward):
        yield
