"""Two-dimensional codes as points, coloured by class.

    codes (N, 2)     labels (N,) or None

Up to ten integer classes get the colours of Okabe and Ito, to which style.py adds two, and a colour bar with one step a class. When all
labels lie in 0 to 9 each has its own fixed colour, so two figures can be compared even when a class is missing in one. More classes, or
labels that are not integers, get one continuous scale (cividis). The circles of the prior N(0, I) have radius 1 and 2. Points are drawn in
shuffled order: data sorted by class would hide the first classes.
Raises InputError for codes that are not (N, 2), labels that are not (N,) and names that do not cover the labels; NonFiniteError for NaN
and infinity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.rows import Array, rows
from npae.figures.style import BLUE, CLASS_COLOURS, INK, house_style, new_figure

FEW_POINTS = 2000  # above it the points of an SVG are stored as one image: a path each would be megabytes
FEW_NAMES = 30  # on a continuous scale; of more, every second, third ... is written


def scatter(codes: ArrayLike, labels: ArrayLike | None, label_names: Sequence[str] | None = None, *, prior: bool = False) -> Figure:
    """`codes` as points; `label_names[k]` is the name of label k, for the colour bar that labels have."""
    z = rows("codes", codes)
    if z.shape[1] != 2:
        raise InputError(f"codes: shape {z.shape}, expected (N, 2); project them first, for example on two principal components")
    order = np.random.default_rng(0).permutation(len(z))
    with house_style():
        figure = new_figure(6.2 if labels is None else 7.0, 6.0)
        axes = figure.subplots()
        colours: ArrayLike = BLUE if labels is None else _colour_bar(figure, axes, _column(labels, len(z)), label_names)[order]
        size = float(np.clip(20_000 / len(z), 4, 30))  # points squared
        axes.scatter(z[order, 0], z[order, 1], s=size, c=colours, alpha=0.8, linewidths=0, rasterized=len(z) > FEW_POINTS)
        if np.all(z == z[0]):
            axes.update_datalim([z[0] - 1, z[0] + 1])  # one place has no extent of its own
        if prior:
            _prior(axes)
        axes.set(xlabel="z₁", ylabel="z₂")
        axes.set_aspect("equal", adjustable="datalim")
        axes.grid(True)
    return figure


def _column(labels: ArrayLike, n: int) -> Array:
    values = np.asarray(labels)
    if values.shape != (n,):
        raise InputError(f"labels: shape {values.shape}, expected ({n},): one for each code")
    return rows("labels", values[:, None])[:, 0]


def _colour_bar(figure: Figure, axes: Axes, labels: Array, names: Sequence[str] | None) -> Array:
    """Draw the colour bar and return the colour (N, 4) of each label."""
    present, rank = np.unique(labels, return_inverse=True)
    texts = None if names is None else _named(present, names)
    whole = bool(np.all(present == np.round(present)))
    if whole and len(present) <= len(CLASS_COLOURS):
        classes = [int(k) for k in present]
        place = classes if classes[0] >= 0 and classes[-1] < len(CLASS_COLOURS) else range(len(classes))
        scale: Colormap = ListedColormap([CLASS_COLOURS[k] for k in place])
        steps = ScalarMappable(BoundaryNorm(np.arange(len(classes) + 1) - 0.5, len(classes)), scale)
        bar = figure.colorbar(steps, ax=axes, aspect=30, label="class")
        bar.set_ticks(range(len(classes)), labels=texts or [str(k) for k in classes])
        bar.ax.invert_yaxis()  # the first class on top, as one reads
        colours = steps.to_rgba(rank)
    else:
        values = ScalarMappable(Normalize(present[0], present[-1]), colormaps["cividis"])
        bar = figure.colorbar(values, ax=axes, aspect=30, label="label", ticks=MaxNLocator(8, integer=whole))
        if texts is not None:
            few = slice(None, None, math.ceil(len(texts) / FEW_NAMES))
            bar.set_ticks(present[few].tolist(), labels=texts[few])
        colours = values.to_rgba(labels)
    bar.outline.set_visible(False)
    bar.minorticks_off()
    bar.ax.tick_params(length=0)
    return np.asarray(colours)


def _named(present: Array, names: Sequence[str]) -> list[str]:
    for k in present:
        if k not in range(len(names)):
            raise InputError(f"label_names: {len(names)} names, but a label is {k:g}; give a name for each label, the first for label 0")
    return [names[int(k)] for k in present]


def _prior(axes: Axes) -> None:
    outline = [withStroke(linewidth=2.5, foreground="white")]
    for radius in (1, 2):
        axes.add_patch(Circle((0, 0), radius, fill=False, edgecolor=INK, linewidth=1.0, linestyle="--", path_effects=outline))
        axes.annotate(f"{radius}σ", (0, radius), ha="center", va="center", fontsize=8.0, path_effects=outline)
