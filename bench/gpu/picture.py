"""A picture of the registered kernels on a GPU: microseconds of a call against its size, log-log, a panel a kernel.

    draw(result, path)        .png or .svg;  lines: in a graph, launched by itself, on one core; dotted: the floor of this GPU

Raises InputError for another suffix, and for a folder that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from npae.figures.style import BLUE, FAINT, INK, VERMILION, WIDTH, house_style, new_figure, save

COLUMNS = 3
LINES = {
    "graph": ("on the GPU, in a graph", BLUE, "o", 2.2),
    "launched": ("on the GPU, launched by Python", VERMILION, "s", 1.2),
    "cpu": ("on one core", INK, "D", 1.2),
}


def panel(axes: Axes, kernel: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """The sizes of one kernel."""
    sizes = [row["size"] for row in rows]
    for form, (label, colour, marker, width) in LINES.items():
        times = [row[form]["microseconds"]["median"] for row in rows]
        axes.plot(sizes, times, color=colour, marker=marker, linewidth=width, markersize=3.5, label=label)
    axes.plot(sizes, [row["floor_microseconds"] for row in rows], ":", color=FAINT, linewidth=1.6, label="the GPU's floor")
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=5))
        axis.set_major_formatter(lambda value, place: f"{value:,.10g}")
        axis.set_minor_locator(NullLocator())
    axes.set_title(kernel)
    axes.grid(True)


def compose(result: Mapping[str, Any]) -> Figure:
    """The figure."""
    kernels = list(dict.fromkeys(row["kernel"] for row in result["rows"]))
    where = result["machine"]
    lines = -(-len(kernels) // COLUMNS)
    note = f"microseconds of a call against the kernel's size, float32; {where['gpu']['name']} and one core of {where['cpu']}"
    with house_style():
        figure = new_figure(WIDTH, 0.6 + 1.9 * lines, note)
        every = figure.subplots(lines, COLUMNS, squeeze=False)
        for axes, kernel in zip(every.flat, kernels, strict=False):
            panel(axes, kernel, [row for row in result["rows"] if row["kernel"] == kernel])
        for axes in list(figure.axes)[len(kernels) :]:
            axes.remove()
        for line in every:
            line[0].set_ylabel("microseconds")
        handles, labels = every[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write it."""
    save(compose(result), path)
