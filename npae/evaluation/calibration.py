"""How often the two-sample test is wrong, and what it sees: its level and its power on a problem where the truth is known.

The Blob problem: both samples lie in a grid of SIDE x SIDE blobs, SPACING apart, in the plane, each blob a Gaussian of variance 1 in
either direction. Those of x are round. Those of y are stretched along the diagonal: correlation (e - 1) / (e + 1), so that e is the ratio
of the two eigenvalues of their covariance. With e = 1 the distributions are one and the share of p <= ALPHA is the level, else the power.

The difference is as wide as a blob, while the median distance is as wide as the grid, so that kernel averages it away: BLOB, the variance
of a blob, is the bandwidth for one who knows where to look. Both are exact tests.

    Rate(rejected, runs).interval       95 %, Clopper and Pearson: exact for a binomial count

With 199 relabellings p <= 0.05 is 10 of 200 equally likely ranks: where nothing differs the test rejects with probability 0.05 exactly.

No published number stands beside these: both papers below choose the bandwidth from data, and show their power in pictures.

Sources: Gretton et al. 2012, "Optimal kernel choice for large-scale two-sample tests", section 4 (the problem); Sutherland et al. 2017,
"Generative models and model criticism via optimized maximum mean discrepancy", section 4 (e as here); Clopper & Pearson 1934.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from npae.backend import Array
from npae.evaluation.two_sample import two_sample_test

SIDE, SPACING, BLOB = 5, 10.0, 1.0
ALPHA, PERMUTATIONS = 0.05, 199
CONFIDENCE = 0.95
STRETCHES = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
LEVEL_SIZES = (100, 150)  # n and m
POWER_SIZES = (100, 300, 1000)  # n = m
BANDWIDTHS: dict[str, float | None] = {"median distance": None, "width of a blob": BLOB}

Watch = Callable[[], None]


@dataclass(frozen=True)
class Rate:
    """How many of `runs` tests rejected."""

    rejected: int
    runs: int

    @property
    def value(self) -> float:
        """The share."""
        return self.rejected / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """Between what the true share lies with a probability of at least CONFIDENCE."""
        from scipy.stats import binomtest

        found = binomtest(self.rejected, self.runs).proportion_ci(CONFIDENCE, method="exact")
        return float(found.low), float(found.high)


def blobs(n: int, stretch: float, rng: np.random.Generator) -> Array:
    """(n, 2) points of the grid whose blobs have eigenvalues of ratio `stretch`."""
    correlation = (stretch - 1.0) / (stretch + 1.0)
    point = rng.standard_normal((n, 2))
    point[:, 1] = correlation * point[:, 0] + math.sqrt(1.0 - correlation**2) * point[:, 1]
    return point + SPACING * rng.integers(SIDE, size=(n, 2))


def rejections(n: int, m: int, stretch: float, *, runs: int, bandwidth: float | None, seed: int, watch: Watch) -> Rate:
    """How often n points of round blobs and m of stretched ones are told apart; `watch` is called after each run."""
    rejected = 0
    for run in range(runs):
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, n, m, round(1000 * stretch), run])))
        x, y = blobs(n, 1.0, rng), blobs(m, stretch, rng)
        rejected += two_sample_test(x, y, permutations=PERMUTATIONS, seed=run, bandwidth=bandwidth).p_value <= ALPHA
        watch()
    return Rate(rejected, runs)


def level(runs: int, seed: int, watch: Watch) -> dict[str, Rate]:
    """The share of rejections where both samples come from one distribution, for each way to choose the bandwidth."""
    n, m = LEVEL_SIZES
    return {name: rejections(n, m, 1.0, runs=runs, bandwidth=width, seed=seed, watch=watch) for name, width in BANDWIDTHS.items()}


def power(runs: int, seed: int, watch: Watch) -> dict[str, dict[int, list[Rate]]]:
    """The share of rejections for each bandwidth, n = m and stretch."""
    return {
        name: {n: [rejections(n, n, e, runs=runs, bandwidth=width, seed=seed, watch=watch) for e in STRETCHES] for n in POWER_SIZES}
        for name, width in BANDWIDTHS.items()
    }
