"""Layers made of layers: one after another (Chain), side by side (Parallel), and with a label behind the row (Condition)."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.examples import of_layer
from npae.layers import Chain, Condition, Dense, Parallel, Tanh

CHAIN = Derivation(
    Chain,
    "Chain",
    (
        step(
            "Definition: the output of each layer is the input of the next. Here Dense, Tanh, Dense.",
            r"h_0 = x, \quad h_k = f_k(h_{k-1}), \quad y = h_n",
            h1=lambda v: v.x @ v.W1 + v.b1,
            h2=lambda v: np.tanh(v.h1),
            y=lambda v: v.h2 @ v.W2 + v.b2,
        ),
        step(
            "Chain rule: the objective sees h_(k-1) only through h_k.",
            r"\frac{\partial L}{\partial h_{k-1}} = \sum \frac{\partial L}{\partial h_k} \frac{\partial h_k}{\partial h_{k-1}}"
            r" \qquad dh_{k-1} = f_k'(dh_k)",
        ),
        step(
            "So backward is a loop from the last layer to the first, and each layer needs only what it remembers of its own forward.",
            r"dh_n = dy, \quad dh_{n-1} = f_n'(dh_n), \quad \ldots, \quad dx = f_1'(dh_1)",
            dh2=lambda v: v.dy @ v.W2.T,
            dh1=lambda v: v.dh2 * (1 - v.h2**2),
            dx=lambda v: v.dh1 @ v.W1.T,
        ),
        step(
            "On the way down each layer adds to the gradients of its own parameters.",
            r"dW_k = h_{k-1}^\top dh_k",
            dW1=lambda v: v.x.T @ v.dh1,
            db1=lambda v: v.dh1.sum(axis=0),
            dW2=lambda v: v.h2.T @ v.dy,
            db2=lambda v: v.dy.sum(axis=0),
        ),
    ),
    of_layer(
        lambda: Chain(Dense(3, 2), Tanh(), Dense(2, 1)),
        {"x": [[1, 2, -1], [0, 1, 3]]},
        {"dy": [[1], [-2]]},
        parameters={"W1": [[0.5, 0], [-0.5, 1], [0.5, 0.5]], "b1": [0.5, -1], "W2": [[1], [2]], "b2": [0.5]},
    ),
)

PARALLEL = Derivation(
    Parallel,
    "Parallel",
    (
        step(
            "Definition: several heads read the same x. Here two Dense heads, a mean and a log-std.",
            r"y_k = f_k(x)",
            mu=lambda v: v.x @ v.W1 + v.b1,
            s=lambda v: v.x @ v.W2 + v.b2,
        ),
        step(
            "Chain rule: x reaches the objective by every head, and the contributions add.",
            r"\frac{\partial L}{\partial x} = \sum_k \sum \frac{\partial L}{\partial y_k} \frac{\partial y_k}{\partial x}"
            r" \qquad dx = \sum_k f_k'(dy_k)",
            dx_by_mu=lambda v: v.dmu @ v.W1.T,
            dx_by_s=lambda v: v.ds @ v.W2.T,
            dx=lambda v: v.dx_by_mu + v.dx_by_s,
        ),
        step(
            "The parameters of a head see that head's gradient alone.",
            r"dW_k = x^\top dy_k",
            dW1=lambda v: v.x.T @ v.dmu,
            db1=lambda v: v.dmu.sum(axis=0),
            dW2=lambda v: v.x.T @ v.ds,
            db2=lambda v: v.ds.sum(axis=0),
        ),
    ),
    of_layer(
        lambda: Parallel(mu=Dense(3, 1), s=Dense(3, 1)),
        {"x": [[1, 2, -1], [0, 1, 3]]},
        {"dmu": [[1], [-1]], "ds": [[2], [0.5]]},
        parameters={"W1": [[1], [-1], [0.5]], "b1": [0.5], "W2": [[0], [0.5], [1]], "b2": [-1]},
    ),
)

CONDITION = Derivation(
    Condition,
    "Condition",
    (
        step(
            "Definition: the label of row b as a row of zeros with a 1 in its column, written behind x.",
            r"c = [x, e_y] \qquad (e_y)_{bk} = [y_b = k]",
            c=lambda v: np.concatenate([v.x, np.eye(v.classes)[v.y]], axis=1),
        ),
        step(
            "What a dense layer makes of it: a bias of the label's own, one row of W for each label.",
            r"c W + b = x W_{1..I} + (W_{I+1+y} + b)",
        ),
        step(
            "Gradient: the first I columns of c are x itself. The label is given, so its columns lead nowhere.",
            r"\frac{\partial c_{bj}}{\partial x_{bi}} = [j = i] \qquad dx = dc_{1..I}",
            dx=lambda v: v.dc[:, : v.x.shape[1]],
        ),
    ),
    of_layer(
        Condition,
        {"x": [[1, 2, -1], [0, 1, 3]]},
        {"dc": [[1, -1, 2, 4, 5], [0.5, 0, -2, 6, 7]]},
        settings={"classes": 2},
        given={"y": np.array([1, 0])},
    ),
)

DERIVATIONS = (CHAIN, PARALLEL, CONDITION)
