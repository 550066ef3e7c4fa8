"""What a person sees while a model trains: loss terms, speed and time left; a line an epoch where there is no terminal.

Rich is loaded only for a terminal: its tenth of a second would delay the first step of a run that shows no bar.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npae.models import Terms
from npae.training.checkpoint import save_checkpoint
from npae.training.loop import Trainer

if TYPE_CHECKING:
    from rich.progress import Progress

SAVE_SECONDS = 5.0  # a checkpoint at most this often, at the end of an epoch
DRAW_SECONDS = 0.1


class TrainingProgress:
    """Called by the loop: shows where the training is, writes the history, and saves a checkpoint now and then."""

    def __init__(self, folder: Path, bar: Progress | None, task: Any, *, lines: bool) -> None:
        self.folder, self.bar, self.task, self.lines = folder, bar, task, lines
        self.saved = self.drawn = time.monotonic()

    def on_batch(self, trainer: Trainer, terms: Terms) -> None:
        """Move the bar, a few times a second; say at once what the guard did."""
        self._say(trainer)
        now = time.monotonic()
        if self.bar and now - self.drawn > DRAW_SECONDS:
            self.drawn = now
            text = f"epoch {trainer.epoch + 1}/{trainer.epochs}  {terms_text(trainer.averages.mean())}"
            self.bar.update(self.task, completed=trainer.epoch * trainer.batches + trainer.batch, description=text)

    def on_epoch(self, trainer: Trainer) -> None:
        """A row of the history; a line where there is no bar; a checkpoint if the last is old."""
        self._say(trainer)
        trainer.history.append_to(self.folder / "history.jsonl")
        row = trainer.history[-1]
        if self.lines:
            validation = f"   validation {terms_text(row['validation'])}" if row["validation"] else ""
            line = f"epoch {row['epoch']}/{trainer.epochs}  {terms_text(row['train'])}{validation}   {row['seconds']:.2f} s"
            print(line, file=sys.stderr, flush=True)
        if time.monotonic() - self.saved > SAVE_SECONDS:
            save_checkpoint(trainer, self.folder)
            self.saved = time.monotonic()

    def _say(self, trainer: Trainer) -> None:
        lines, trainer.guarded.lines = trainer.guarded.lines, []
        for line in lines:
            if self.bar:
                self.bar.console.print(line, markup=False, soft_wrap=True)
            else:
                print(line, file=sys.stderr, flush=True)


@contextmanager
def progress_for(trainer: Trainer, folder: Path, *, quiet: bool) -> Iterator[TrainingProgress]:
    """A bar on a terminal, lines elsewhere, nothing when quiet; always on standard error."""
    if quiet or not sys.stderr.isatty():
        yield TrainingProgress(folder, None, None, lines=not quiet)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(file=sys.stderr, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        done = trainer.epoch * trainer.batches + trainer.batch
        task = bar.add_task(f"epoch {trainer.epoch + 1}/{trainer.epochs}", total=trainer.epochs * trainer.batches, completed=done)
        yield TrainingProgress(folder, bar, task, lines=False)


def terms_text(terms: dict[str, float]) -> str:
    """total 128.31  nll 114.20  kl 14.11"""
    return "  ".join(f"{name} {value:.5g}" for name, value in terms.items())
