"""Two samples and what is to be computed from them, as every contender reads it from a folder.

    mmd        squared distances q_zw, q_zz of the ranks below; sigma2 = q_zw + q_zz; MMD^2_u with exp(-d2 / (2 sigma2)); its gradient to z
    mmd-given  MMD^2_u and its gradient for a given sigma2 = d, hence without order statistics: what KeOps can do as well
    mmd-imq    MMD^2_u with sum_s C_s / (C_s + d2), C_s = 2 d s, s of Tolstikhin's code; its gradient with respect to z
    pairwise   all n m squared distances between z and w

z (n, d) is 0.7 N(0, 1) + 1, w (m, d) is N(0, 1), both from one seed. The ranks are the Flux document's, (n^2 - n)/2 counted from 1, with
n m - n in place of n^2 - n for the distances between the samples. A size is written NxD, or NxMxD where the samples differ.
Raises InputError for a size that is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from npae.errors import InputError
from npae.kernels.kernel import Array
from npae.kernels.mmd import IMQ_SCALES

COMPARISONS = ("mmd", "mmd-given", "mmd-imq", "pairwise")
DTYPES = ("float32", "float64")


class Size(NamedTuple):
    """n points of z, m of w, d features."""

    n: int
    m: int
    d: int

    def __str__(self) -> str:
        return f"{self.n}x{self.d}" if self.n == self.m else f"{self.n}x{self.m}x{self.d}"

    @classmethod
    def read(cls, text: str) -> Size:
        """From "1000x8" or "1000x500x8"."""
        numbers = [int(part) for part in text.strip().split("x") if part.isdecimal()]
        if len(numbers) != text.count("x") + 1 or len(numbers) not in (2, 3) or numbers[-1] < 1 or min(numbers[:-1]) < 2:
            raise InputError(f"--sizes '{text}' is not a size; write points x features, as 1000x8, or 1000x500x8 for unequal samples")
        return cls(numbers[0], numbers[-2] if len(numbers) == 3 else numbers[0], numbers[-1])


class Problem(NamedTuple):
    """What a contender is given."""

    comparison: str
    z: Array
    w: Array

    @property
    def ranks(self) -> tuple[int, int]:
        """Of q_zw and q_zz, counted from 0; never below 0."""
        n, m = len(self.z), len(self.w)
        return max((n * m - n) // 2 - 1, 0), max((n * n - n) // 2 - 1, 0)

    @property
    def sigma2(self) -> float:
        """The given one: half of the mean squared distance of two points w."""
        return float(self.z.shape[1])

    @property
    def scales(self) -> Array:
        """C_s of the inverse multiquadratic kernel."""
        constants: Array = 2.0 * self.z.shape[1] * np.array(IMQ_SCALES)
        return constants

    def head(self, count: int) -> Problem:
        """The same with the first points only."""
        return Problem(self.comparison, self.z[:count].copy(), self.w[:count].copy())

    def write(self, folder: Path) -> None:
        """For the contenders."""
        np.savez(folder / "problem.npz", comparison=self.comparison, z=self.z, w=self.w)


def make(comparison: str, size: Size, dtype: str, offset: float = 0.0) -> Problem:
    """The samples, all points shifted by the offset before they are rounded to the dtype."""
    rng = np.random.Generator(np.random.Philox(0))
    z, w = 0.7 * rng.standard_normal((size.n, size.d)) + 1.0, rng.standard_normal((size.m, size.d))
    return Problem(comparison, (z + offset).astype(dtype), (w + offset).astype(dtype))


def read(folder: Path) -> Problem:
    """What `write` left."""
    with np.load(folder / "problem.npz") as content:
        return Problem(str(content["comparison"]), content["z"], content["w"])
