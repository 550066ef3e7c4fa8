"""What a forward pass of a model returns: each term of the objective by name, its weight, and their weighted sum.

    total = sum_k weight_k * value_k

A weight of 0 marks a term that is only watched (the exact KL beside the free-bits one).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Terms(Mapping[str, float]):
    """terms["kl"] or terms.kl is the unweighted value; terms.total is the objective."""

    def __init__(self, values: Mapping[str, float], weights: Mapping[str, float] | None = None) -> None:
        self.values_by_name = dict(values)
        self.weights = {name: 1.0 for name in values} | dict(weights or {})
        self.total = sum(self.weights[name] * value for name, value in values.items() if self.weights[name])

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
