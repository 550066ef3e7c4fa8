"""Results on the screen: what every table of the bench says about its machine, and the registered kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from npae.cli.screen import show, table_of


def show_kernels(result: Mapping[str, Any]) -> None:
    """One table."""
    show_machine(result)
    table = table_of("kernel", "arrays", "reference us", "cpu us", "cpu / reference", "/ floor", "difference", right=(2, 3, 4, 5, 6))
    for row in result["rows"]:
        times = [spread(row[form]["microseconds"], ".1f") for form in ("reference", "cpu")]
        rest = f"{row['cpu']['microseconds']['median'] / row['floor_microseconds']:.1f}", f"{row['difference']:.0e}"
        table.add_row(row["kernel"], row["arrays"], *times, spread(row["cpu_over_reference"], ".3f"), *rest)
    show("", table)


def spread(of: Mapping[str, float], form: str) -> str:
    """median (q1 .. q3)"""
    return f"{of['median']:{form}} ({of['q1']:{form}} .. {of['q3']:{form}})"


def show_machine(result: Mapping[str, Any]) -> None:
    where = result["machine"]
    variables = " ".join(f"{name}={value}" for name, value in where["variables"].items())
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    show(f"machine   {where['cpu']}, {where['cores']} cores, load before {where['load_before']}")
    show(f"threads   {where['threads']}, on cores {where['cores_used']}, {variables}")
    show(f"software  python {where['python']}, {versions}")
    show("times     median (quartiles) of the rounds; ratios are taken within a round; others: cores that other processes kept busy")
