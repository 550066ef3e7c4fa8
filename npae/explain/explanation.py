"""Everything there is to say about one thing, computed once, for the terminal and for the page alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from npae.explain.catalogue import group_of, summary
from npae.explain.derivation import Derivation, Followed, follow
from npae.explain.mathematics import plain
from npae.explain.shapes import NodeShapes
from npae.explain.sources import Source, document, kernels_of, sides

SINGULAR = {"layers": "layer", "losses": "loss", "models": "model", "optimisers": "optimiser", "kernels": "kernel"}
ROUNDING = 1e-12  # of the largest number, or of 1
READING = (
    "dx stands for the gradient of the objective L with respect to x, and has the shape of x. {times} is the product element by element; b"
    " counts the B rows."
)


@dataclass(frozen=True)
class Explanation:
    """What is shown."""

    name: str
    group: str
    summary: str
    document: str
    followed: Followed
    sides: tuple[Source, ...]
    kernels: list[str]
    shapes: list[NodeShapes]
    configuration: str

    @property
    def title(self) -> str:
        """Name and kind."""
        return f"{self.name}, a {SINGULAR[self.group]}" if self.group != "optimisers" else f"{self.name}, an optimiser"

    @property
    def calls(self) -> str:
        """The kernels that do the work."""
        plural = "s" if len(self.kernels) > 1 else ""
        return f"calls the kernel{plural} {', '.join(self.kernels)}: npae explain {self.kernels[0]}" if self.kernels else ""

    @property
    def holds(self) -> bool:
        """Whether formulas and code give the same numbers, up to rounding."""
        return max(self.followed.held_to_the_code.values()) <= ROUNDING

    @property
    def verdicts(self) -> list[str]:
        """What the numbers of the example are held to."""
        held = self.followed.held_to_the_code
        apart = max(held.values())
        how_well = f"to {apart:.1e}" if apart else "in every digit"
        lines = [f"By these formulas and by the code: {', '.join(held)} agree{'s' * (len(held) == 1)} {how_well}."]
        report = self.followed.worked.differences
        if report is None:
            return [*lines, "No objective is differentiated here, so there are no finite differences to compare with."]
        rows = ", ".join(dict.fromkeys(row.tensor for row in report))
        verdict = "agree to" if report.passed else "DISAGREE by"
        return [*lines, f"The code's gradients and finite differences of the objective {verdict} {report.error:.1e}, relative ({rows})."]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `difference` is relative, of the formula's number from the code's."""
        worked, gave = self.followed.worked, numbers_of(self.followed.worked.results)
        steps = [
            {"words": one.words, "latex": one.formula, "text": plain(one.formula) if one.formula else "", "numbers": numbers_of(values)}
            for one, values in zip(self.followed.derivation.steps, self.followed.numbers, strict=True)
        ]
        return {
            "name": self.name,
            "kind": SINGULAR[self.group],
            "summary": self.summary,
            "document": self.document,
            "code": [asdict(side) for side in self.sides],
            "kernels": self.kernels,
            "configuration": self.configuration or None,
            "shapes": [asdict(row) for row in self.shapes],
            "given": numbers_of(worked.given),
            "steps": steps,
            "code_gave": {name: {"value": gave[name], "difference": d} for name, d in self.followed.held_to_the_code.items()},
            "finite_differences": None if worked.differences is None else worked.differences.as_dict(),
            "holds": self.holds,
        }


def numbers_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays as lists, NumPy's numbers as Python's."""
    return {name: np.asarray(value).tolist() for name, value in values.items()}


def explain(derivation: Derivation, shapes: list[NodeShapes], configuration: str) -> Explanation:
    """Run the example, and read the rest off the code."""
    return Explanation(
        name=derivation.name,
        group=group_of(derivation.name),
        summary=summary(derivation),
        document=document(derivation.of),
        followed=follow(derivation),
        sides=sides(derivation.of),
        kernels=kernels_of(derivation.of),
        shapes=shapes,
        configuration=configuration,
    )
