"""Train a published preset on its data over several seeds, and print what was published beside what was measured: min, median, max.

  npae reproduce flux-vae                five seeds; the band; each term apart
  npae reproduce flux-wae --seeds 10 --json

Exit status 1 if a published number lies outside the band for one more run, or our range misses an independent one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from npae.cli.screen import show, table_of
from npae.evaluation.reproduction import PROBABILITY, Reproduction, reproduce
from npae.models import Terms
from npae.presets import preset
from npae.training.loop import Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which preset, over how many seeds."""
    parser.add_argument("preset", metavar="PRESET", help="flux-ae, flux-vae or flux-wae")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 (default: 5; at least 5)")
    parser.add_argument("--backend", help="numpy, numba or cupy")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Train, compare, judge."""
    chosen = preset(arguments.preset)
    console = Console(file=sys.stderr, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(chosen.name, total=arguments.seeds)

        def watch(seed: int, trainer: Trainer, terms: Terms) -> None:
            share = (trainer.epoch + trainer.batch / trainer.batches) / trainer.epochs
            if trainer.batch % 50 == 0:
                bar.update(
                    task, completed=seed + share, description=f"{chosen.name} seed {seed} epoch {trainer.epoch + 1}/{trainer.epochs}"
                )

        found = reproduce(chosen, arguments.seeds, backend=arguments.backend, watch=watch)
    print(json.dumps(found.as_dict(), indent=1)) if arguments.json else _print(found)
    return 0 if found.passed else 1


def _print(found: Reproduction) -> None:
    seconds = statistics.median(run.seconds for run in found.runs)
    show(
        f"{found.preset.name}: {found.preset.title}\n{found.preset.source}; {len(found.runs)} seeds",
        _published_table(found),
        _terms_table(found),
        _overlap_table(found),
        f"\n{'in band' if found.passed else 'OUT OF BAND'}; {seconds:.1f} s of training a seed (median)",
    )


def _published_table(found: Reproduction) -> Table:
    headings = ("", "published", "min", "median", "max", f"{PROBABILITY:.0%} band", "")
    table = table_of(*headings, title=f"\n{found.preset.published['unit']}", right=(1, 2, 3, 4, 5))
    for row in found.rows:
        low, high = row.band
        verdict = ("in" if row.in_band else "OUT") if row.judged else "not judged: unstable over seeds"
        measured = (min(row.measured), statistics.median(row.measured), max(row.measured))
        table.add_row(row.name, *(_number(value) for value in (row.published, *measured)), f"{_number(low)} .. {_number(high)}", verdict)
    return table


def _terms_table(found: Reproduction) -> Table:
    title = f"\neach weighted term apart, median over seeds (min .. max)\nper image: {found.preset.published['per_image']}"
    table = table_of("epoch", "term", "document's unit", "per image", "min .. max", title=title, right=(2, 3, 4))
    for epoch in range(len(found.runs[0].epochs)):
        for place, name in enumerate(found.runs[0].per_image[epoch]):
            document = [run.epochs[epoch][name] for run in found.runs]
            image = [run.per_image[epoch][name] for run in found.runs]
            spread = f"{_number(min(image))} .. {_number(max(image))}"
            row = (
                str(epoch + 1) if place == 0 else "",
                name,
                _number(statistics.median(document)),
                _number(statistics.median(image)),
                spread,
            )
            table.add_row(*row)
    return table


def _overlap_table(found: Reproduction) -> Table:
    headings = ("", "independent implementation", "measured", "")
    table = table_of(*headings, title="\nranges over seeds (total: document's unit; terms: per image)", right=(1, 2))
    for one in found.overlaps:
        theirs, ours = one.independent, (min(one.measured), max(one.measured))
        spans = (f"{_number(low)} .. {_number(high)}" for low, high in (theirs, ours))
        table.add_row(one.name, *spans, "overlap" if one.overlaps else "APART")
    return table


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 1000 else f"{value:.5f}" if abs(value) < 1 else f"{value:.3f}"
