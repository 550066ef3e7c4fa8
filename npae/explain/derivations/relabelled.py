"""The sums of a permutation test: one kernel matrix under many ways of dealing the points into two groups."""

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
                "A row of signs deals the points into group 1 (sign 1) and group 2 (sign -1). Their products tell pairs apart.",
                r"s_i s_j = 1 \text{ inside a group} \qquad s_i s_j = -1 \text{ across}",
            ),
            step(
                "So two bilinear forms say all about the sums S inside the groups and across.",
                r"s^\top K s = S_{11} - 2 S_{12} + S_{22} \qquad s^\top K 1 = S_{11} - S_{22} \qquad"
                r" T = 1^\top K 1 = S_{11} + 2 S_{12} + S_{22}",
                T=lambda v: v.K.sum(),
                of_s_and_s=lambda v: np.array([s @ v.K @ s for s in v.signs.astype(float)]),
                of_s_and_1=lambda v: np.array([s @ v.K.sum(axis=1) for s in v.signs.astype(float)]),
                sums=lambda v: np.stack([v.of_s_and_s, v.of_s_and_1]),
            ),
            step(
                "Solved for what the discrepancy needs (npae explain mmd_rbf), so one pass over K serves every relabelling.",
                r"S_{11} = \frac{T + s^\top K s + 2 s^\top K 1}{4} \qquad S_{22} = \frac{T + s^\top K s - 2 s^\top K 1}{4} \qquad"
                r" S_{12} = \frac{T - s^\top K s}{4}",
                S_11=lambda v: (v.T + v.sums[0] + 2 * v.sums[1]) / 4,
                S_22=lambda v: (v.T + v.sums[0] - 2 * v.sums[1]) / 4,
                S_12=lambda v: (v.T - v.sums[0]) / 4,
            ),
            step("Nothing is differentiated here: a test measures two samples, and moves neither."),
        ),
        of_kernel(
            "relabelled_sums",
            {
                "x": [[1, 0, 0.5], [0, -1, 1], [2, 1, 0]],
                "sigma2": 2.0,
                "signs": np.array([[1, 1, -1], [1, -1, 1]], np.int8),
                "sums": unwritten(2, 2),
            },
            ("T", "sums"),
        ),
    ),
)
