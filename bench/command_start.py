"""The command `start` of the bench: its options, and its table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from bench.interleave import Plan
from bench.lists import names

DESCRIPTION = "what the first step of a process costs, with compiled code kept from before and without"
COLUMNS = ("first", "next", "one core", "not kept")


def add(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    parser.add_argument("--starts", default="all", help="of numpy, npae, help, ordinary, compiled, mmd, fork (default: all)")
    parser.add_argument("--threads", type=int, help="cores that everybody may use (default: all)")


def run(arguments: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Measure and show."""
    from bench import machine, start

    chosen = list(start.STARTS) if arguments.starts == "all" else names("--starts", arguments.starts, tuple(start.STARTS))
    result = start.run(chosen=chosen, threads=machine.threads_of(arguments.threads), plan=plan)
    show_start(result)
    return result


def show_start(result: Mapping[str, Any]) -> None:
    """Seconds, and in brackets those of processor time."""
    from bench.table import show_machine
    from npae.cli.screen import show, table_of

    show_machine(result)
    table = table_of("seconds (processor)", *COLUMNS, right=tuple(range(1, 1 + len(COLUMNS))))
    for row in result["rows"]:
        table.add_row(row["title"], *(_cell(row.get(column)) for column in COLUMNS))
    show("", table)


def _cell(taken: Mapping[str, Any] | None) -> str:
    if taken is None:
        return ""
    processor = f" ({taken['processor_seconds']:.2f})" if "processor_seconds" in taken else ""
    return f"{taken['seconds']:.2f}{processor}"
