"""One seed of a preset, trained, and its numbers by the names that presets use.

The unit is the document's: the sum or the mean over an epoch's batches. The initial value is the loss of one batch before the first step;
it is measured on 20 batches for each seed, since it depends on the batch more than on the seed.
Raises InputError for a name that is no number of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npae.data.batches import batch_indices
from npae.errors import InputError
from npae.models import Model, Terms
from npae.presets import Preset
from npae.training.configuration import Configuration
from npae.training.history import Row
from npae.training.loop import Trainer
from npae.training.run import Run, prepare

INITIAL_BATCHES = 20
PARTS = ("train", "validation", "watched")

OnSeedBatch = Callable[[int, Trainer, Terms], None]
Table = dict[str, dict[str, float]]  # "train" | "validation" | "watched" -> term -> value


@dataclass(frozen=True)
class SeedRun:
    """One seed: the loss of some batches before training, and each epoch's terms in the document's unit and per image.

    A term is given with its weight, so that the terms add up to the total; one of weight 0, which is only watched, as it is (`only_shown`).
    """

    seed: int
    steps: int
    compression: float
    initial: list[float]
    epochs: list[Table]
    per_image: list[Table]
    only_shown: list[str]
    caveat: str
    seconds: float

    def measured(self, name: str) -> list[float]:
        """The number of that name: "steps", "initial", "epoch 5", "epoch 50 validation", "epoch 5 kl"."""
        once = {"initial": self.initial, "steps": [float(self.steps)], "compression": [self.compression]}
        if name in once:
            return once[name]
        number, *rest = name.split()[1:]
        part = rest.pop(0) if rest and rest[0] in PARTS else "train"
        table = (self.per_image if rest else self.epochs)[int(number) - 1]
        try:
            return [table[part][rest[0] if rest else "total"]]
        except KeyError:
            raise InputError(f"'{name}' is no number of a run whose {part} terms are {', '.join(table.get(part, {})) or 'none'}") from None


def run_seed(preset: Preset, configuration: Configuration, on_seed_batch: OnSeedBatch | None = None) -> SeedRun:
    """Train the preset once, as configured."""
    run, seed = prepare(configuration), int(configuration["seed"])
    initial = _initial_losses(run)

    def on_batch(trainer: Trainer, terms: Terms) -> None:
        if on_seed_batch:
            on_seed_batch(seed, trainer, terms)

    history = run.trainer.run(on_batch=on_batch, every_batch=False)
    return seed_run(preset, run.model, seed, initial, list(history))


def seed_run(preset: Preset, model: Model, seed: int, initial: list[float], rows: list[Row]) -> SeedRun:
    """A finished training's history in the preset's unit."""
    epochs = [{part: in_unit(preset, row, part) for part in PARTS if row.get(part)} for row in rows]
    means = [{part: _weighted(row, part) for part in PARTS if row.get(part)} for row in rows]
    per_image = [
        {part: model.per_image({name: one for name, one in terms.items() if name != "total"}) for part, terms in mean.items()}
        for mean in means
    ]
    only_shown = [name for name, weight in rows[-1]["weights"].items() if not weight]
    seconds = sum(row["seconds"] for row in rows)
    return SeedRun(seed, rows[-1]["step"], model.features / model.latent, initial, epochs, per_image, only_shown, model.caveat, seconds)


def in_unit(preset: Preset, row: Row, part: str) -> dict[str, float]:
    """The terms of one epoch in the document's unit, total first."""
    count = row["batches"] if preset.published.log == "sum" and part == "train" else 1
    return {name: value * count for name, value in _weighted(row, part).items()}


def _weighted(row: Row, part: str) -> dict[str, float]:
    return {name: value * (row["weights"].get(name, 1.0) or 1.0) for name, value in row[part].items()}


def _initial_losses(run: Run) -> list[float]:
    """The loss of each of the first batches, all before the first step."""
    settings, seed, trainer = run.configuration, run.configuration["seed"], run.trainer
    order: dict[str, Any] = {key: settings[key] for key in ("seed", "shuffle", "drop_last")}
    indices = batch_indices(len(trainer.x), settings["batch_size"], epoch=0, **order)[:INITIAL_BATCHES]
    given = [None if trainer.y is None else trainer.y[rows] for rows in indices]
    return [
        run.model.loss(trainer.x[rows], y, noise=run.model.draw(seed, step, len(rows))).total
        for step, (rows, y) in enumerate(zip(indices, given, strict=True))
    ]
