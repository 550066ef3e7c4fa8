"""A picture of `bench kernels`: time and memory of every contender against n, log-log, a column for each comparison and number of features.

    draw(result, path)        .png or .svg

A dotted line is the floor; beside a GPU's lines those of a CPU are dashed. Memory below LEAST is not drawn. A size that a contender did
not run has no point; who ran none is not there, and the table says why.
Raises InputError for another suffix, and for a folder that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from bench.peers_of_kernels.contenders import CUDA_PEERS, OWN, OWN_ON_GPU, PEERS
from bench.peers_of_kernels.problem import COMPARISONS
from npae.figures.style import CLASS_COLOURS, FAINT, WIDTH, house_style, new_figure, plain_numbers, save

ALIKE = {"numpy": "numpy-partition", "torch": "torch-kthvalue"}  # never in one column
NAMES = [name for name in (OWN, *PEERS) if name not in ALIKE]
COLOURS = dict(zip(NAMES, CLASS_COLOURS, strict=False))
MARKERS = dict(zip(NAMES, "osDv^<>PXh", strict=False))
ON_GPU = (OWN_ON_GPU, *CUDA_PEERS)
COLOURS |= dict(zip(ON_GPU, CLASS_COLOURS, strict=False))
MARKERS |= dict(zip(ON_GPU, "osDv^<>PXh", strict=False))
LEAST = 100_000  # bytes: what a process takes without a reason


def columns(groups: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], list[Mapping[str, Any]]]:
    """The problems that differ in n alone, by n; those of one comparison stand together."""
    found: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for group in sorted(groups, key=lambda group: (COMPARISONS.index(group["comparison"]), group["d"], group["n"])):
        found.setdefault((group["comparison"], group["d"]), []).append(group)
    return found


def _line(axes: Axes, name: str, points: Mapping[int, float], style: str) -> None:
    width, look = 2.2 if name in (OWN, OWN_ON_GPU) else 1.2, ALIKE.get(name, name)
    axes.plot(list(points), list(points.values()), style, color=COLOURS[look], marker=MARKERS[look], linewidth=width, label=name)


def _log_log(axes: Axes, sizes: Sequence[int]) -> None:
    """Every n that was run is a tick."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    plain_numbers(axes.yaxis)
    axes.grid(True)


def _points(groups: Sequence[Mapping[str, Any]], name: str, what: str) -> dict[int, float]:
    """{n: milliseconds or megabytes} of a contender."""
    points = {}
    for group in groups:
        for row in group["rows"]:
            if row["name"] == name and "milliseconds" in row:
                if what == "time":
                    points[group["n"]] = row["milliseconds"]["median"]
                elif (row["extra_bytes"] or 0) >= LEAST:
                    points[group["n"]] = row["extra_bytes"] / 1e6
    return points


def compose(result: Mapping[str, Any]) -> Figure:
    """The figure."""
    parts = columns(result["groups"])
    where = result["machine"]
    on_gpu = f"{result['gpu']['name']}; " if "gpu" in result else ""
    note = f"{on_gpu}{where['cpu']}, {where['threads']} threads, {result['dtype']}; median of the rounds; dotted: the floor of this machine"
    with house_style():
        figure = new_figure(WIDTH, 5.6, note)
        grid = figure.subplots(2, len(parts), squeeze=False, sharex="col", sharey="row")
        for column, ((comparison, d), groups) in enumerate(parts.items()):
            for row, (what, unit) in enumerate((("time", "milliseconds"), ("memory", "MB beyond the inputs"))):
                axes = grid[row, column]
                for name in (*PEERS, OWN, *CUDA_PEERS, OWN_ON_GPU):
                    points = _points(groups, name, what)
                    if points:
                        _line(axes, name, points, "--" if on_gpu and name not in ON_GPU else "-")
                if what == "time":
                    axes.plot([group["n"] for group in groups], [group["floor_milliseconds"] for group in groups], ":", color=FAINT)
                    axes.set_title(f"{comparison}\n{d} features")
                else:
                    axes.set_xlabel("points in each sample")
                _log_log(axes, [group["n"] for group in groups])
                if column == 0:
                    axes.set_ylabel(unit)
        handles = {label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(list(handles.values()), list(handles), loc="outside right upper")
    return figure


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write it."""
    save(compose(result), path)
