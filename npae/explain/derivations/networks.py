"""The small networks of the models' examples, forward and backward by hand: Dense, leaky ReLU, Dense. v holds the parameters as v.theta."""

from __future__ import annotations

from typing import Any

import numpy as np

BATCH = 2
SLOPE = 0.01  # of a leaky ReLU on the left


def leaky(x: Any, slope: float = SLOPE) -> Any:
    """x where x >= 0, slope x elsewhere."""
    return np.where(x >= 0, x, slope * x)


def dense(v: Any, name: str, x: Any) -> Any:
    """x W + b"""
    return x @ v.theta[f"{name}.W"] + v.theta[f"{name}.b"]


def perceptron(v: Any, name: str, x: Any, slope: float = SLOPE) -> Any:
    """Dense, leaky ReLU, Dense."""
    return dense(v, f"{name}.2", leaky(dense(v, f"{name}.0", x), slope))


def back(v: Any, name: str, dy: Any, x: Any, slope: float = SLOPE) -> Any:
    """dx of that perceptron: (dy W2^T) f'(h) W1^T"""
    factor = np.where(dense(v, f"{name}.0", x) >= 0, 1, slope)
    return ((dy @ v.theta[f"{name}.2.W"].T) * factor) @ v.theta[f"{name}.0.W"].T


def heads(v: Any, x: Any) -> tuple[Any, Any]:
    """(mu, s) of a Gaussian encoder: Dense, leaky ReLU, two Dense side by side."""
    h = leaky(dense(v, "encoder.0", x))
    return dense(v, "encoder.2.mu", h), dense(v, "encoder.2.s", h)


def sigmoid(l: Any) -> Any:
    """1 / (1 + e^-l)"""
    return 1 / (1 + np.exp(-l))
