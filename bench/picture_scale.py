"""A picture of `bench scale`: milliseconds against each size, log-log, with the fitted exponent of every line.

    draw(result, path)        .png or .svg;  a point is the median of the rounds, its line their middle half

Raises InputError for another suffix, and for a folder that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bench.peers import EVERY_PEER
from bench.ratios import quartiles
from bench.table_scale import TITLES
from npae.figures.style import CLASS_COLOURS, WIDTH, house_style, new_figure, plain_numbers, save

OWN = ("compiled", "numba", "numpy", "npae", "captured", "eager", "npae-cuda")
BEST = ("compiled", "npae", "captured", "npae-cuda")  # drawn with a thick line
MARKERS = "osDv^<>PXh"
COLUMNS = 2
EVERY = 6  # sizes of an axis that all have a tick


def panel(axes: Axes, title: str, rows: Sequence[Mapping[str, Any]], places: Mapping[str, int]) -> None:
    """A line a contender."""
    for row in rows:
        sizes, place = list(row["seconds"]), places[row["name"]]
        spread = [quartiles(row["rounds"][size]) for size in sizes]
        medians = [1e3 * each.median for each in spread]
        around = [[1e3 * (each.median - each.q1) for each in spread], [1e3 * (each.q3 - each.median) for each in spread]]
        power = "" if row["exponent"] is None else f"  {row['exponent']:.2f}"
        axes.errorbar(
            sizes, medians, yerr=around, label=f"{row['name']}{power}", color=CLASS_COLOURS[place % len(CLASS_COLOURS)],
            marker=MARKERS[place % len(MARKERS)], linewidth=2.2 if row["name"] in BEST else 1.2, elinewidth=1.0,
        )  # fmt: skip
    sizes = sorted({size for row in rows for size in row["seconds"]})
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sizes[:: -(-len(sizes) // EVERY)], [f"{size:,}" for size in sizes[:: -(-len(sizes) // EVERY)]])
    axes.xaxis.set_minor_locator(NullLocator())
    plain_numbers(axes.yaxis)
    axes.set_xlabel(title)
    axes.grid(True)
    axes.legend(title="exponent", alignment="left", fontsize=7.5, title_fontsize=7.5)


def compose(result: Mapping[str, Any]) -> Figure:
    """The figure: a panel an axis."""
    found, where = result["axes"], result["machine"]
    everybody = dict.fromkeys(row["name"] for rows in found.values() for row in rows)
    places = {name: place for place, name in enumerate(sorted(everybody, key=[*OWN, *EVERY_PEER, *everybody].index))}
    lines = -(-len(found) // COLUMNS)
    on_gpu = f"{result['gpu']['name']}; " if "gpu" in result else ""
    note = (
        f"milliseconds of a step of {result['model']} (batch, width) or of MMD with its bandwidth and gradient (n, d); the exponent is p of"
        f" time ~ size^p; {on_gpu}{where['cpu']}, {where['threads']} threads, float32"
    )
    with house_style():
        figure = new_figure(WIDTH, 3.6 * lines, note)
        every = figure.subplots(lines, min(COLUMNS, len(found)), squeeze=False).flat
        for axes, (axis, rows) in zip(every, found.items(), strict=False):
            panel(axes, TITLES[axis], rows, places)
            axes.set_ylabel("milliseconds")
        for axes in list(figure.axes)[len(found) :]:
            axes.remove()
    return figure


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write it."""
    save(compose(result), path)
