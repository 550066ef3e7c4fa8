"""What a derivation is: steps from the definition to the gradient, and an example whose every number is computed.

    Derivation(of, name, steps, example)
        of         what is derived: a Node, Adam, a kernel's name
        steps      words, a formula in LaTeX, and the numbers that the formula gives for the example
        example    () -> Worked: given numbers, what the real code makes of them, and finite differences of it

A step's number is the formula spelled out in NumPy, on `v`, which holds all that is given and all that was computed before. A number that
has the name of one of the code's results has to equal it: `followed` says how nearly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from npae.explain.matrices import difference
from npae.inspection.report import Report

Formula = Callable[[Any], Any]


@dataclass(frozen=True)
class Step:
    """One step: why, the formula, and its numbers by name."""

    words: str
    formula: str
    numbers: Mapping[str, Formula]


def step(words: str, formula: str = "", /, **numbers: Formula) -> Step:
    """A step; each keyword is a number of the example, from the formula."""
    return Step(words, formula, numbers)


@dataclass(frozen=True)
class Worked:
    """An example: what is given, what the code gave, and its gradients beside finite differences (None: nothing is differentiated).

    `seen` are values from inside the code (a model's nodes) that steps may read.
    """

    given: Mapping[str, Any]
    results: Mapping[str, Any]
    differences: Report | None
    seen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Derivation:
    """The derivation of one thing."""

    of: Any
    name: str
    steps: tuple[Step, ...]
    example: Callable[[], Worked]


@dataclass(frozen=True)
class Followed:
    """A derivation with the numbers of its example, step by step."""

    derivation: Derivation
    worked: Worked
    numbers: tuple[Mapping[str, Any], ...]

    @property
    def by_formula(self) -> dict[str, Any]:
        """Every number that a formula gave."""
        return {name: value for of_step in self.numbers for name, value in of_step.items()}

    @property
    def held_to_the_code(self) -> dict[str, float]:
        """Result of the code -> how far the formula is from it, for all results that a step derives."""
        ours = self.by_formula
        return {name: difference(ours[name], value) for name, value in self.worked.results.items() if name in ours}


def follow(derivation: Derivation) -> Followed:
    """Run the example, and every step's formula on it."""
    worked = derivation.example()
    v = SimpleNamespace(**{**worked.seen, **worked.given})
    numbers = []
    for one in derivation.steps:
        of_step = {}
        for name, formula in one.numbers.items():
            of_step[name] = formula(v)
            setattr(v, name, of_step[name])
        numbers.append(of_step)
    return Followed(derivation, worked, tuple(numbers))
