"""Penalties that keep most units of a code silent.      z (B, Z)

    l1    L = (1/B) sum_B sum_Z |z|                                          dz = sign(z) / B,  0 where z = 0

    kl    r_j = (1/B) sum_B z_j      the mean activation of unit j, z in (0, 1)
          L = sum_Z [ rho log(rho / r_j) + (1 - rho) log((1 - rho) / (1 - r_j)) ]
          dz_j = (1/B) [ (1 - rho) / (1 - r_j) - rho / r_j ]                 the same for every row: r_j couples the batch

l1 is in the code's own units, per row. kl is the divergence, in nats, of two coins: one that shows a unit active at the target rate rho,
one at its mean activation over the batch. It asks each unit to be active in few rows; l1 asks each row to use few units.
Sources: l1, Olshausen & Field 1996 (a prior exp(-|z|)); kl, Ng 2011, "Sparse autoencoder", lecture notes CS294A, section 3.
Raises InputError for an unknown penalty and for a rate outside (0, 1).
"""

from __future__ import annotations

from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers.node import Node, scale

PENALTIES = ("l1", "kl")


class L1(Node):
    """(1/B) sum |z|."""

    def forward(self, z: Array) -> float:
        """(1/B) sum |z|"""
        xp = self.backend.xp
        self.dz = xp.sign(z, out=self.buffer("dz", z.shape))
        value = self.backend.dot(self.dz, z) / len(z)  # sum sign(z) z = sum |z|
        self.dz /= len(z)
        return value

    def backward(self, weight: float = 1.0) -> Array:
        """weight * sign(z) / B"""
        scale(self.dz, weight)
        return self.dz


class TargetRate(Node):
    """sum_Z KL(rho || r_j), r_j the mean activation of unit j over the batch."""

    def __init__(self, rate: float = 0.05) -> None:
        if not 0 < rate < 1:
            raise InputError(f"target_rate {rate} is not between 0 and 1: the share of rows for which a unit of the code is to be active")
        self.rate = rate

    def forward(self, z: Array) -> float:
        """sum_Z [ rho log(rho / r_j) + (1 - rho) log((1 - rho) / (1 - r_j)) ]"""
        xp, rho = self.backend.xp, self.rate
        self.shape = z.shape
        self.r = r = xp.mean(z, axis=0, dtype="float64")
        return self.backend.number(xp.sum(rho * xp.log(rho / r) + (1 - rho) * xp.log((1 - rho) / (1 - r))))

    def backward(self, weight: float = 1.0) -> Array:
        """weight * [ (1 - rho) / (1 - r_j) - rho / r_j ] / B in every row"""
        dr = (1 - self.rate) / (1 - self.r) - self.rate / self.r
        dz = self.buffer("dz", self.shape)
        dz[...] = dr * (weight / len(dz))
        return dz


def make_penalty(name: str, rate: float) -> L1 | TargetRate:
    """The penalty of that name."""
    if name not in PENALTIES:
        raise InputError(f"penalty '{name}' is not known{nearest(name, PENALTIES)}")
    target = TargetRate(rate)  # refuses an unfit rate under l1 too, where nothing else would look at it
    return L1() if name == "l1" else target
