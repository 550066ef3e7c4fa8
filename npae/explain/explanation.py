"""Everything there is to say about one thing, computed once, for the terminal and for the page alike."""

from __future__ import annotations

from dataclasses import dataclass

from npae.explain.catalogue import group_of, summary
from npae.explain.derivation import Derivation, Followed, follow
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
    sides: tuple[Source, Source]
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
