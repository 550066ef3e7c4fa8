"""Receiver operating characteristics: of the anomalies, the share found, against the share of false alarms, as the threshold falls.

    curves {"ELBO": (false_positive_rate (K,), true_positive_rate (K,)), ...}      both from 0 to 1 and never falling

The area under a curve, by trapezoids, is the chance that an anomaly scores above a normal row; the diagonal is guessing.
Raises InputError for no curve, arrays of different length, rates that fall or do not go from 0 to 1; NonFiniteError for NaN and infinity.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.rows import Array, rows
from npae.figures.style import CLASS_COLOURS, FAINT, house_style, new_figure

STYLES = ("-", "--", "-.", ":")
MOST = 8


def roc(curves: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """One curve for each score, its area in the legend."""
    if not 1 <= len(curves) <= MOST:
        raise InputError(f"curves: {len(curves)}, expected 1 to {MOST}")
    with house_style():
        figure = new_figure(4.6, 4.6)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
        for i, (name, pair) in enumerate(curves.items()):
            false, true = (_rate(f"{name}, {which}", rate) for which, rate in zip(("false alarms", "found"), pair, strict=True))
            if len(false) != len(true):
                raise InputError(f"{name}: {len(false)} shares of false alarms, {len(true)} found; give both for each threshold")
            area = float(np.trapezoid(true, false))
            axes.plot(false, true, color=CLASS_COLOURS[i], linestyle=STYLES[i % 4], label=f"{name}  {area:.3f}")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="false alarms, share of normal rows", ylabel="found, share of anomalies")
        axes.set_aspect("equal")
        axes.grid(True)
        axes.legend(loc="lower right", title="area under the curve", alignment="left")
    return figure


def _rate(name: str, values: ArrayLike) -> Array:
    column = np.asarray(values)
    if column.ndim != 1:
        raise InputError(f"{name}: shape {column.shape}, expected one number for each threshold")
    rate = rows(name, column[:, None])[:, 0]
    if rate[0] != 0 or rate[-1] != 1 or np.any(np.diff(rate) < 0):
        raise InputError(f"{name}: goes from {rate[0]:g} to {rate[-1]:g}, expected a share that grows from 0 to 1")
    return rate
