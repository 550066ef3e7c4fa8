"""The bandwidth sigma2 of the RBF kernel k = exp(-d2 / (2 sigma2)).      z w (n, Z), n = m; D_zw, D_zz all n^2 squared distances

    flux         D_zw sorted [h] + D_zz sorted [h], h = (n^2 - n)/2 counted from 1, D_zz with its zero diagonal     the Flux document
    tolstikhin   the same with the h-th LARGEST entries                                                              Tolstikhin's code
    median       the lower median of the distances between distinct points of the pooled sample z u w                Gretton et al. 2012
    prior        2 Z prior_variance: the mean squared distance of two draws of the prior                             closed form
    a number     itself

flux, tolstikhin and median depend on z. With stop_gradient=True (flux's document) sigma2 is a constant to backward; with False
(Tolstikhin's code) its gradient flows through the pair of points whose distance was picked:

    d2_ij = ||a_i - b_j||^2          da_i = 2 dsigma2 (a_i - b_j),   db_j = -da_i

Sources: Tolstikhin et al. 2018, "Wasserstein auto-encoders", and its published code; Gretton et al. 2012,
"A kernel two-sample test", section 8.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

from npae.backend import Array, Backend
from npae.errors import InputError, nearest


@dataclass(frozen=True)
class Pick:
    """One entry of a distance matrix between rows of z and rows of `other` ("z", "w" or "pool")."""

    left: str
    right: str
    rank: int


def _flux(n: int) -> tuple[Pick, ...]:
    h = (n * n - n) // 2  # counted from 1
    return Pick("z", "w", h - 1), Pick("z", "z", h - 1)


def _tolstikhin(n: int) -> tuple[Pick, ...]:
    h = (n * n - n) // 2
    return Pick("z", "w", n * n - h), Pick("z", "z", n * n - h)


def _median(n: int) -> tuple[Pick, ...]:
    points = 2 * n  # the pooled matrix holds `points` zeros on its diagonal, then every pair twice
    pairs = points * (points - 1) // 2
    return (Pick("pool", "pool", points + 2 * ((pairs - 1) // 2)),)


PICKS: dict[str, Callable[[int], tuple[Pick, ...]]] = {"flux": _flux, "tolstikhin": _tolstikhin, "median": _median}
RULES = (*PICKS, "prior")


def check_rule(rule: str | float) -> str | float:
    """The rule's name, or a finite number above 0."""
    if isinstance(rule, str):
        try:
            rule = float(rule)
        except ValueError:
            if rule not in RULES:
                raise InputError(f"bandwidth '{rule}' is neither a number nor a rule{nearest(str(rule), RULES)}") from None
            return rule
    if not (math.isfinite(rule) and rule > 0):
        raise InputError(f"bandwidth {rule} is not a squared length: it must be finite and above 0, or one of {', '.join(RULES)}")
    return float(rule)


class Bandwidth:
    """sigma2 from two samples by one of the rules above."""

    def __init__(self, rule: str | float = "flux", *, prior_variance: float = 1.0) -> None:
        self.rule = check_rule(rule)
        self.prior_variance = prior_variance

    @property
    def depends_on_z(self) -> bool:
        """Whether the rule has a gradient at all."""
        return self.rule in PICKS

    def value(self, backend: Backend, z: Array, w: Array) -> float:
        """sigma2; an InputError if it is not above zero (all points equal)."""
        if isinstance(self.rule, float):
            return self.rule
        if self.rule == "prior":
            return float(2 * z.shape[1] * self.prior_variance)
        samples = self._samples(backend, z, w)
        statistic, self.distances = backend.kernel("distance_order_statistic"), []
        for place, pick in enumerate(PICKS[self.rule](len(z))):
            with backend.beside(f"distance {place}"):
                self.distances.append(statistic(samples[pick.left], samples[pick.right], pick.rank))
        for place in range(len(self.distances)):
            backend.join(f"distance {place}")
        sigma2: float = backend.number(functools.reduce(operator.add, self.distances))
        if isinstance(sigma2, float) and sigma2 == 0:  # on a GPU nobody looks: the loss is then not a number, and the step is called off
            raise InputError(
                f"bandwidth '{self.rule}': the chosen distances between codes are all 0 (collapsed codes?); give a number or 'prior'"
            )
        return sigma2

    def backward(self, backend: Backend, z: Array, w: Array, dsigma2: float, dz: Array) -> None:
        """dz += dsigma2 * d(sigma2)/dz, through the pairs that `value` picked."""
        samples = self._samples(backend, z, w)
        locate, xp = backend.kernel("locate_distance"), backend.xp
        rows = xp.arange(len(z))
        for pick, distance in zip(PICKS[str(self.rule)](len(z)), self.distances, strict=True):
            left, right = samples[pick.left], samples[pick.right]
            i, j = locate(left, right, distance)
            step = 2 * dsigma2 * (xp.take(left, i, axis=0) - xp.take(right, j, axis=0))
            for sample, row, moved in ((pick.left, i, step), (pick.right, j, -step)):
                if sample != "w":  # rows of the pool from len(z) on are w's
                    dz += (rows == row)[:, None] * moved

    def _samples(self, backend: Backend, z: Array, w: Array) -> dict[str, Array]:
        samples = {"z": z, "w": w}
        if self.rule == "median":
            samples["pool"] = backend.xp.concatenate([z, w])
        return samples
