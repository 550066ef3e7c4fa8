"""What a forward pass of a model returns: each term of the objective by name, its weight, and their weighted sum.

    total = sum_k weight_k * value_k

A weight of 0 marks a term that is only watched (the exact KL beside the free-bits one).
On a GPU values, and weights that change from step to step, are numbers that nobody has read yet; `on_host` reads them all at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from npae.backend import Backend

_READ = (int, float)  # a number that is not on a GPU any more


class Terms(Mapping[str, float]):
    """terms["kl"] or terms.kl is the unweighted value; terms.total is the objective."""

    def __init__(self, values: Mapping[str, float], weights: Mapping[str, float] | None = None) -> None:
        self.values_by_name = dict(values)
        self.weights = dict.fromkeys(values, 1.0)
        if weights:
            self.weights.update(weights)

    @cached_property
    def total(self) -> float:
        """The objective."""
        total = 0.0
        for name, value in self.values_by_name.items():
            weight = self.weights[name]
            if not isinstance(weight, _READ) or weight:  # 0 times a watched term that is infinite would be no number
                total += weight * value
        return total

    def on_host(self, backend: Backend) -> Terms:
        """The same as floats. On a GPU this waits until they are computed."""
        if backend.reads_at_once:
            return self
        read = dict(zip(self.unread(), backend.read([*self.unread().values()]), strict=True))
        values = {name: read.get(("value", name), value) for name, value in self.values_by_name.items()}
        return Terms(values, {name: read.get(("weight", name), weight) for name, weight in self.weights.items()})

    def unread(self) -> dict[tuple[str, str], Any]:
        """The numbers that are still on a GPU: ("value" or "weight", name) -> number."""
        every = {("value", name): value for name, value in self.values_by_name.items()}
        every |= {("weight", name): weight for name, weight in self.weights.items()}
        return {key: number for key, number in every.items() if not isinstance(number, int | float)}

    def watch(self, **values: float) -> None:
        """Add numbers that are shown beside the terms and are no part of the total."""
        self.values_by_name |= values
        self.weights |= dict.fromkeys(values, 0.0)

    def __getitem__(self, name: str) -> float:
        return self.values_by_name[name]

    def __getattr__(self, name: str) -> float:
        try:
            return self.__dict__["values_by_name"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no term '{name}'") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={value:.6g}" for name, value in self.values_by_name.items())
        return f"Terms(total={self.total:.6g}, {parts})"
