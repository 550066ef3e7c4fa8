"""`bench epoch` on the screen: for each preset the time to the first step and of whole runs, and who is absent."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench.gpu.table import show_gpu
from bench.interleave import QUIET
from bench.ratios import quartiles
from bench.table import show_machine, spread
from npae.cli.screen import show, table_of


def show_epoch(result: Mapping[str, Any]) -> None:
    """A table a preset."""
    show_machine(result)
    if "gpu" in result:
        show_gpu(result["gpu"], result["gpu_rates"], result["uploads"])
    show("work      from the start of a process to its end, reading MNIST and the log included; loss: the last epoch's")
    if "gpu" in result:
        show("epoch     of a run of several, by its own log: the data are where they are trained on, the first epoch is left out")
    for preset, rows in groupby(result["rows"], key=lambda row: row["preset"]):
        show("", table(preset, list(rows)))
    for name, why in result["absent"].items():
        show("", escape(f"{name} is absent: {why}"))
    disturbed = sorted({f"{row['name']} on {row['preset']}" for row in result["rows"] if quartiles(row["others"]).median > QUIET})
    if disturbed:
        show("", f"disturbed by other processes, do not rely on: {', '.join(disturbed)}; give more --patience, or --threads 1")


def table(preset: str, rows: list[dict[str, Any]]) -> Table:
    """The starts, then each length of run."""
    own = rows[0]["name"]
    resident = ["ms an epoch"] if any("epoch_seconds" in row for row in rows) and own != "npae" else []
    headings = (preset, "epochs", "seconds", f"{own} / this", "first s", "memory MB", "loss", "others", *resident)
    found = table_of(*headings, right=tuple(range(1, 9)))
    for row in rows:
        epochs, first = str(row["epochs"]) if row["epochs"] else "to first step", f"{row['first']:.1f}" if "first" in row else ""
        ratio = "1" if row["name"] == own else spread(row["npae_over_this"], ".3f")
        loss = f"{row['losses'][-1]:.5g}" if row["losses"] else ""
        rest: tuple[str, ...] = f"{row['peak_bytes'] / 1e6:.0f}", loss, f"{quartiles(row['others']).median:.2f}"
        if resident:
            rest = *rest, f"{1e3 * row['epoch_seconds']['median']:.2f}" if "epoch_seconds" in row else ""
        found.add_row(row["name"], epochs, spread(row["seconds"], ".2f"), ratio, first, *rest)
    return found
