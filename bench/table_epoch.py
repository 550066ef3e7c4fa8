"""`bench epoch` on the screen: for each preset the time to the first step and of whole runs, and who is absent."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench.interleave import QUIET
from bench.ratios import quartiles
from bench.table import show_machine, spread
from npae.cli.screen import show, table_of


def show_epoch(result: Mapping[str, Any]) -> None:
    """A table a preset."""
    show_machine(result)
    show("work      from the start of a process to its end, reading MNIST and the log included; loss: the last epoch's")
    for preset, rows in groupby(result["rows"], key=lambda row: row["preset"]):
        show("", table(preset, list(rows)))
    for name, why in result["absent"].items():
        show("", escape(f"{name} is absent: {why}"))
    disturbed = sorted({f"{row['name']} on {row['preset']}" for row in result["rows"] if quartiles(row["others"]).median > QUIET})
    if disturbed:
        show("", f"disturbed by other processes, do not rely on: {', '.join(disturbed)}; give more --patience, or --threads 1")


def table(preset: str, rows: list[dict[str, Any]]) -> Table:
    """The starts, then each length of run."""
    found = table_of(preset, "epochs", "seconds", "npae / this", "first s", "memory MB", "loss", "others", right=tuple(range(1, 8)))
    for row in rows:
        epochs, first = str(row["epochs"]) if row["epochs"] else "to first step", f"{row['first']:.1f}" if "first" in row else ""
        ratio = "1" if row["name"] == "npae" else spread(row["npae_over_this"], ".3f")
        loss = f"{row['losses'][-1]:.5g}" if row["losses"] else ""
        rest = f"{row['peak_bytes'] / 1e6:.0f}", loss, f"{quartiles(row['others']).median:.2f}"
        found.add_row(row["name"], epochs, spread(row["seconds"], ".2f"), ratio, first, *rest)
    return found
