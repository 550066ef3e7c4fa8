"""A picture of `bench epoch`: seconds of whole runs, a panel for each preset and length.

    draw(result, path)        .png or .svg;  a bar is the median of the rounds, the line on it their middle half

The pale part of a bar is the time to the first step. Raises InputError for another suffix, and for a folder that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.epoch import OWN
from npae.figures.style import BLUE, FAINT, INK, WIDTH, house_style, new_figure, save


def panel(axes: Axes, title: str, rows: Sequence[Mapping[str, Any]], starts: Mapping[str, float]) -> None:
    """The contenders, one under the other."""
    for place, row in enumerate(rows):
        seconds, colour = row["seconds"], BLUE if row["name"] in OWN else FAINT
        axes.barh(place, seconds["median"], color=colour, height=0.7)
        axes.barh(place, min(starts[row["name"]], seconds["median"]), color="white", alpha=0.55, height=0.7)
        axes.plot([seconds["q1"], seconds["q3"]], [place, place], color=INK, linewidth=1.0)
        axes.text(seconds["q3"], place, f"  {seconds['median']:.2f} s", va="center", fontsize=8.0)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.25 * max(row["seconds"]["q3"] for row in rows))
    axes.set_title(title)


def compose(result: Mapping[str, Any]) -> Figure:
    """The figure: a row a preset, a column a length."""
    presets = list(dict.fromkeys(row["preset"] for row in result["rows"]))
    lengths = sorted({row["epochs"] for row in result["rows"]} - {0})
    most, where = len({row["name"] for row in result["rows"]}), result["machine"]
    on_gpu = f"{result['gpu']['name']}; " if "gpu" in result else ""
    note = f"seconds from the start of a process to its end, pale: to its first step; {on_gpu}{where['cpu']}, {where['threads']} threads"
    with house_style():
        figure = new_figure(WIDTH, len(presets) * (0.6 + 0.22 * most), note)
        grid = figure.subplots(len(presets), len(lengths), squeeze=False)
        for line, preset in zip(grid, presets, strict=True):
            of_preset = [row for row in result["rows"] if row["preset"] == preset]
            starts = {row["name"]: row["seconds"]["median"] for row in of_preset if row["epochs"] == 0}
            for axes, epochs in zip(line, lengths, strict=True):
                title = f"{preset}, {epochs} epoch{'s' if epochs > 1 else ''}"
                panel(axes, title, [row for row in of_preset if row["epochs"] == epochs], starts)
    return figure


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write it."""
    save(compose(result), path)
