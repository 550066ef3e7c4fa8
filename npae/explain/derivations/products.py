"""The products of a dense layer as kernels: forward, and those that carry the gradient to what is below and to the weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from npae.backend import Array
from npae.explain.derivation import Derivation, Worked, step
from npae.explain.examples import of_kernel, unwritten
from npae.inspection.gradcheck import check
from npae.inspection.probe import Probe

X, W, B = [[1, 2, -1], [0, 1, 3]], [[1, 0], [-1, 2], [0.5, 1]], [0.5, -1]
DY = [[1, -1], [2, 0.5]]
BELOW = np.array([[0.5, -1.0, 2.0], [-0.5, 1.0, 0.0]])  # what the layer below made of its input, before its activation


def against_differences(
    name: str, worked: Callable[[], Worked], moved: dict[str, Array], objective: Callable[[], float], gradients: dict[str, str]
) -> Callable[[], Worked]:
    """The example, with what its kernel wrote held to differences of an objective in `moved`; `gradients`: tensor -> its gradient."""

    def run() -> Worked:
        example = worked()
        found = {tensor: example.results[gradient] for tensor, gradient in gradients.items()}
        return replace(example, differences=check(Probe(name, moved, objective, lambda: found)))

    return run


MATMUL = Derivation(
    "matmul",
    "matmul",
    (
        step(
            "Definition: row m of a with column n of b. For m = n = 1:",
            r"(ab)_{mn} = \sum_k a_{mk} b_{kn}",
            ab_11=lambda v: v.a[0, 0] * v.b[0, 0] + v.a[0, 1] * v.b[1, 0] + v.a[0, 2] * v.b[2, 0],
        ),
        step("All rows with all columns.", r"ab", ab=lambda v: np.einsum("mk,kn->mn", v.a, v.b)),
        step(
            "A gradient that several calls make is added up where it lies: no pass over memory of its own is spent on the sum.",
            r"\text{out}' = \text{out} + ab",
            new_out=lambda v: v.out + v.ab,
        ),
    ),
    of_kernel("matmul", {"a": X, "b": W, "out": [[1, 1], [1, 1]], "accumulate": True}, ("new_out",)),
)

AFFINE = Derivation(
    "affine",
    "affine",
    (
        step("The layer's sum for each of its units.", r"a = x W + b", a=lambda v: np.einsum("bi,io->bo", v.x, v.W) + v.b),
        step(
            "Its activation, while the sum is still at hand (a leaky_relu of slope 0.1): a is never stored.",
            r"y = f(a)",
            y=lambda v: np.where(v.a >= 0, v.a, v.parameter * v.a),
        ),
    ),
    of_kernel("affine", {"x": X, "W": W, "b": B, "activation": "leaky_relu", "parameter": 0.1, "y": unwritten(2, 2)}, ("y",)),
)


HEADS = Derivation(
    "heads",
    "heads",
    (
        step("Two layers on one input (the heads mu and s of an encoder). The first:", r"y = x W + b", y=lambda v: v.x @ v.W + v.b),
        step("And the second, which reads the same x.", r"y2 = x W2 + b2", y2=lambda v: v.x @ v.W2 + v.b2),
    ),
    of_kernel(
        "heads", {"x": X, "W": W, "b": B, "y": unwritten(2, 2), "W2": [[2], [0], [1]], "b2": [1], "y2": unwritten(2, 1)}, ("y", "y2")
    ),
)


def _through_tanh() -> Worked:
    given = {"dy": DY, "W": W, "activation": "tanh", "parameter": 0, "y": np.tanh(BELOW), "dx": unwritten(2, 3), "accumulate": False}
    below, dy, weights = BELOW.copy(), np.array(DY, float), np.array(W, float)
    worked = of_kernel("affine_data_gradient", given, ("dx",))
    return against_differences(
        "affine_data_gradient", worked, {"a": below}, lambda: float((dy * (np.tanh(below) @ weights)).sum()), {"a": "dx"}
    )()


DATA_GRADIENT = Derivation(
    "affine_data_gradient",
    "affine_data_gradient",
    (
        step(
            "The layer reads y = f(a), what the layer below made of its own sum a. A unit i of it is in every output o of its row.",
            r"\text{out} = y W + b \qquad \frac{\partial L}{\partial y_{bi}} = \sum_o dy_{bo} W_{io}",
            through_W=lambda v: np.einsum("bo,io->bi", v.dy, v.W),
        ),
        step(
            "The slope of the activation below, from its output alone (here tanh).",
            r"f'(a) = 1 - y^2",
            slope=lambda v: 1 - v.y**2,
        ),
        step(
            "Chain rule: dx is the gradient of a, and goes straight on into the product of the layer below.",
            r"dx = \frac{\partial L}{\partial a} = (dy W^\top) \odot f'(a)",
            dx=lambda v: v.through_W * v.slope,
        ),
    ),
    _through_tanh,
)


W2, DY2 = [[2], [0], [1]], [[1], [-2]]


def _through_two_heads() -> Worked:
    below, weights = BELOW.copy(), [np.array(W, float), np.array(W2, float)]
    given = {
        "dy": DY, "W": W, "dy2": DY2, "W2": W2, "activation": "tanh", "parameter": 0, "y": np.tanh(BELOW), "dx": unwritten(2, 3),
    }  # fmt: skip
    worked = of_kernel("heads_data_gradient", given, ("dx",))

    def objective() -> float:
        return float(sum((np.array(dy, float) * (np.tanh(below) @ w)).sum() for dy, w in zip((DY, DY2), weights, strict=True)))

    return against_differences("heads_data_gradient", worked, {"a": below}, objective, {"a": "dx"})()


HEADS_GRADIENT = Derivation(
    "heads_data_gradient",
    "heads_data_gradient",
    (
        step(
            "Two layers read the same y (the heads mu and s of an encoder): a unit i of it is in every output of both.",
            r"\frac{\partial L}{\partial y_{bi}} = \sum_o dy_{bo} W_{io} + \sum_p dy2_{bp} W2_{ip}",
            through_both=lambda v: np.einsum("bo,io->bi", v.dy, v.W) + np.einsum("bp,ip->bi", v.dy2, v.W2),
        ),
        step(
            "The slope of the activation below, from its output alone (here tanh), once for both.",
            r"dx = (dy W^\top + dy2 W2^\top) \odot f'(a) \qquad f'(a) = 1 - y^2",
            dx=lambda v: v.through_both * (1 - v.y**2),
        ),
    ),
    _through_two_heads,
)


def _through_an_activation() -> Worked:
    below = BELOW.copy()
    dy = np.array([[1.0, -1.0, 2.0], [0.5, 1.0, 4.0]])
    given = {"dy": dy, "activation": "tanh", "parameter": 0, "y": np.tanh(BELOW), "dx": unwritten(2, 3)}
    worked = of_kernel("activation_gradient", given, ("dx",))
    return against_differences("activation_gradient", worked, {"a": below}, lambda: float((dy * np.tanh(below)).sum()), {"a": "dx"})()


ACTIVATION_GRADIENT = Derivation(
    "activation_gradient",
    "activation_gradient",
    (
        step("The slope of the activation, from its output alone (here tanh).", r"f'(a) = 1 - y^2", slope=lambda v: 1 - v.y**2),
        step("Chain rule, element by element.", r"dx = \frac{\partial L}{\partial a} = dy \odot f'(a)", dx=lambda v: v.dy * v.slope),
    ),
    _through_an_activation,
)


def _of_the_weights() -> Worked:
    given = {"x": X, "dy": DY, "dW": [[0, 0], [0, 0], [0, 0]], "db": [0, 0]}
    x, dy, moved = np.array(X, float), np.array(DY, float), {"W": np.array(W, float), "b": np.array(B, float)}
    worked = of_kernel("affine_weight_gradient", given, ("new_dW", "new_db"))

    def objective() -> float:
        return float((dy * (x @ moved["W"] + moved["b"])).sum())

    return against_differences("affine_weight_gradient", worked, moved, objective, {"W": "new_dW", "b": "new_db"})()


def _outer(v: Any) -> Any:
    return np.einsum("bi,bo->io", v.x, v.dy)


WEIGHT_GRADIENT = Derivation(
    "affine_weight_gradient",
    "affine_weight_gradient",
    (
        step(
            "A weight is in one output of each row: the rows add up. They are added to what is there already.",
            r"dW' = dW + x^\top dy",
            new_dW=lambda v: v.dW + _outer(v),
        ),
        step(
            "A bias is a weight of an input that is always 1: one more row of the same product.",
            r"db' = db + \sum_b dy_b",
            new_db=lambda v: v.db + v.dy.sum(axis=0),
        ),
    ),
    _of_the_weights,
)

DERIVATIONS = (MATMUL, AFFINE, HEADS, DATA_GRADIENT, HEADS_GRADIENT, ACTIVATION_GRADIENT, WEIGHT_GRADIENT)
