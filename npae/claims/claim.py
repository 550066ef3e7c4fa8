"""A claim of the founding documents as an experiment: what is claimed, how it is measured, what came out, and the verdict.

Every seed trains its own models and says by itself whether the claim holds there. The verdict is theirs:

    holds            in every seed
    does not hold    in no seed
    undecided        in some
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npae.claims.trainings import Trainings


@dataclass(frozen=True)
class Seen:
    """What one seed showed: numbers by name, and whether the claim holds in them."""

    numbers: dict[str, float]
    holds: bool


@dataclass(frozen=True)
class Claim:
    """`measure` trains what it needs with one seed. `how` says what is compared and where the line is drawn, before anything is run."""

    name: str
    statement: str
    source: str
    how: str
    measure: Callable[[Trainings, int], Seen]


@dataclass(frozen=True)
class Verdict:
    """A claim and what each seed showed."""

    claim: Claim
    seen: list[Seen]

    @property
    def word(self) -> str:
        """holds | does not hold | undecided"""
        held = sum(one.holds for one in self.seen)
        return "holds" if held == len(self.seen) else "does not hold" if held == 0 else "undecided"

    @property
    def numbers(self) -> dict[str, list[float]]:
        """Each measured number over the seeds."""
        return {name: [one.numbers[name] for one in self.seen] for name in self.seen[0].numbers}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.claim.name,
            "statement": self.claim.statement,
            "source": self.claim.source,
            "how": self.claim.how,
            "verdict": self.word,
            "held": [one.holds for one in self.seen],
            "numbers": self.numbers,
        }
