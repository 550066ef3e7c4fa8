"""What lowering notes of a model's layers: matrices of the batch, shares of weights, layers that were run, and terms of the objective."""

from __future__ import annotations

from dataclasses import dataclass

from npae.compiled.layers import Layer


@dataclass(frozen=True)
class Matrix:
    """Rows of a batch: where they begin, how far apart they are, and how wide."""

    name: str
    at: int
    stride: int
    width: int


@dataclass
class Share:
    """Columns of a layer with weights of their own: all of them, where it is not cut."""

    first: int
    width: int
    panels: int  # of W
    turned: int = 0  # W^T in panels, with its rows, and the rows of other heads above those of this one
    depth: int = 0
    above: int = 0
    place: float = 0.5  # among the shares, 0 .. 1


@dataclass
class Done:
    """A layer that has been run forward: what backward and the update need."""

    layer: Layer
    x: Matrix
    y: Matrix  # before dropout
    output: Matrix  # after it
    shares: list[Share]
    mask: int = 0
    parts: int = 0  # of the gradient with respect to x, one for each share, where backward has been done with forward


@dataclass
class Term:
    """One term of the objective: factor * sum of the numbers there + constant."""

    name: str
    at: int
    count: int
    factor: float
    constant: float = 0.0
    of_parameters: bool = False  # known before the step
    hidden: bool = False  # looked at, and not shown
