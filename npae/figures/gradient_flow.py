"""How the gradient flows back through a network: a line a node, in the order of forward, from a step that was laid open.

    left      root mean square of the activation y and of the gradient dy that comes back for it, each on a scale of factors of ten
    middle    update: how far Adam moves each parameter, as a share of its norm; the dotted line at 0.001 is a healthy one
    right     share of values that let hardly any gradient through (idle), and of units that do so in every row (dead)

A gradient that fades or grows from one node to the next is seen as a slope of the left panel's second line.
Raises InputError for a step of which nothing came back.
"""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from npae.errors import InputError
from npae.figures.style import BLUE, CLASS_COLOURS, FAINT, VERMILION, WIDTH, house_style, new_figure
from npae.inspection.flow import Flow, NodeFlow

HEALTHY = 1e-3
LIGHT = CLASS_COLOURS[4]


def gradient_flow(flow: Flow) -> Figure:
    """The figure; nodes that are given no gradient (losses) are left out."""
    nodes = [node for node in flow.nodes if node.dy_norm is not None and node.shape]
    if not nodes:
        raise InputError("no gradient came back to any node: there is no flow to draw")
    about = flow.about
    note = f"step {about['step']} of a {about['model']}, {about['rows']} rows: forward runs down the list, the gradient up"
    with house_style():
        figure = new_figure(WIDTH, 1.5 + 0.27 * len(nodes), note)
        scales, updates, shares = figure.subplots(1, 3, sharey=True, gridspec_kw={"width_ratios": [5, 3, 3]})
        _scales(scales, nodes)
        _updates(updates, nodes)
        _shares(shares, nodes)
        scales.set_yticks(range(len(nodes)), [f"{node.node}  {node.kind}" for node in nodes])
        scales.set_ylim(len(nodes) - 0.4, -0.6)
        for axes in (scales, updates, shares):
            axes.grid(True)
            axes.tick_params(axis="y", length=0)
            axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, borderaxespad=0, handletextpad=0.3, columnspacing=1.0)
    return figure


def _scales(axes: Axes, nodes: list[NodeFlow]) -> None:
    """Root mean squares, so that a wide layer is not above a narrow one for its width alone."""
    for label, colour, marker, norms in (
        ("y", FAINT, "s", [node.y_norm for node in nodes]),
        ("dy", BLUE, "o", [node.dy_norm for node in nodes]),
    ):
        places = [(norm / math.sqrt(math.prod(node.shape)), row) for row, (norm, node) in enumerate(zip(norms, nodes, strict=True)) if norm]
        axes.plot([x for x, _ in places], [row for _, row in places], marker=marker, color=colour, label=label, clip_on=False)
    axes.set_xscale("log")
    _ticks(axes, 6)
    axes.set_xlabel("root mean square")


def _updates(axes: Axes, nodes: list[NodeFlow]) -> None:
    for name, colour, marker in (("W", VERMILION, "o"), ("b", LIGHT, "D")):
        places = [(ratio, row) for row, node in enumerate(nodes) if (ratio := node.update.get(name))]
        if places:
            axes.plot([x for x, _ in places], [row for _, row in places], linestyle="", marker=marker, color=colour, label=name)
    axes.axvline(HEALTHY, color=FAINT, linestyle=":", linewidth=1.2)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, HEALTHY / 2), max(high, HEALTHY * 2))
    _ticks(axes, 3)
    axes.set_xlabel("update, share of the weight")


def _ticks(axes: Axes, count: int) -> None:
    """Powers of ten in plain figures."""
    axes.xaxis.set_major_locator(LogLocator(numticks=count))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _shares(axes: Axes, nodes: list[NodeFlow]) -> None:
    rows = [row for row, node in enumerate(nodes) if node.idle is not None]
    axes.barh(rows, [nodes[row].idle or 0.0 for row in rows], height=0.6, color=LIGHT, label="idle")
    axes.barh(rows, [nodes[row].dead or 0.0 for row in rows], height=0.3, color=VERMILION, label="dead")
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("share of values, of units")
