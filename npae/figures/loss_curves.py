"""How the objective and its terms went, epoch by epoch: a panel a term (the total first), train solid, validation dashed.

    history   rows {"epoch": 3, "train": {"total": 31.2, "nll": 27.0, "kl": 4.2}, "validation": {...} or None}, epochs increasing

A total that is one term alone, as an autoencoder's or a generator's, has no panel: that term's is the same.
The scale of a panel keeps the first epochs from flattening the rest (panel_scale.py); what lies outside it is said above the panel.
Raises InputError for an empty history, a row without epoch or train, epochs that do not increase, a value that is not a number
and a best epoch that is not in the history; NonFiniteError for a value that is NaN or infinite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from npae.errors import InputError, NonFiniteError
from npae.figures.panel_scale import PanelScale, panel_scale
from npae.figures.style import BLUE, FAINT, VERMILION, WIDTH, house_style, new_figure, number

History: TypeAlias = Sequence[Mapping[str, Any]]
Curves: TypeAlias = dict[str, dict[int, float]]  # split -> epoch -> value

LOOKS: dict[str, dict[str, Any]] = {"train": {"color": BLUE, "linestyle": "-"}, "validation": {"color": VERMILION, "linestyle": "--"}}
UNITS = {  # of the terms that are not in the unit of the reconstruction loss
    "mmd": "MMD²",
    "l2": "sum of squared parameters",
    "eta": "variance",
    "sparsity": "penalty on the code",
    "contraction": "squared norm of the Jacobian",
    "adversarial": "nats per code",
    "generator": "nats per row",
    "discriminator": "nats per row",
}
FEW_EPOCHS = 20  # up to here each epoch is marked by a point


def loss_curves(history: History, *, unit: str = "nats per image", best_epoch: int | None = None, note: str = "") -> Figure:
    """One panel for each term of `history`; `unit` is that of the total and of every term not in UNITS.

    `best_epoch` is a dotted line, and `note` stands below.
    """
    terms = _terms(history)
    epochs = {epoch for curves in terms.values() for curve in curves.values() for epoch in curve}
    if best_epoch is not None and best_epoch not in epochs:
        raise InputError(
            f"best_epoch: {best_epoch} is not in the history, which has epochs {min(epochs)} to {max(epochs)}; give one of its epochs"
        )
    columns = len(terms) if len(terms) <= 3 else 2 if len(terms) == 4 else 3
    n_rows = math.ceil(len(terms) / columns)
    with house_style():
        figure = new_figure(min(WIDTH, 5.0 * columns), 0.5 + 2.4 * n_rows, note)
        panels = figure.subplots(n_rows, columns, squeeze=False)
        for i, axes in enumerate(panels.flat):
            axes.set_visible(i < len(terms))
        for (term, curves), axes in zip(terms.items(), panels.flat, strict=False):
            _panel(axes, term, curves)
            _epoch_axis(axes, min(epochs), max(epochs), best_epoch)
            if axes in panels[:, 0] or term in UNITS:
                axes.set_ylabel(UNITS.get(term, unit))
        figure.legend(handles=_legend(terms, best_epoch), loc="outside upper right", ncols=3)
    return figure


def _terms(history: History) -> dict[str, Curves]:
    """term -> split -> epoch -> value, the total first if it is none of the others; everything checked."""
    if not len(history):
        raise InputError("history: no rows; train for at least one epoch first")
    terms: dict[str, Curves] = {"total": {}}
    last = -math.inf
    for index, row in enumerate(history):
        for key in ("epoch", "train"):
            if key not in row:
                raise InputError(f"history row {index}: no {key!r}; expected 'epoch', 'train' and, if any, 'validation'")
        epoch = row["epoch"]
        if _finite(f"history row {index}, epoch", epoch) <= last:
            raise InputError(f"history row {index}: epoch {epoch} comes after epoch {last}; give the rows of one run, in order")
        last = epoch
        for split in LOOKS:
            for term, value in (row.get(split) or {}).items():
                terms.setdefault(term, {}).setdefault(split, {})[epoch] = _finite(f"history epoch {epoch}, {split} {term}", value)
    terms = {term: curves for term, curves in terms.items() if curves}
    if not terms:
        raise InputError("history: no row has a term in 'train'; expected for example {'total': 31.2, 'nll': 27.0, 'kl': 4.2}")
    if any(term != "total" and curves == terms.get("total") for term, curves in terms.items()):
        del terms["total"]
    return terms


def _finite(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{name}: {value!r}, expected a number")
    if not math.isfinite(value):
        raise NonFiniteError(f"{name}: {value}; only finite values can be drawn, end the history before this epoch")
    return float(value)


def _panel(axes: Axes, term: str, curves: Curves) -> None:
    for split, curve in curves.items():
        marker = "o" if len(curve) <= FEW_EPOCHS else ""
        axes.plot(list(curve), list(curve.values()), marker=marker, label=split, **LOOKS[split])
    epochs = sorted({epoch for curve in curves.values() for epoch in curve})
    rows = [[curve[epoch] for curve in curves.values() if epoch in curve] for epoch in epochs]
    scale = panel_scale(rows)
    if scale.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if scale.high / scale.low < 1000 else (1.0,)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.10g}"))  # never a factor such as 1e-5 apart from its axis
    axes.set_ylim(scale.low, scale.high)
    if scale.low < 0 < scale.high:
        axes.axhline(0, color=FAINT, linewidth=0.7, zorder=0.5)
    note = _outside(epochs[: scale.hidden], rows[: scale.hidden], scale)
    axes.set_title(term, pad=17 if note else 6)
    axes.annotate(note, (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points", fontsize=8.0)
    axes.grid(True)


def _outside(epochs: list[int], rows: list[list[float]], scale: PanelScale) -> str:
    """What the reader has to know about the rows that were left out of the limits: which lie outside, and how far."""
    outside = {epoch: value for epoch, row in zip(epochs, rows, strict=True) for value in row if not scale.low <= value <= scale.high}
    if not outside:
        return ""
    first, last = min(outside), max(outside)
    farthest = max(outside.values(), key=lambda value: max(value - scale.high, scale.low - value))
    which = f"epoch {first}" if first == last else f"epochs {first}–{last}"
    return f"{which} off scale, {'up' if farthest > scale.high else 'down'} to {number(farthest, '.4g')}"


def _epoch_axis(axes: Axes, first: int, last: int, best_epoch: int | None) -> None:
    if best_epoch is not None:
        axes.axvline(best_epoch, color=FAINT, linestyle=":", linewidth=1.2)
    margin = 0.03 * (last - first) or 1
    axes.set(xlabel="epoch", xlim=(first - margin, last + margin))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _legend(terms: Mapping[str, Curves], best_epoch: int | None) -> list[Line2D]:
    drawn = {split for curves in terms.values() for split in curves}
    handles = [Line2D([], [], label=split, **look) for split, look in LOOKS.items() if split in drawn]
    if best_epoch is not None:
        handles.append(Line2D([], [], label=f"best epoch {best_epoch}", color=FAINT, linestyle=":", linewidth=1.2))
    return handles
