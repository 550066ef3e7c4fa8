"""A published run, trained again over several seeds: each published number beside the distribution of ours.

What was published is one run with an unknown seed, so it has to lie where one more run of ours would lie with probability 95 %:

    median +- c(n) MAD          n: the number of seeds;  MAD: median absolute deviation from the median

Median and MAD in place of mean and standard deviation, because at learning rate 0.01 a seed now and then jumps, and one such jump would
widen the band until nothing could fall outside. c(n) is simulated: the 95 % quantile of |x' - median| / MAD over n + 1 normal numbers.
Beside it stands, where a preset has one, the range that an independent implementation measured; ours must overlap it.
The unit is the document's: the sum over an epoch's batches. The initial value is the loss of one batch before the first step; it is
measured on 20 batches for each seed, since it depends on the batch more than on the seed.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.data.batches import batch_indices
from npae.errors import InputError
from npae.models import Terms
from npae.presets import Preset
from npae.training.configuration import resolve
from npae.training.loop import Trainer
from npae.training.run import Run, prepare

PROBABILITY = 0.95
SIMULATIONS = 50_000
MOST_NUMBERS = 10_000_000  # 80 MB
MINIMUM_SEEDS = 5
INITIAL_BATCHES = 20

Watch = Callable[[int, Trainer, Terms], None]


@dataclass(frozen=True)
class SeedRun:
    """One seed: the loss of some batches before training, and each epoch's terms in the document's unit and per image."""

    seed: int
    initial: list[float]
    epochs: list[dict[str, float]]
    per_image: list[dict[str, float]]
    seconds: float


@dataclass(frozen=True)
class Judged:
    """One published number beside the seeds'."""

    name: str
    published: float
    measured: list[float]
    judged: bool

    @property
    def band(self) -> tuple[float, float]:
        """Where one more run would lie."""
        middle = statistics.median(self.measured)
        half = band_factor(len(self.measured)) * statistics.median(abs(value - middle) for value in self.measured)
        return middle - half, middle + half

    @property
    def in_band(self) -> bool:
        """Whether the published number lies within."""
        low, high = self.band
        return low <= self.published <= high

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "published": self.published,
            "min": min(self.measured),
            "median": statistics.median(self.measured),
            "max": max(self.measured),
            "band": list(self.band),
            "in_band": self.in_band,
            "judged": self.judged,
        }


@functools.cache
def band_factor(n: int) -> float:
    """c(n): how many MADs of n normal numbers from their median one more stays within, with probability PROBABILITY."""
    draws = np.random.Generator(np.random.Philox(0)).standard_normal((min(SIMULATIONS, MOST_NUMBERS // n), n + 1))
    seeds, further = draws[:, :n], draws[:, n]
    middle = np.median(seeds, axis=1)
    spread = np.median(np.abs(seeds - middle[:, None]), axis=1)
    return float(np.quantile(np.abs(further - middle) / spread, PROBABILITY))


@dataclass(frozen=True)
class Overlap:
    """A range that an independent implementation measured, beside ours."""

    name: str
    independent: tuple[float, float]
    measured: list[float]

    @property
    def overlaps(self) -> bool:
        """Whether the two ranges have a number in common."""
        return min(self.measured) <= self.independent[1] and self.independent[0] <= max(self.measured)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "independent": list(self.independent),
            "min": min(self.measured),
            "max": max(self.measured),
            "overlaps": self.overlaps,
        }


@dataclass(frozen=True)
class Reproduction:
    """All seeds of a preset, and the verdict."""

    preset: Preset
    runs: list[SeedRun]

    @property
    def rows(self) -> list[Judged]:
        """The initial loss, then the epochs."""
        published = self.preset.published
        judged = published["judged"]
        rows = [Judged("initial", published["initial"], [value for run in self.runs for value in run.initial], "initial" in judged)]
        for epoch, value in enumerate(published["epochs"]):
            measured = [run.epochs[epoch]["total"] for run in self.runs]
            rows.append(Judged(f"epoch {epoch + 1}", value, measured, epoch + 1 in judged))
        return rows

    @property
    def overlaps(self) -> list[Overlap]:
        """What the preset knows of an independent implementation: "epoch 5 total" in the document's unit, "epoch 5 kl" per image."""
        found = []
        for name, band in self.preset.published.get("independent", {}).items():
            _, epoch, term = name.split()
            measured = [(run.epochs if term == "total" else run.per_image)[int(epoch) - 1][term] for run in self.runs]
            found.append(Overlap(name, (band[0], band[1]), measured))
        return found

    @property
    def passed(self) -> bool:
        """Every judged number lies in its band, and every independent range is overlapped."""
        judged = [row.in_band for row in self.rows if row.judged]
        return bool(judged) and all(judged) and all(one.overlaps for one in self.overlaps)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "preset": self.preset.name,
            "source": self.preset.source,
            "unit": self.preset.published["unit"],
            "per_image_unit": self.preset.published["per_image"],
            "passed": self.passed,
            "rows": [row.as_dict() for row in self.rows],
            "independent": [one.as_dict() for one in self.overlaps],
            "seeds": [vars(run) for run in self.runs],
        }


def reproduce(preset: Preset, seeds: int, *, backend: str | None = None, watch: Watch | None = None) -> Reproduction:
    """Train the preset with seeds 0 .. seeds-1."""
    if seeds < MINIMUM_SEEDS:
        raise InputError(f"--seeds {seeds}: a band over seeds needs at least {MINIMUM_SEEDS}")
    return Reproduction(preset, [_run_seed(preset, seed, backend, watch) for seed in range(seeds)])


def _run_seed(preset: Preset, seed: int, backend: str | None, watch: Watch | None) -> SeedRun:
    flags = {"seed": seed} | ({"backend": backend} if backend else {})
    run = prepare(resolve(preset.name, flags=flags))
    initial = _initial_losses(run)

    def on_batch(trainer: Trainer, terms: Terms) -> None:
        if watch:
            watch(seed, trainer, terms)

    history = run.trainer.run(on_batch=on_batch)
    epochs, per_image = [], []
    for row in history:
        means = {name: value * row["weights"].get(name, 1.0) for name, value in row["train"].items()}
        epochs.append({name: value * row["batches"] for name, value in means.items()})
        per_image.append(run.model.per_image({name: value for name, value in means.items() if name != "total"}))
    return SeedRun(seed, initial, epochs, per_image, sum(history.column("seconds")))


def _initial_losses(run: Run) -> list[float]:
    """The loss of each of the first batches, all before the first step."""
    settings, seed = run.configuration, run.configuration["seed"]
    order = {key: settings[key] for key in ("seed", "shuffle", "drop_last")}
    indices = batch_indices(len(run.trainer.x), settings["batch_size"], epoch=0, **order)[:INITIAL_BATCHES]
    return [run.model.loss(run.trainer.x[rows], noise=run.model.draw(seed, step, len(rows))).total for step, rows in enumerate(indices)]
