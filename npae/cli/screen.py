"""Tables on the screen: as wide as they need to be, so that nothing is cut in a log file or a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

WIDE = 500  # columns: wider than any table of ours


def show(*parts: str | Table) -> None:
    """Print texts and tables to standard output."""
    console = Console(width=WIDE, highlight=False)
    for part in parts:
        console.print(part)


def table_of(*headings: str, title: str | None = None, right: tuple[int, ...] = ()) -> Table:
    """A table without lines; `right` lists the columns of numbers."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in right else "left", no_wrap=True)
    return table
