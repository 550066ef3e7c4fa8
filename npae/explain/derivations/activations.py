"""The six element-wise activations: a derivative of one number, then the chain rule."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, Step, step
from npae.explain.examples import of_layer
from npae.layers import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh

X = {"x": [[-2, -0.5, 0.5], [1, 2, -1]]}
DY = {"dy": [[1, 2, -1], [0.5, 1, 4]]}
CHAIN_RULE: Step = step(
    "Chain rule: y_bf depends on x_bf alone, so the sum over outputs has one term.",
    r"dx_{bf} = dy_{bf} f'(x_{bf}) \qquad dx = dy \odot f'(x)",
    dx=lambda v: v.dy * v.slope_at_x,
)

DERIVATIONS = (
    Derivation(
        LeakyReLU,
        "LeakyReLU",
        (
            step(
                "Definition: two straight lines that meet at 0; as slope <= 1, the larger of the two.",
                r"y = \max(x, s x) \qquad s = \text{slope}",
                y=lambda v: np.where(v.x >= 0, v.x, v.slope * v.x),
            ),
            step(
                "Derivative: that of the line x is on. At 0 both slopes are possible; the right-hand one is taken.",
                r"f'(x) = s + (1 - s) [x \ge 0]",
                slope_at_x=lambda v: np.where(v.x >= 0, 1, v.slope),
            ),
            CHAIN_RULE,
        ),
        of_layer(LeakyReLU, X, DY, settings={"slope": 0.1}),
    ),
    Derivation(
        ReLU,
        "ReLU",
        (
            step("Definition.", r"y = \max(x, 0)", y=lambda v: np.where(v.x > 0, v.x, 0)),
            step(
                "Derivative: 1 on the right, 0 on the left. At 0 the left-hand one is taken; y > 0 says the same as x > 0, so y is enough.",
                r"f'(x) = [x > 0] = [y > 0]",
                slope_at_x=lambda v: (v.y > 0).astype(float),
            ),
            CHAIN_RULE,
        ),
        of_layer(ReLU, X, DY),
    ),
    Derivation(
        Sigmoid,
        "Sigmoid",
        (
            step("Definition.", r"y = \frac{1}{1 + e^{-x}}", y=lambda v: 1 / (1 + np.exp(-v.x))),
            step(
                "The code takes an equal form in which nothing overflows: multiply above and below by exp(x/2).",
                r"y = \frac{e^{x/2}}{e^{x/2} + e^{-x/2}} = \frac{1}{2} \left(1 + \tanh \frac{x}{2}\right)",
                y_by_tanh=lambda v: (1 + np.tanh(v.x / 2)) / 2,
            ),
            step(
                "Derivative of a reciprocal.",
                r"f'(x) = \frac{e^{-x}}{(1 + e^{-x})^2}",
                slope_at_x=lambda v: np.exp(-v.x) / (1 + np.exp(-v.x)) ** 2,
            ),
            step(
                "It is a function of the output alone, so x need not be kept: one factor is y, the other is 1 - y.",
                r"f'(x) = \frac{1}{1 + e^{-x}} \frac{e^{-x}}{1 + e^{-x}} = y (1 - y)",
                slope_from_y=lambda v: v.y * (1 - v.y),
            ),
            CHAIN_RULE,
        ),
        of_layer(Sigmoid, X, DY),
    ),
    Derivation(
        Tanh,
        "Tanh",
        (
            step(
                "Definition.",
                r"y = \frac{e^x - e^{-x}}{e^x + e^{-x}}",
                y=lambda v: (np.exp(v.x) - np.exp(-v.x)) / (np.exp(v.x) + np.exp(-v.x)),
            ),
            step(
                "Derivative of a quotient: the derivative of the upper part is the lower part, and the other way round.",
                r"f'(x) = \frac{(e^x + e^{-x})^2 - (e^x - e^{-x})^2}{(e^x + e^{-x})^2} = 1 - y^2",
                slope_at_x=lambda v: 1 - v.y**2,
            ),
            CHAIN_RULE,
        ),
        of_layer(Tanh, X, DY),
    ),
    Derivation(
        ELU,
        "ELU",
        (
            step(
                "Definition: the identity on the right, an exponential that ends at -1 on the left.",
                r"y = x \text{ where } x > 0, \quad e^x - 1 \text{ elsewhere}",
                y=lambda v: np.where(v.x > 0, v.x, np.exp(v.x) - 1),
            ),
            step(
                "Derivative: an exponential is its own, and exp(x) is y + 1 there. Both sides have slope 1 at 0.",
                r"f'(x) = 1 \text{ where } x > 0, \quad e^x = y + 1 \text{ elsewhere}",
                slope_at_x=lambda v: np.where(v.x > 0, 1, v.y + 1),
            ),
            CHAIN_RULE,
        ),
        of_layer(ELU, X, DY),
    ),
    Derivation(
        Softplus,
        "Softplus",
        (
            step(
                "Definition: positive everywhere, close to x for a large x, and never below the floor.",
                r"y = c + \log(1 + e^x) \qquad c = \text{floor}",
                y=lambda v: v.floor + np.log(1 + np.exp(v.x)),
            ),
            step(
                "The code takes an equal form whose exponential cannot overflow.",
                r"y = c + \max(x, 0) + \log(1 + e^{-|x|})",
                y_without_overflow=lambda v: v.floor + np.maximum(v.x, 0) + np.log1p(np.exp(-np.abs(v.x))),
            ),
            step(
                "Derivative: the inner derivative over the argument of the logarithm. It is the sigmoid.",
                r"f'(x) = \frac{e^x}{1 + e^x} = \frac{1}{1 + e^{-x}}",
                slope_at_x=lambda v: 1 / (1 + np.exp(-v.x)),
            ),
            CHAIN_RULE,
        ),
        of_layer(Softplus, X, DY, settings={"floor": 0.1}),
    ),
)
