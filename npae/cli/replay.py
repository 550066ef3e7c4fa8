"""Train a run again from its stored configuration, and compare the weights after each epoch with those it had, bit by bit.

  npae replay runs/vae-digits                 every recorded epoch
  npae replay runs/vae-digits --epochs 2      the first two

Nothing in the run folder is touched. Where an epoch differs, so do all after it: the replay ends there, says which one it was and what is
different in the environment (versions, processor, threads, backend: RUN/environment.json). Exit status 1 if any epoch differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

from npae.models import Terms
from npae.training.loop import Trainer
from npae.training.replay import Epoch, Replay, replay

DRAW_SECONDS = 0.2
MACHINE = ("variables.NPAE_DATA_DIR", "data.source")  # where the data lie has no say: their content was compared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and how much of it."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder made by npae train")
    parser.add_argument("--epochs", type=int, metavar="N", help="only the first N epochs (default: all that are recorded)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, progress on standard error")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(arguments: argparse.Namespace) -> int:
    """Replay, print. Exit status 1 where an epoch differs."""
    progress = _Progress(quiet=arguments.quiet)
    found = replay(arguments.run, arguments.epochs, on_epoch=progress.on_epoch, on_batch=progress.on_batch)
    print(json.dumps(_content(arguments.run, found), indent=1) if arguments.json else _text(arguments.run, found))
    return 1 if found.differs else 0


class _Progress:
    """A line an epoch on standard error, and on a terminal where in the epoch it is."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet, self.terminal = quiet, not quiet and sys.stderr.isatty()
        self.drawn = self.began = time.monotonic()

    def on_batch(self, trainer: Trainer, terms: Terms) -> None:
        """Where it is, a few times a second."""
        if self.terminal and time.monotonic() - self.drawn > DRAW_SECONDS:
            self.drawn = time.monotonic()
            share = 100 * trainer.batch / trainer.batches
            print(f"\repoch {trainer.epoch + 1}/{trainer.epochs}  {share:.0f} %", end="", file=sys.stderr, flush=True)

    def on_epoch(self, epoch: Epoch) -> None:
        """Whether it is the same."""
        if not self.quiet:
            now = time.monotonic()
            says = f"same {epoch.found[:12]}" if epoch.same else f"DIFFERS {epoch.recorded[:12]} recorded, {epoch.found[:12]} now"
            start = "\r" if self.terminal else ""
            print(f"{start}epoch {epoch.epoch}  {says}   {now - self.began:.2f} s", file=sys.stderr, flush=True)
            self.began = now


def _content(folder: Path, found: Replay) -> dict[str, Any]:
    differs = found.differs
    return {
        "run": str(folder),
        "same": differs is None,
        "recorded_epochs": found.recorded,
        "replayed_epochs": len(found.epochs),
        "first_that_differs": differs.epoch if differs else None,
        "epochs": [{**dataclasses.asdict(one), "same": one.same} for one in found.epochs],
        "environment": {name: {"recorded": before, "now": now} for name, (before, now) in found.environment.items()},
    }


def _text(folder: Path, found: Replay) -> str:
    differs, count = found.differs, len(found.epochs)
    if differs is None:
        of = "" if count == found.recorded else f" of {found.recorded}"
        return f"{folder}: {count}{of} epochs trained again, the weights after each are the same to the last bit"
    relevant = {name: pair for name, pair in found.environment.items() if name not in MACHINE}
    lines = [
        f"{folder}: epoch {differs.epoch} is the first that differs: training loss {differs.recorded_total:.9g} recorded,"
        f" {differs.total:.9g} now"
    ]
    if not relevant:
        lines.append("  the environment is the recorded one (versions, processor, threads, backend): the program changed, or history.jsonl")
    width = max((len(name) for name in relevant), default=0)
    lines += [f"  {name:<{width}}  {_say(before)} -> {_say(now)}" for name, (before, now) in relevant.items()]
    return "\n".join(lines)


def _say(value: Any) -> str:
    return "not there" if value is None else str(value)
