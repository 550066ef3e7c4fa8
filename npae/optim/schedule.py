"""Learning-rate schedules: the factor that step t of T multiplies the learning rate by.

    constant       1
    linear         1 - t/T
    cosine         (1 + cos(pi t/T)) / 2                     Loshchilov & Hutter 2017
    exponential    decay^(t/T)                               decay: what is left at the end
    step           decay^floor(3 t/T)                        two drops, at a third and at two thirds

`warmup` steps rise linearly from 1/warmup before any of them; t and T then count the steps after it. t counts from 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from npae.errors import InputError, nearest

SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "constant": lambda share, decay: 1.0,
    "linear": lambda share, decay: 1 - share,
    "cosine": lambda share, decay: (1 + math.cos(math.pi * share)) / 2,
    "exponential": lambda share, decay: decay**share,
    "step": lambda share, decay: decay ** math.floor(3 * share),
}


@dataclass(frozen=True)
class Schedule:
    """factor(t) for t = 0 .. total - 1."""

    name: str = "constant"
    total: int = 1
    warmup: int = 0
    decay: float = 0.1

    def __post_init__(self) -> None:
        if self.name not in SCHEDULES:
            raise InputError(f"schedule '{self.name}' is not known{nearest(self.name, SCHEDULES)}")
        if self.warmup < 0:
            raise InputError(f"warmup {self.warmup} is not a number of steps: at least 0")
        if not 0 < self.decay <= 1:
            raise InputError(f"decay {self.decay} is not in (0, 1]: the share of the learning rate that is left")

    def factor(self, t: int) -> float:
        """What step t multiplies the learning rate by."""
        if t < self.warmup:
            return (t + 1) / self.warmup
        share = (t - self.warmup) / max(1, self.total - self.warmup)
        return SCHEDULES[self.name](min(share, 1.0), self.decay)
