"""Texts and tables on the screen: as wide as they need to be, so that nothing is cut in a log file or a pipe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

WIDE = 500  # columns: wider than any table of ours
FILL = re.compile(r"(?:\x1b\[[\d;]*m| )+$", flags=re.MULTILINE)  # blanks at a line's end, and the colours around them


def show(*parts: str | Table) -> None:
    """Print texts and tables to standard output."""
    with screen(WIDE) as console:
        for part in parts:
            console.print(part)


@contextmanager
def screen(width: int | None) -> Iterator[Console]:
    """A console of that width (None: the terminal's); what it is given is printed at the end, in one piece.

    The blanks that fill a table's columns up are left out: in a narrow terminal they would make empty lines. And a pipe that was closed is
    met by the command line, which knows that it is no mistake, and not by rich, which ends with status 1.
    """
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        yield console
    print(FILL.sub(lambda found: found[0].replace(" ", ""), captured.get()), end="", flush=True)


def table_of(*headings: str, title: str | None = None, right: tuple[int, ...] = ()) -> Table:
    """A table without lines; `right` lists the columns of numbers."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in right else "left", no_wrap=True)
    return table
