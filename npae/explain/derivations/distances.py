"""Squared distances, their order statistics, and the bandwidth that is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array, backend
from npae.explain.derivation import Derivation, Worked, step
from npae.explain.examples import of_kernel, unwritten
from npae.inspection.gradcheck import check
from npae.inspection.probe import Probe
from npae.losses import Bandwidth

Z, W = [[1, 0, 0.5], [0, -1, 1]], [[0, 0, 1], [2, 1, 0]]


def squared_distances(a: Any, b: Any) -> Any:
    """D_ij = ||a_i - b_j||^2"""
    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)


def _bandwidth() -> Worked:
    """sigma2 by the rule flux, and its gradient through the pair that was picked."""
    numpy, rule = backend("numpy"), Bandwidth("flux")
    z, w = np.array(Z), np.array(W, float)

    def gradients() -> dict[str, Array]:
        dz = np.zeros_like(z)
        rule.value(numpy, z, w)
        rule.backward(numpy, z, w, 1.0, dz)
        return {"z": dz}

    report = check(Probe("Bandwidth", {"z": z}, lambda: rule.value(numpy, z, w), gradients))
    return Worked({"z": z, "w": w}, {"sigma2": rule.value(numpy, z, w), "dz": gradients()["z"]}, report)


BANDWIDTH = Derivation(
    Bandwidth,
    "Bandwidth",
    (
        step(
            "The rule flux: a distance of middling rank among those to the prior's points, and one among the codes' own.",
            r"\sigma^2 = D^{zw}_{(h)} + D^{zz}_{(h)} \qquad h = \frac{n^2 - n}{2} \text{ counted from 1}",
            D_zw=lambda v: squared_distances(v.z, v.w),
            D_zz=lambda v: squared_distances(v.z, v.z),
            h=lambda v: (len(v.z) ** 2 - len(v.z)) // 2,
        ),
        step(
            "Sort, and pick. With n = 2 the second one is a point's distance to itself.",
            r"\sigma^2 = D^{zw}_{i j} + D^{zz}_{k l}",
            sigma2=lambda v: np.sort(v.D_zw.ravel())[v.h - 1] + np.sort(v.D_zz.ravel())[v.h - 1],
        ),
        step(
            "Derivative: while no two distances change places, the one of that rank stays the distance of one pair, and only that pair"
            " moves it.",
            r"dz_i = 2 (z_i - w_j) \qquad \text{0 for every other row}",
            dz=lambda v: _through_the_smallest(v.z, v.w, v.D_zw),
        ),
        step(
            "With stop_gradient, which is the Flux document's rule, sigma2 is a constant to backward and this gradient is not added.",
        ),
    ),
    _bandwidth,
)


def _through_the_smallest(z: Array, w: Array, distances: Array) -> Array:
    i, j = np.unravel_index(np.argmin(distances), distances.shape)
    dz = np.zeros_like(z)
    dz[i] = 2 * (z[i] - w[j])
    return dz


PAIRWISE = Derivation(
    "pairwise_squared",
    "pairwise_squared",
    (
        step(
            "Definition: differences first, then squares, then their sum. For the pair (1, 1):",
            r"D_{ij} = \sum_k (x_{ik} - y_{jk})^2",
            differences_11=lambda v: v.x[0] - v.y[0],
            squares_11=lambda v: v.differences_11**2,
            out_11=lambda v: v.squares_11.sum(),
        ),
        step("All pairs.", r"\text{out} = D", out=lambda v: squared_distances(v.x, v.y)),
        step(
            "The expanded form is equal, and one matrix product; but for points far from the origin it subtracts large numbers that agree"
            " in most digits, so it is not what is computed.",
            r"D_{ij} = \lVert x_i \rVert^2 + \lVert y_j \rVert^2 - 2 x_i \cdot y_j",
            expanded=lambda v: (v.x**2).sum(axis=1)[:, None] + (v.y**2).sum(axis=1)[None, :] - 2 * v.x @ v.y.T,
        ),
        step(
            "Nothing is differentiated here: the losses that are made of distances hold their own gradient.",
            r"\frac{\partial D_{ij}}{\partial x_i} = 2 (x_i - y_j)",
        ),
    ),
    of_kernel("pairwise_squared", {"x": Z, "y": W, "out": unwritten(2, 2)}, ("out",)),
)

ORDER_STATISTIC = Derivation(
    "distance_order_statistic",
    "distance_order_statistic",
    (
        step("All n m squared distances.", r"D_{ij} = \lVert z_i - w_j \rVert^2", D=lambda v: squared_distances(v.z, v.w)),
        step("Sorted.", r"D_{(0)} \le D_{(1)} \le \ldots", in_order=lambda v: np.sort(v.D.ravel())),
        step("The one of the rank asked for, counted from 0.", r"\text{value} = D_{(\text{rank})}", value=lambda v: v.in_order[v.rank]),
        step(
            "The fast form neither stores nor sorts them. Non-negative floating-point numbers are ordered as their bit patterns are, so"
            " it counts how many distances begin with each pattern of leading bits, keeps the pattern in which the rank falls, and goes on"
            " with the next bits.",
        ),
    ),
    of_kernel("distance_order_statistic", {"z": Z, "w": W, "rank": 1}, ("value",)),
)

LOCATE = Derivation(
    "locate_distance",
    "locate_distance",
    (
        step("All n m squared distances.", r"D_{ij} = \lVert z_i - w_j \rVert^2", D=lambda v: squared_distances(v.z, v.w)),
        step("Where the value is.", r"[D_{ij} = \text{value}]", equal=lambda v: np.equal(v.D, v.value)),
        step(
            "The first such pair, row by row, counted from 0.",
            r"(i, j) = \min \{(i, j) : D_{ij} = \text{value}\}",
            i=lambda v: np.flatnonzero(v.equal)[0] // len(v.w),
            j=lambda v: np.flatnonzero(v.equal)[0] % len(v.w),
        ),
        step("Its use: the gradient of an order statistic is that of this one distance.", r"dz_i = 2 (z_i - w_j)"),
    ),
    of_kernel("locate_distance", {"z": Z, "w": W, "value": 2.25}, ("i", "j")),
)

DERIVATIONS = (BANDWIDTH, PAIRWISE, ORDER_STATISTIC, LOCATE)
