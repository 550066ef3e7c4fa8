"""`bench scale` on the screen: for each axis the milliseconds at each size, and the fitted exponent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench.gpu.table import show_gpu
from bench.table import show_machine
from npae.cli.screen import show, table_of

TITLES = {
    "batch": "rows in a batch",
    "width": "units in each hidden layer",
    "n": "points in each sample, 8 features",
    "d": "features, 1,000 points in each sample",
}


def show_scale(result: Mapping[str, Any]) -> None:
    """A table an axis."""
    show_machine(result)
    if "gpu" in result:
        show_gpu(result["gpu"], result["gpu_rates"], result["uploads"])
    if result["data"]:
        show(f"step      of {result['model']}, float32; {result['data']}")
    show("exponent  p of seconds ~ size^p, least squares on the logarithms")
    for axis, rows in result["axes"].items():
        show("", table(TITLES[axis], rows))
    for name, why in result["absent"].items():
        show("", escape(f"{name} is absent: {why}"))


def table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """A line a contender, a column a size, in milliseconds."""
    sizes = sorted({size for row in rows for size in row["seconds"]})
    found = table_of(f"ms; {title}", *(f"{size:,}" for size in sizes), "exponent", right=tuple(range(1, len(sizes) + 2)))
    for row in rows:
        cells = [f"{1e3 * row['seconds'][size]:.4g}" if size in row["seconds"] else "" for size in sizes]
        found.add_row(row["name"], *cells, "" if row["exponent"] is None else f"{row['exponent']:.2f}")
    return found
