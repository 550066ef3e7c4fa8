"""Results on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench.interleave import QUIET
from bench.ratios import quartiles
from npae.cli.screen import show, table_of


def show_step(result: Mapping[str, Any]) -> None:
    """A table a model; who is absent; what it was measured on."""
    _show_machine(result)
    show(f"data      {result['data']}; batches of {result['batch']}, float32")
    measured = [row for row in result["rows"] if "absent" not in row]
    for model, rows in groupby(measured, key=lambda row: row["model"]):
        show("", _step_table(model, list(rows)))
    for row in result["rows"]:
        if "absent" in row:
            show("", escape(f"{row['name']} is absent: {row['absent']}"))
    disturbed = [f"{row['name']} on {row['model']}" for row in measured if quartiles(row["others"]).median > QUIET]
    if disturbed:
        show("", f"disturbed by other processes, do not rely on: {', '.join(disturbed)}; give more --patience, or --threads 1")
    libraries = {f"{row['name']:<9} {row['blas']}": None for row in measured}
    show("", *libraries)


def show_kernels(result: Mapping[str, Any]) -> None:
    """One table."""
    _show_machine(result)
    table = table_of("kernel", "arrays", "reference us", "cpu us", "cpu / reference", "difference", right=(2, 3, 4, 5))
    for row in result["rows"]:
        times = [_spread(row[form]["microseconds"], ".1f") for form in ("reference", "cpu")]
        table.add_row(row["kernel"], row["arrays"], *times, _spread(row["cpu_over_reference"], ".3f"), f"{row['difference']:.0e}")
    show("", table)


def _step_table(model: str, rows: list[dict[str, Any]]) -> Table:
    base = rows[0]["base"]
    table = table_of(
        model, "ms a step", f"{base} / this", "first start s", "next start s", "memory MB", "difference", "others", right=tuple(range(1, 8))
    )
    for row in rows:
        starts = [f"{row['start_seconds'][kind]:.1f}" for kind in ("first", "next")]
        ratio = "1" if row["name"] == base else _spread(row["base_over_this"], ".3f")
        rest = f"{row['peak_bytes'] / 1e6:.0f}", f"{row['difference']:.0e}", f"{quartiles(row['others']).median:.2f}"
        table.add_row(row["name"], _spread(row["milliseconds"], ".3f"), ratio, *starts, *rest)
    return table


def _spread(of: Mapping[str, float], form: str) -> str:
    """median (q1 .. q3)"""
    return f"{of['median']:{form}} ({of['q1']:{form}} .. {of['q3']:{form}})"


def _show_machine(result: Mapping[str, Any]) -> None:
    where = result["machine"]
    variables = " ".join(f"{name}={value}" for name, value in where["variables"].items())
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    show(f"machine   {where['cpu']}, {where['cores']} cores, load before {where['load_before']}")
    show(f"threads   {where['threads']}, on cores {where['cores_used']}, {variables}")
    show(f"software  python {where['python']}, {versions}")
    show("times     median (quartiles) of the rounds; ratios are taken within a round; others: cores that other processes kept busy")
