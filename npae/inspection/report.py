"""What a gradient check found: a row for every tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-7  # the largest relative error that passes
ORDER = 1.9  # the smallest Taylor order that passes; 2 is exact


@dataclass(frozen=True)
class TensorCheck:
    """One tensor: its worst element, and the Taylor order of the objective along a random direction in it."""

    subject: str
    tensor: str
    shape: tuple[int, ...]
    checked: int
    error: float
    index: tuple[int, ...]
    analytic: float
    numeric: float
    order: float
    kinks: int

    @property
    def passed(self) -> bool:
        """Within tolerance, and of order 2."""
        return self.error <= TOLERANCE and self.order >= ORDER

    def as_dict(self) -> dict[str, Any]:
        """For JSON; an infinite order (a linear dependence) is null."""
        numbers = {name: _finite(getattr(self, name)) for name in ("error", "analytic", "numeric", "order")}
        return {**vars(self), **numbers, "shape": list(self.shape), "index": list(self.index), "passed": self.passed}


def _finite(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else None


@dataclass(frozen=True)
class Report:
    """report.passed, report.error (the largest), and a row a tensor."""

    rows: tuple[TensorCheck, ...]

    @property
    def passed(self) -> bool:
        """Every tensor passed, and there was at least one."""
        return bool(self.rows) and all(row.passed for row in self.rows)

    @property
    def error(self) -> float:
        """The largest relative error of all; NaN if one is."""
        return max((row.error for row in self.rows), key=lambda error: (math.isnan(error), error))

    @property
    def worst(self) -> TensorCheck:
        """The row to look at first: one that failed, if any did, with the largest error (a NaN is larger than any)."""
        return max(self.rows, key=lambda row: (not row.passed, math.isnan(row.error), row.error))

    @property
    def failures(self) -> list[TensorCheck]:
        """The rows that did not pass."""
        return [row for row in self.rows if not row.passed]

    def __iter__(self) -> Iterator[TensorCheck]:
        return iter(self.rows)

    def __add__(self, other: Report) -> Report:
        return Report(self.rows + other.rows)

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        if not self.rows:
            return "FAILED: nothing was checked"
        worst = self.worst
        order = "" if worst.order >= ORDER else f", Taylor order {worst.order:.2f}"
        return (
            f"{verdict}: {len(self.rows)} tensors, largest relative error {worst.error:.1e}"
            f" in {worst.subject} {worst.tensor}{list(worst.index)}"
            f" (by hand {worst.analytic:.9g}, by differences {worst.numeric:.9g}){order}"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"passed": self.passed, "error": _finite(self.error), "tolerance": TOLERANCE, "rows": [row.as_dict() for row in self.rows]}
