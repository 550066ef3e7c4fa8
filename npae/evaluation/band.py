"""Where one more run would lie, and whether a published number lies there.

What was published is one run with an unknown seed, so it has to lie where one more run of ours would lie with probability 95 %:

    median +- c(n) MAD          n: the number of seeds;  MAD: median absolute deviation from the median

Median and MAD in place of mean and standard deviation, because at learning rate 0.01 a seed now and then jumps, and one such jump would
widen the band until nothing could fall outside. c(n) is simulated: the 95 % quantile of |x' - median| / MAD over n + 1 normal numbers.
A published number was rounded when it was printed: what has to meet the band is the interval number +- half a unit of its last digit.
Beside the band stands, where a preset has one, the range that an independent implementation measured; ours must overlap it.
"""

from __future__ import annotations

import functools
import statistics
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.presets import Number

PROBABILITY = 0.95
SIMULATIONS = 50_000
MOST_NUMBERS = 10_000_000  # 80 MB


@functools.cache
def band_factor(n: int) -> float:
    """c(n): how many MADs of n normal numbers from their median one more stays within, with probability PROBABILITY."""
    draws = np.random.Generator(np.random.Philox(0)).standard_normal((min(SIMULATIONS, MOST_NUMBERS // n), n + 1))
    seeds, further = draws[:, :n], draws[:, n]
    middle = np.median(seeds, axis=1)
    spread = np.median(np.abs(seeds - middle[:, None]), axis=1)
    return float(np.quantile(np.abs(further - middle) / spread, PROBABILITY))


@dataclass(frozen=True)
class Judged:
    """One published number beside the seeds'."""

    published: Number
    measured: list[float]

    @property
    def band(self) -> tuple[float, float]:
        """Where one more run would lie."""
        middle = statistics.median(self.measured)
        half = band_factor(len(self.measured)) * statistics.median(abs(value - middle) for value in self.measured)
        return middle - half, middle + half

    @property
    def in_band(self) -> bool:
        """Whether what was published, up to its rounding, meets the band."""
        (low, high), (value, rounding) = self.band, (self.published.value, self.published.rounding)
        return value - rounding <= high and low <= value + rounding

    @property
    def verdict(self) -> str:
        """In a word."""
        return ("in" if self.in_band else "OUT") if self.published.judged else "not judged: unstable over seeds"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.published.name,
            "published": self.published.value,
            "rounding": self.published.rounding,
            "min": min(self.measured),
            "median": statistics.median(self.measured),
            "max": max(self.measured),
            "band": list(self.band),
            "in_band": self.in_band,
            "judged": self.published.judged,
        }


@dataclass(frozen=True)
class Overlap:
    """A range that an independent implementation measured, beside ours."""

    name: str
    independent: tuple[float, float]
    measured: list[float]

    @property
    def overlaps(self) -> bool:
        """Whether the two ranges have a number in common."""
        return min(self.measured) <= self.independent[1] and self.independent[0] <= max(self.measured)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "independent": list(self.independent),
            "min": min(self.measured),
            "max": max(self.measured),
            "overlaps": self.overlaps,
        }
