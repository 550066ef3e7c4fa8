"""The gradient of each row of a batch, as a norm, from one backward pass.      x (B, I)   dy (B, O) of a Dense layer,  L = (1/B) sum_i l_i

    g_i = dl_i / dtheta      dW of row i = B x_i^T dy_i,  db = B dy_i      ||dW_i|| = B ||x_i|| ||dy_i||      ||db_i|| = B ||dy_i||

An outer product's norm is the product of the norms, so no row's gradient is ever formed. A layer that sees each row K times (the draws of
an IWAE) has sums of K outer products: ||sum_k x_k^T dy_k||^2 = sum_kl (x_k . x_l)(dy_k . dy_l). The mean of the g_i is the gradient of the
batch without the terms that look at no row (l2), which are in none of the g_i.
Where a term couples the rows (an MMD, a sparse code's kl, free bits), g_i is row i's share of the gradient, and not that of a batch of one.
Source: Goodfellow 2015, "Efficient per-example gradient computations".
Raises InputError for a game of players, and for a penalty whose gradient by-passes the layers (contractive).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.inspection.batches import Batch, look
from npae.inspection.hooks import around, computing
from npae.layers import Dense, Node
from npae.models import Model


@dataclass
class RowGradients:
    """`squares`: parameter -> ||g_i||^2 (B,); `mean`: parameter -> the mean of the g_i; `whole` (P,): the gradient of the objective."""

    squares: dict[str, Array] = field(default_factory=dict)
    mean: dict[str, Array] = field(default_factory=dict)
    whole: Array = field(default_factory=lambda: np.empty(0))

    @property
    def norms(self) -> Array:
        """||g_i|| over all parameters, (B,)"""
        total: Array = np.sum(list(self.squares.values()), axis=0)
        return np.sqrt(total)


def row_gradients(model: Model, batch: Batch) -> RowGradients:
    """Of every row of the batch."""
    if model.players:
        raise InputError(
            f"a {model.kind} model is a game of several losses: a row has no one gradient; take a model with a single objective"
        )
    if model.kind == "contractive":
        raise InputError("the penalty of a contractive model acts on the weights beside the layers: a row's gradient is not seen there")
    rows, found = len(batch.x), RowGradients()

    def forward(name: str, node: Node, call: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        return call()

    def backward(name: str, node: Node, call: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        if isinstance(node, Dense) and node.learning:
            x, dy = (model.backend.to_host(array) for array in (node.x, arguments[0]))
            _note(found, name, x, dy, rows)
        return call()

    with around(computing(model), forward, backward):
        _, found.whole = look(model, batch)
    return found


def left_out(model: Model, found: RowGradients) -> list[str]:
    """Parameters of no dense layer, which the norms do not hold."""
    return [name for name in model.parameters.names() if name not in found.squares]


def _note(found: RowGradients, name: str, x: Array, dy: Array, rows: int) -> None:
    """||x_i|| ||dy_i||, or the sum over the K times that row i is seen; B of them make the gradient of l_i."""
    x, dy = x.reshape(rows, -1, x.shape[1]), dy.reshape(rows, -1, dy.shape[1])
    if x.shape[1] == 1:
        squares = (x * x).sum(axis=(1, 2)) * (dy * dy).sum(axis=(1, 2))
    else:
        squares = ((x @ x.transpose(0, 2, 1)) * (dy @ dy.transpose(0, 2, 1))).sum(axis=(1, 2))
    of_bias = dy.sum(axis=1)
    found.squares |= {f"{name}.W": rows**2 * squares, f"{name}.b": rows**2 * (of_bias * of_bias).sum(axis=1)}
    found.mean |= {f"{name}.W": x.reshape(-1, x.shape[2]).T @ dy.reshape(-1, dy.shape[2]), f"{name}.b": of_bias.sum(axis=0)}
