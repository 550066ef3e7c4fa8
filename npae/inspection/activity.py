"""Where an activation lets hardly any gradient through: saturated values, and dead units.      y (B, F)

    idle     the share of values at which f' is at most 1 % of its largest
    dead     the share of units for which that is so in every row of the batch: nothing that stands before them learns from it

    relu  y <= 0     leaky_relu  y < 0, slope at most 0.01     sigmoid  y (1 - y) <= 0.01 / 4     tanh  1 - y^2 <= 0.01
    elu   y + 1 <= 0.01     softplus  1 - e^-(y - floor) <= 0.01

Each reads f' off y. Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks" (saturation);
Lu et al. 2020, "Dying ReLU and initialization".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.backend import Array
from npae.layers import Node
from npae.layers.activations import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh

LITTLE = 0.01  # of the largest slope

_IDLE: dict[type[Node], Callable[[Any, Array], Array]] = {
    ReLU: lambda node, y: y <= 0,
    LeakyReLU: lambda node, y: (y < 0) & (node.slope <= LITTLE),
    Sigmoid: lambda node, y: y * (1 - y) <= LITTLE / 4,
    Tanh: lambda node, y: 1 - y * y <= LITTLE,
    ELU: lambda node, y: y + 1 <= LITTLE,
    Softplus: lambda node, y: -np.expm1(node.floor - y) <= LITTLE,
}


def activity(node: Node, y: Array) -> tuple[float, float] | None:
    """(idle, dead) of what an activation returned; None for a node that is none."""
    of = _IDLE.get(type(node))
    if of is None:
        return None
    idle = of(node, y)
    return float(idle.mean()), float(idle.all(axis=0).mean())
