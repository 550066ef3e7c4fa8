"""The sums of a permutation test: one kernel matrix under many choices of a group of the points."""

from __future__ import annotations

import numpy as np

from npae.explain.derivation import Derivation, step
from npae.explain.derivations.distances import squared_distances
from npae.explain.examples import of_kernel, unwritten

DERIVATIONS = (
    Derivation(
        "relabelled_sums",
        "relabelled_sums",
        (
            step(
                "The kernel of every pair; a point's with itself is left out.",
                r"K_{ij} = \exp\left(-\frac{\lVert x_i - x_j \rVert^2}{2 \sigma^2}\right) \qquad K_{ii} = 0",
                D=lambda v: squared_distances(v.x, v.x),
                K=lambda v: np.exp(-v.D / (2 * v.sigma2)) * (1 - np.eye(len(v.x))),
            ),
            step(
                "A row of labels marks a group: 1 for its points, 0 for the others. Two forms sum k inside the group and from it to all.",
                r"a^\top K a = S_{11} \qquad a^\top K 1 = S_{11} + S_{12} \qquad T = 1^\top K 1 = S_{11} + 2 S_{12} + S_{22}",
                T=lambda v: v.K.sum(),
                inside=lambda v: np.array([a @ v.K @ a for a in v.labels.astype(float)]),
                from_it=lambda v: np.array([a @ v.K.sum(axis=1) for a in v.labels.astype(float)]),
                sums=lambda v: np.stack([v.inside, v.from_it]),
            ),
            step(
                "Solved for what the discrepancy needs (npae explain mmd_rbf), so one pass over K serves every relabelling.",
                r"S_{11} = a^\top K a \qquad S_{12} = a^\top K 1 - a^\top K a \qquad S_{22} = T - 2\, a^\top K 1 + a^\top K a",
                S_11=lambda v: v.sums[0],
                S_12=lambda v: v.sums[1] - v.sums[0],
                S_22=lambda v: v.T - 2 * v.sums[1] + v.sums[0],
            ),
            step("Nothing is differentiated here: a test measures two samples, and moves neither."),
        ),
        of_kernel(
            "relabelled_sums",
            {
                "x": [[1, 0, 0.5], [0, -1, 1], [2, 1, 0]],
                "sigma2": 2.0,
                "labels": np.array([[1, 1, 0], [1, 0, 1]], np.int8),
                "sums": unwritten(2, 2),
            },
            ("T", "sums"),
        ),
    ),
)
