"""Dense: three gradients from one product."""

from __future__ import annotations

from npae.explain.derivation import Derivation, step
from npae.explain.examples import of_layer
from npae.layers import Dense

DERIVATIONS = (
    Derivation(
        Dense,
        "Dense",
        (
            step(
                "Definition: output o of row b is the row's inputs weighed by column o of W, plus a bias.",
                r"y_{bo} = \sum_i x_{bi} W_{io} + b_o",
                y=lambda v: v.x @ v.W + v.b,
            ),
            step(
                "Derivatives of one output: it is linear in each of the three, and no other row or column is in it.",
                r"\frac{\partial y_{bo}}{\partial W_{io}} = x_{bi} \qquad \frac{\partial y_{bo}}{\partial b_o} = 1"
                r" \qquad \frac{\partial y_{bo}}{\partial x_{bi}} = W_{io}",
            ),
            step(
                "Chain rule for a weight: W_io is in column o of y, once in each row, so the rows add up. For i = o = 1:",
                r"\frac{\partial L}{\partial W_{io}} = \sum_b \frac{\partial L}{\partial y_{bo}} \frac{\partial y_{bo}}{\partial W_{io}}"
                r" = \sum_b dy_{bo} x_{bi}",
                dW_11=lambda v: v.x[0, 0] * v.dy[0, 0] + v.x[1, 0] * v.dy[1, 0],
            ),
            step("All weights at once: the sum over rows is a matrix product.", r"dW = x^\top dy", dW=lambda v: v.x.T @ v.dy),
            step(
                "Chain rule for a bias: its factor is 1 in each row.",
                r"db_o = \sum_b dy_{bo}",
                db=lambda v: v.dy.sum(axis=0),
            ),
            step(
                "Chain rule for an input: x_bi is in every output of its own row.",
                r"dx_{bi} = \sum_o dy_{bo} W_{io} \qquad dx = dy W^\top",
                dx=lambda v: v.dy @ v.W.T,
            ),
        ),
        of_layer(
            lambda: Dense(3, 2),
            {"x": [[1, 2, -1], [0, 1, 3]]},
            {"dy": [[1, -1], [2, 0.5]]},
            parameters={"W": [[1, 0], [-1, 2], [0.5, 1]], "b": [0.5, -1]},
        ),
    ),
)
