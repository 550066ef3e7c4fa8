"""What `npae test A B` found, as JSON and on the screen, with a sentence for one who has never seen a p-value."""

from __future__ import annotations

from typing import Any

from npae.backend import Array
from npae.cli.screen import show
from npae.cli.two_samples import Sample
from npae.evaluation.two_sample import TwoSampleTest

ALPHA = 0.05  # what the sentence calls evidence where --alpha does not say


def as_dict(
    a: Sample, b: Sample, found: TwoSampleTest, unlike: tuple[Array, Array], *, scale: str, seed: int, alpha: float | None
) -> dict[str, Any]:
    """For JSON; `least_like_the_other` counts rows of the source, or samples of a run, from 0."""
    sides = {
        side: {"name": one.name, "rows": len(one.rows), "origin": one.origin, "least_like_the_other": one.numbers[places].tolist()}
        for side, one, places in (("a", a, unlike[0]), ("b", b, unlike[1]))
    }
    return sides | {
        "features": a.rows.shape[1],
        "scale": scale,
        "mmd2": found.mmd2,
        "p_value": found.p_value,
        "permutations": found.permutations,
        "seed": seed,
        "bandwidth": found.bandwidth,
        "alpha": alpha,
        "rejected": None if alpha is None else found.p_value <= alpha,
        "sentence": _sentence(found, alpha),
    }


def _sentence(found: TwoSampleTest, alpha: float | None) -> str:
    """What p means, for one who has never seen one."""
    chance = f"If A and B were of one distribution, a difference this large would be seen by chance in about {_share(found.p_value)} tests"
    if found.p_value == 1 / (1 + found.permutations):
        chance = chance.replace("about", "at most about")
    if found.p_value <= (ALPHA if alpha is None else alpha):
        return f"{chance}: they differ."
    return f"{chance}: no evidence that they differ."


def _share(p: float) -> str:
    """1 of 1,001, 23 of 1,000, or 46 of 100."""
    if p <= 0.01:
        return f"1 of {round(1 / p):,}"
    return f"{round(1000 * p)} of 1,000" if p < 0.1 else f"{round(100 * p)} of 100"


def show_found(a: Sample, b: Sample, found: TwoSampleTest, result: dict[str, Any]) -> None:
    """Print it."""
    given = "" if result["scale"] == "none" else f", scale {result['scale']}"
    show(f"A  {a.name}: {a.origin}")
    show(f"B  {b.name}: {b.origin}")
    show(f"MMD² {found.mmd2:.4g}   p {found.p_value:.4g}   n {len(a.rows)}, m {len(b.rows)}, {result['features']} features{given}")
    show(f"bandwidth sigma² {found.bandwidth:.4g}   {found.permutations:,} permutations")
    show(str(result["sentence"]))
    for side, other in (("a", "B"), ("b", "A")):
        show(f"  {side.upper()} least like {other}: rows {', '.join(map(str, result[side]['least_like_the_other']))}")
    if "picture" in result:
        show(f"  {result['picture']}")
