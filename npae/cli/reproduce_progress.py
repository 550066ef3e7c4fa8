"""What a person sees while presets are trained again: a bar with the time left, or a line a seed where there is no terminal."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from npae.evaluation.reproduction import Reproduction, reproduce, seeds_of
from npae.evaluation.seed_run import SeedRun
from npae.models import Terms
from npae.presets import Preset
from npae.training.loop import Trainer

DRAW_SECONDS = 0.2


class SeedsProgress:
    """How much of the seconds that all seeds are expected to take is done; a seed that was stored counts as done at once."""

    def __init__(self, presets: list[Preset], seeds: int | None, bar: Progress, console: Console) -> None:
        self.bar, self.console = bar, console
        self.done, self.total = 0.0, sum(one.seconds * seeds_of(one, seeds) for one in presets)
        self.task = bar.add_task("", total=self.total)
        self.drawn = self.started = time.monotonic()
        self.trained = 0.0  # the expected seconds of what was trained, and not found

    def watch(self, preset: Preset) -> None:
        """The preset that comes next."""
        self.preset = preset

    def on_batch(self, seed: int, trainer: Trainer, terms: Terms) -> None:
        """Move the bar, a few times a second."""
        now = time.monotonic()
        if now - self.drawn < DRAW_SECONDS or self.bar.disable:
            return
        self.drawn = now
        share = (trainer.epoch + trainer.batch / trainer.batches) / trainer.epochs
        text = f"{self.preset.name} seed {seed} epoch {trainer.epoch + 1}/{trainer.epochs}"
        self.bar.update(self.task, completed=self.done + share * self.preset.seconds, description=text)

    def on_seed(self, run: SeedRun, stored: bool) -> None:
        """A line, and what is left at the speed seen so far."""
        self.done += self.preset.seconds
        self.trained += 0.0 if stored else self.preset.seconds
        if not self.bar.disable:
            self.bar.update(self.task, completed=self.done)
            return
        what = "found" if stored else f"trained in {run.seconds:.0f} s"
        speed = (time.monotonic() - self.started) / self.trained if self.trained else 1.0
        self.console.print(f"{self.preset.name} seed {run.seed}: {what}; about {(self.total - self.done) * speed / 60:.0f} min left")


def reproduce_with_progress(
    presets: list[Preset], seeds: int | None, *, backend: str | None, folder: Path | None, fresh: bool
) -> list[Reproduction]:
    """Each preset after the other, with what is going on told on standard error."""
    for one in presets:
        seeds_of(one, seeds)  # said before the first is trained
    console = Console(file=sys.stderr, soft_wrap=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    found = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        progress = SeedsProgress(presets, seeds, bar, console)
        for one in presets:
            progress.watch(one)
            found.append(
                reproduce(one, seeds, backend=backend, folder=folder, fresh=fresh, on_batch=progress.on_batch, on_seed=progress.on_seed)
            )
    return found
