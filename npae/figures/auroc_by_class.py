"""How well detectors find what is not of their class: a line a normal class, a mark a detector, and the mean over the classes.

    areas {"ELBO": (C,), "one-class SVM": (C,), ...}      areas under the ROC curve, from 0 to 1
    intervals {"ELBO": (C, 2), ...}                       low and high end of a confidence interval, for the detectors that have one

Raises InputError for no detector, arrays that do not fit the classes, and areas outside [0, 1]; NonFiniteError for NaN and infinity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.rows import Array, rows
from npae.figures.style import CLASS_COLOURS, FAINT, house_style, new_figure

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def auroc_by_class(
    areas: Mapping[str, ArrayLike], classes: Sequence[str], *, intervals: Mapping[str, ArrayLike] | None = None, label: str = "normal class"
) -> Figure:
    """The classes from top to bottom, the mean last; `label` is what a line stands for."""
    if not 1 <= len(areas) <= len(MARKERS):
        raise InputError(f"areas: {len(areas)} detectors, expected 1 to {len(MARKERS)}")
    checked = {name: _area(name, np.asarray(values), (len(classes),)) for name, values in areas.items()}
    spans = {name: _area(f"{name}, interval", np.asarray(ends), (len(classes), 2)) for name, ends in (intervals or {}).items()}
    if unknown := sorted(set(spans) - set(checked)):
        raise InputError(f"intervals: '{unknown[0]}' has no areas; it has to be one of {', '.join(checked)}")
    places = np.arange(len(classes) + 1.0)
    places[-1] += 0.3  # the mean stands apart
    with house_style():
        figure = new_figure(6.4, 1.1 + 0.3 * len(places))
        axes = figure.subplots()
        for i, (name, values) in enumerate(checked.items()):
            shift = 0.5 * ((i + 0.5) / len(checked) - 0.5)
            if name in spans:
                axes.hlines(places[:-1] + shift, spans[name][:, 0], spans[name][:, 1], color=CLASS_COLOURS[i], linewidth=1.0)
            at = np.append(values, values.mean())
            axes.plot(at, places + shift, MARKERS[i], color=CLASS_COLOURS[i], label=f"{name}, mean {values.mean():.3f}", markersize=5)
        axes.axhline(len(classes) - 0.35, color=FAINT, linewidth=0.7)
        axes.axvline(1, color=FAINT, linewidth=0.7)
        axes.set_yticks(places, [*classes, "mean"])
        axes.set(ylim=(places[-1] + 0.5, -0.6), xlabel="area under the ROC curve", ylabel=label)
        low = min(float(values.min()) for values in (*checked.values(), *spans.values()))
        axes.set_xlim(min(low - 0.03, 0.9), 1.01)
        axes.tick_params(axis="y", length=0)
        axes.grid(True)
        figure.legend(loc="outside upper center", ncols=min(2, len(checked)))
    return figure


def _area(name: str, values: Array, shape: tuple[int, ...]) -> Array:
    if values.shape != shape:
        raise InputError(f"{name}: shape {values.shape}, expected {shape}: one line for each class")
    checked = rows(name, values.reshape(len(values), -1)).reshape(shape)
    if checked.min() < 0 or checked.max() > 1:
        raise InputError(f"{name}: {checked.min():g} to {checked.max():g}, expected areas from 0 to 1")
    return checked
