"""An explanation in the terminal: plain text, small matrices, and forward beside backward where there is room for both."""

from __future__ import annotations

import textwrap

from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from npae.explain import matrices
from npae.explain.explanation import READING, Explanation
from npae.explain.mathematics import plain
from npae.explain.sources import Source

PIPED = 160  # columns where nobody looks at a terminal
BESIDE = 110  # columns from which on two pieces of source stand side by side


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Print it."""
    width = min(console.width, PIPED)
    console.print(f"[bold]{escape(explanation.title)}[/bold]: {escape(explanation.summary)}", soft_wrap=True)
    _section(console, f"Formula and source, as {explanation.sides[0].place.rpartition(':')[0]} gives them")
    console.print(Text(textwrap.indent(explanation.document, "  ")), soft_wrap=True)
    if explanation.shapes:
        _section(console, f"Shapes of {explanation.configuration}")
        console.print(_shapes(explanation))
    _section(console, "Source")
    console.print(_sides(explanation.sides, width))
    if explanation.kernels:
        console.print(f"  {escape(explanation.calls)}", soft_wrap=True)
    _section(console, "Derivation, with the numbers of an example")
    for line in textwrap.wrap(READING.format(times="o"), width - 2):
        console.print(f"  {escape(line)}", style="dim")
    console.print("\n  Given:")
    for name, value in explanation.followed.worked.given.items():
        _numbers(console, name, value)
    for number, (one, values) in enumerate(zip(explanation.followed.derivation.steps, explanation.followed.numbers, strict=True), 1):
        console.print()
        label = f"{number:>2}. "
        for line in textwrap.wrap(one.words, width - 6, initial_indent=label, subsequent_indent="    "):
            console.print(escape(line))
        if one.formula:
            console.print(Text("      " + plain(one.formula), style="cyan"), soft_wrap=True)
        for name, value in values.items():
            _numbers(console, name, value)
    _section(console, "Held to the code")
    for line in explanation.verdicts:
        console.print(f"  {escape(line)}", soft_wrap=True)


def _section(console: Console, title: str) -> None:
    console.print(f"\n[bold]{escape(title)}[/bold]", soft_wrap=True)


def _numbers(console: Console, name: str, value: object) -> None:
    for line in matrices.lines(name, value):
        console.print(Text(f"        {line}"), soft_wrap=True)


def _shapes(explanation: Explanation) -> Padding:
    table = Table(box=None, pad_edge=False)
    for heading in ("node", "", "parameters", "in", "out", "gradient out"):
        table.add_column(heading, no_wrap=heading in ("node", ""))
    for row in explanation.shapes:
        table.add_row(*row.cells)
    return Padding(table, (0, 0, 0, 2))


def _sides(sides: tuple[Source, ...], width: int) -> Group:
    """The first two beside each other where there is room; what a GPU runs below them, over the whole width."""
    pieces = [
        Group(Text(f"{side.title}   {side.place}", style="bold"), Syntax(side.text, side.language, theme="ansi_light", word_wrap=True))
        for side in sides
    ]
    below = [part for piece in pieces[2:] for part in (Text(), piece)]
    if width < BESIDE:
        return Group(*pieces[:2], *below)
    table = Table.grid(padding=(0, 2))
    table.width = width
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    table.add_row(*pieces[:2])
    return Group(table, *below)
