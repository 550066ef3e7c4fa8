"""What a network reads beside its input: a label, written behind each row as a one-hot row.

    c = [x, e_y]          x (B, I)   y (B,) whole numbers from 0 to C - 1   e_y (B, C): 1 in column y, else 0   c (B, I + C)

    dx = dc[:, :I]        the label is given: nothing flows into it

A dense layer that reads c adds a bias of the label's own, c W + b = x W[:I] + (W[I + y] + b): a row of W for each label.
Source: the conditional encoder and decoder of Sohn, Lee & Yan 2015; Mirza & Osindero 2014. Raises InputError for no classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array, Backend
from npae.errors import InputError
from npae.layers.node import Node


def check_classes(classes: int) -> int:
    """A number of classes: a whole number of at least 1."""
    if isinstance(classes, bool) or not isinstance(classes, int | np.integer) or classes < 1:
        raise InputError(f"classes {classes!r} is not a number of classes: labels run from 0 to classes - 1, so it is at least 1")
    return int(classes)


class Condition(Node):
    """c = [x, one-hot of y]."""

    def __init__(self, classes: int) -> None:
        self.classes = check_classes(classes)

    def bind(self, backend: Backend, dtype: np.dtype[Any]) -> None:
        """The row 0, 1, ..., C - 1 that labels are compared with."""
        super().bind(backend, dtype)
        self.every = backend.xp.arange(self.classes)

    def forward(self, x: Array, y: Array) -> Array:
        """c = [x, y == 0, y == 1, ...]"""
        self.n_in = int(x.shape[1])
        c = self.buffer("c", (len(x), self.n_in + self.classes))
        c[:, : self.n_in] = x
        c[:, self.n_in :] = y[:, None] == self.every
        return c

    def backward(self, dc: Array) -> Array:
        """dx = dc[:, :I]"""
        dx = self.buffer("dx", (len(dc), self.n_in))
        dx[...] = dc[:, : self.n_in]
        return dx
