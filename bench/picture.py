"""A picture of `bench step`: every contender's time over npae's fastest, a panel a model.

    draw(result, path)        .png or .svg;  a bar is the median of the paired ratios, the line on it their middle half

A bar longer than 1 is slower than npae; the red line is the floor (step_floor.py). Bars are cut at CUT times, and say
their number. Who could not run a model has no bar.
Raises InputError for another suffix, and for a folder that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.peers import EVERY_PEER
from bench.ratios import paired_ratio
from npae.errors import InputError
from npae.figures.style import BLUE, FAINT, INK, VERMILION, WIDTH, house_style, new_figure, save

CUT = 12.0
COLUMNS = 2
SUFFIXES = (".png", ".svg")


def check(path: Path) -> None:
    """Before anything is measured: whether the picture could be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--plot {path}: suffix '{path.suffix}' is not .png or .svg; end the name in one of them")
    if not path.resolve().parent.is_dir():
        raise InputError(f"--plot {path}: its folder does not exist; create it first")


def milliseconds(value: float) -> str:
    """Two digits after the point, three of it where that is nothing."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3g}"


def panel(axes: Axes, title: str, rows: Sequence[Mapping[str, Any]], floor: float | None) -> None:
    """The contenders of one model, fastest first; `floor` in milliseconds."""
    rows = sorted(rows, key=lambda row: row["milliseconds"]["median"])
    fastest = next((row for row in rows if row["name"] not in EVERY_PEER), rows[0])
    for place, row in enumerate(rows):
        ratio = paired_ratio(row["rounds"], fastest["rounds"])
        own = row["name"] not in EVERY_PEER
        axes.barh(place, min(ratio.median, CUT), color=BLUE if own else FAINT, height=0.7)
        if row is not fastest and ratio.median < CUT:
            axes.plot([ratio.q1, min(ratio.q3, CUT)], [place, place], color=INK, linewidth=1.0)
        at = max(min(ratio.median, CUT), min(ratio.q3, CUT)) + 0.015 * CUT
        axes.text(at, place, f"{ratio.median:.2f}   {milliseconds(row['milliseconds']['median'])} ms", va="center", fontsize=7.5)
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=":")
    if floor:
        axes.axvline(floor / fastest["milliseconds"]["median"], color=VERMILION, linewidth=1.0)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.invert_yaxis()
    axes.set_title(title)
    axes.set_xlim(0, CUT * 1.35)
    axes.set_xticks([0, 1, 2, 4, 6, 8, 10, 12])


def compose(result: Mapping[str, Any]) -> Figure:
    """The figure."""
    timed = [row for row in result["rows"] if "milliseconds" in row]
    models = [name for name in result["models"] if any(row["model"] == name for row in timed)]
    if not models:
        raise InputError("nothing was measured that could be drawn")
    lines = -(-len(models) // COLUMNS)
    where = result["machine"]
    most = max(sum(row["model"] == name for row in timed) for name in models)
    on_gpu = f"{result['gpu']['name']}; " if "gpu" in result else ""
    note = (
        f"time of a training step over npae's fastest (blue: npae), median and middle half of the paired rounds, and its median in ms;"
        f" red: the floor of this machine for a dense step;"
        f" {on_gpu}{where['cpu']}, {where['threads']} threads, {result['dtype']}"
    )
    with house_style():
        figure = new_figure(WIDTH, lines * (0.55 + 0.2 * most), note)
        every = figure.subplots(lines, COLUMNS, squeeze=False).flat
        for axes, name in zip(every, models, strict=False):
            about = result["models"][name]
            floor = about.get("gpu_floor") or about["floor"]
            panel(axes, f"{name}, batch {about['batch']}", [row for row in timed if row["model"] == name], floor and floor["milliseconds"])
        for axes in list(figure.axes)[len(models) :]:
            axes.remove()
    return figure


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write it."""
    save(compose(result), path)
