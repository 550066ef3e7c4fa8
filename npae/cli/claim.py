"""Put the claims of the founding documents to the test; each is an experiment, and the verdict may be "does not hold".

  npae claim list                    what is claimed, and how it is measured
  npae claim pca                     three seeds on MNIST
  npae claim all --out claims.json   every claim in one table; about half an hour on two cores
  npae claim pca --data digits --epochs 5 --seeds 1     a quick look: not what is claimed

Exit status 0 whatever the verdict: a measurement is no failure.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from npae import __version__
from npae.claims import CLAIMS, Claim, Trainings, Verdict, claim
from npae.cli.screen import show, table_of
from npae.errors import InputError
from npae.training.files import write_json
from npae.training.loop import Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which claims, over how many seeds, on which data."""
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"all, list, or: {', '.join(CLAIMS)}")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0 (default: 3)")
    parser.add_argument("--data", default="mnist", help="with labels and test rows (default: mnist, which the claims are about)")
    parser.add_argument("--epochs", type=int, help="replaces the epochs of every training: a quick look")
    parser.add_argument("--backend", help="numpy, numba or cupy")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the result as JSON; a claim at a time, as they are done")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, progress on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print."""
    if arguments.names == ["list"]:
        _list()
        return 0
    if arguments.seeds < 1:
        raise InputError(f"--seeds {arguments.seeds}: at least 1 is needed")
    if arguments.epochs is not None and arguments.epochs < 1:
        raise InputError(f"--epochs {arguments.epochs}: at least 1 is needed")
    chosen = list(CLAIMS.values()) if arguments.names == ["all"] else [claim(name) for name in arguments.names]
    verdicts = _measure(chosen, arguments)
    if arguments.json:
        print(json.dumps(_as_dict(verdicts, arguments), indent=1))
    else:
        _print(verdicts, arguments)
    return 0


def _measure(chosen: list[Claim], arguments: argparse.Namespace) -> list[Verdict]:
    """Each claim over the seeds; written to --out as soon as it is done."""
    console = Console(file=sys.stderr, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.1f}/{task.total} claims"), TimeElapsedColumn())
    verdicts: list[Verdict] = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(chosen))

        def watch(what: str, trainer: Trainer) -> None:
            if trainer.batch % 50 == 0:
                text = f"{chosen[len(verdicts)].name}: {what}, epoch {trainer.epoch + 1}/{trainer.epochs}"
                bar.update(task, description=escape(text))

        trainings = Trainings(data=arguments.data, epochs=arguments.epochs, backend=arguments.backend, watch=watch)
        for one in chosen:
            seen = []
            for seed in range(arguments.seeds):
                seen.append(one.measure(trainings, seed))
                bar.update(task, completed=len(verdicts) + len(seen) / arguments.seeds)
            verdicts.append(Verdict(one, seen))
            if not console.is_terminal:
                print(f"{one.name}: {verdicts[-1].word}", file=sys.stderr)
            if arguments.out:
                write_json(arguments.out, _as_dict(verdicts, arguments))
    return verdicts


def _as_dict(verdicts: list[Verdict], arguments: argparse.Namespace) -> dict[str, Any]:
    settings = {"data": arguments.data, "seeds": arguments.seeds, "epochs": arguments.epochs, "version": __version__}
    return settings | {"claims": [verdict.as_dict() for verdict in verdicts]}


def _list() -> None:
    for one in CLAIMS.values():
        show(escape(f"{one.name}: {one.statement}\n  {one.source}\n  {one.how}\n"))


def _print(verdicts: list[Verdict], arguments: argparse.Namespace) -> None:
    changed = f", {arguments.epochs} epochs instead of each claim's own" if arguments.epochs else ""
    table = table_of(
        "claim", "measured", "median", "min .. max", "verdict", title=f"{arguments.data}, {arguments.seeds} seeds{changed}", right=(2, 3)
    )
    for verdict in verdicts:
        held = sum(one.holds for one in verdict.seen)
        for place, (name, values) in enumerate(verdict.numbers.items()):
            word = f"{verdict.word} ({held} of {len(verdict.seen)} seeds)" if place == 0 else ""
            spread = f"{min(values):.4g} .. {max(values):.4g}"
            table.add_row(verdict.claim.name if place == 0 else "", escape(name), f"{statistics.median(values):.4g}", spread, word)
        table.add_row()
    show(table)
    if len(verdicts) == 1:
        show(escape(f"{verdicts[0].claim.statement} ({verdicts[0].claim.source})\n{verdicts[0].claim.how}"))
