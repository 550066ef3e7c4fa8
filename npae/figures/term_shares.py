"""What the objective is made of while it is trained: every weighted term and their sum over the steps, in one panel at one scale.

    history   rows {"step": 600, "weights": {"nll": 1, "l2": 0.005}, "train": {"total": 132.8, "nll": 110.9, ...}}, steps increasing
    drawn     total, and weight_k value_k of each term whose weight is not 0; the legend gives the last value and its share of the total

A row is the mean over an epoch's batches and is drawn at the epoch's last step; under a warm-up the weight is the one at that step.
Terms that are only watched (weight 0) are left out: the panel shows what adds up. First epochs that dwarf the rest leave the panel.
Raises InputError for an empty history, a row without step, weights or train, and steps that do not increase; NonFiniteError for NaN and
infinity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from npae.errors import InputError
from npae.figures.panel_scale import left_out
from npae.figures.rows import Array, rows
from npae.figures.style import CLASS_COLOURS, FAINT, INK, house_style, new_figure, number

STYLES = ("-", "--", "-.", ":")
FEW_EPOCHS = 20  # up to here each epoch is marked by a point


def term_shares(history: Sequence[Mapping[str, Any]], *, unit: str = "nats per image", note: str = "") -> Figure:
    """The total and its weighted parts against the step; `note` stands below."""
    steps, parts = _parts(history)
    hidden = left_out([(0.0, float(value)) for value in parts["total"]], len(steps) // 5)
    with house_style():
        figure = new_figure(7.0, 3.8, "; ".join(filter(None, (_outside(steps, parts, hidden), note))))
        axes = figure.subplots()
        for i, (term, values) in enumerate(parts.items()):
            look = {"color": INK, "linewidth": 2.2} if term == "total" else {"color": CLASS_COLOURS[(i - 1) % len(CLASS_COLOURS)]}
            marker = "o" if len(steps) <= FEW_EPOCHS else ""
            axes.plot(steps, values, label=_label(term, values[-1], parts["total"][-1]), linestyle=STYLES[i % 4], marker=marker, **look)
        _limits(axes, [values[hidden:] for values in parts.values()])
        axes.set(xlabel="step", ylabel=f"weighted terms, {unit}")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        axes.grid(True)
        figure.legend(loc="outside right center", title="at the last step", alignment="left")
    return figure


def _limits(axes: Axes, visible: Sequence[Array]) -> None:
    """From 0, or from below it where a term is negative, to what has to be seen."""
    low, high = min(0.0, *(float(values.min()) for values in visible)), max(0.0, *(float(values.max()) for values in visible))
    margin = 0.05 * (high - low) or 1.0
    axes.set_ylim(low - margin if low else 0.0, high + margin)
    if low:
        axes.axhline(0, color=FAINT, linewidth=0.7, zorder=0.5)


def _parts(history: Sequence[Mapping[str, Any]]) -> tuple[Array, dict[str, Array]]:
    """The steps (E,), and the total and each weighted term (E,) at them."""
    if not len(history):
        raise InputError("history: no rows; train for at least one epoch first")
    for index, row in enumerate(history):
        for key in ("step", "weights", "train"):
            if key not in row:
                raise InputError(f"history row {index}: no {key!r}; expected a row of a run's history.jsonl")
    steps = rows("history steps", [[row["step"]] for row in history])[:, 0]
    if np.any(np.diff(steps) <= 0):
        raise InputError("history: its steps do not increase; give the rows of one run, in order")
    weighted = [
        {"total": row["train"]["total"]} | {name: weight * row["train"][name] for name, weight in row["weights"].items()} for row in history
    ]
    terms = ["total", *dict.fromkeys(name for row in history for name, weight in row["weights"].items() if weight)]
    return steps, {term: rows(term, [[row.get(term, 0.0)] for row in weighted])[:, 0] for term in terms}


def _label(term: str, last: float, total: float) -> str:
    """nll  110.9  (83 %)"""
    share = f"  ({number(100 * last / total, '.2g' if abs(last) < 0.1 * abs(total) else '.0f')} %)" if term != "total" and total else ""
    return f"{term}  {number(last, '.4g')}{share}"


def _outside(steps: Array, parts: Mapping[str, Array], hidden: int) -> str:
    if not hidden:
        return ""
    return f"to step {steps[hidden - 1]:,.0f} off scale, total up to {number(parts['total'][:hidden].max(), '.4g')}"
