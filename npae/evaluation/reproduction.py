"""A published run, trained again over several seeds: each published number beside the distribution of ours, and the verdict.

Where a document has numbers, twenty seeds make the band (band.py) that they are judged by; five at least, whose spread is a poor guess of
the spread of many. Where it has none there is nothing to judge: one seed runs to the end, and its terms are reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npae.errors import InputError
from npae.evaluation.band import Judged, Overlap
from npae.evaluation.seed_run import OnSeedBatch, SeedRun, run_seed
from npae.evaluation.stored_seeds import store_seed, stored_seed
from npae.presets import Preset
from npae.training.configuration import resolve

SEEDS, MINIMUM_SEEDS = 20, 5

OnSeed = Callable[[SeedRun, bool], None]  # the finished seed, and whether it was found stored


@dataclass(frozen=True)
class Reproduction:
    """All seeds of a preset, and the verdict."""

    preset: Preset
    runs: list[SeedRun]

    @property
    def rows(self) -> list[Judged]:
        """Each published number beside ours."""
        return [Judged(number, self.measured(number.name)) for number in self.preset.published.numbers]

    @property
    def overlaps(self) -> list[Overlap]:
        """What the preset knows of an independent implementation."""
        return [Overlap(name, span, self.measured(name)) for name, span in self.preset.published.independent.items()]

    def measured(self, name: str) -> list[float]:
        """The number of that name, of all seeds."""
        return [value for run in self.runs for value in run.measured(name)]

    @property
    def passed(self) -> bool:
        """Every judged number lies in its band, and every independent range is overlapped; nothing published is nothing to fail."""
        if not self.preset.published.numbers:
            return all(one.overlaps for one in self.overlaps)
        judged = [row.in_band for row in self.rows if row.published.judged]
        return bool(judged) and all(judged) and all(one.overlaps for one in self.overlaps)

    @property
    def verdict(self) -> str:
        """In a few words."""
        if self.passed:
            return "in band" if self.preset.published.numbers else "nothing published; terms reported"
        out = [row.published.name for row in self.rows if row.published.judged and not row.in_band]
        apart = [one.name for one in self.overlaps if not one.overlaps]
        found = {"OUT OF BAND": out, "APART from the independent implementation": apart}
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in found.items() if names) or "nothing judged"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "preset": self.preset.name,
            "source": self.preset.source,
            "unit": self.preset.published.unit,
            "per_image_unit": self.preset.published.per_image,
            "caveat": self.runs[0].caveat,
            "passed": self.passed,
            "verdict": self.verdict,
            "rows": [row.as_dict() for row in self.rows],
            "independent": [one.as_dict() for one in self.overlaps],
            "seeds": [vars(run) for run in self.runs],
        }


def seeds_of(preset: Preset, seeds: int | None = None) -> int:
    """How many seeds: those asked for, if they are enough to judge by, or as many as that takes."""
    least = MINIMUM_SEEDS if preset.published.numbers else 1
    if seeds is not None and seeds < least:
        why = "a band over seeds needs" if preset.published.numbers else "a run needs"
        raise InputError(f"--seeds {seeds}: {why} at least {least}")
    return seeds or (SEEDS if preset.published.numbers else 1)


def reproduce(
    preset: Preset,
    seeds: int | None = None,
    *,
    backend: str | None = None,
    folder: Path | None = None,
    fresh: bool = False,
    on_batch: OnSeedBatch | None = None,
    on_seed: OnSeed | None = None,
) -> Reproduction:
    """Train the preset with seeds 0 .. seeds-1. With a folder, finished seeds are stored there, and (unless `fresh`) taken from there."""
    flags = {"backend": backend} if backend else {}
    runs = []
    for seed in range(seeds_of(preset, seeds)):
        configuration = resolve(preset.name, flags={**flags, "seed": seed})
        stored = stored_seed(folder, configuration) if folder and not fresh else None
        run = stored or run_seed(preset, configuration, on_batch)
        if folder and not stored:
            store_seed(folder, configuration, run)
        if on_seed:
            on_seed(run, stored is not None)
        runs.append(run)
    return Reproduction(preset, runs)
