"""Rows that are not images, drawn as lines: the value of each feature against its number.

    profiles({"original": x, "reconstruction": y})       x, y (N, F): a panel a sample, a line a name, the same axes everywhere

Values are drawn as they are, without clamping. Up to 20 features are marked by points, so that a single feature is still seen.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from npae.figures.rows import Array
from npae.figures.style import BLUE, VERMILION, WIDTH, house_style, new_figure

COLUMNS = 4
LOOKS = ({"color": BLUE, "linestyle": "-"}, {"color": VERMILION, "linestyle": "--"})


def profiles(named: Mapping[str, Array], columns: int, note: str = "") -> Figure:
    """One panel for each row of the arrays in `named` (one or two, of one shape); `note` stands below."""
    n, features = next(iter(named.values())).shape
    columns = min(columns, n)
    n_rows = math.ceil(n / columns)
    marker = "o" if features <= 20 else ""
    with house_style():
        figure = new_figure(min(WIDTH, 0.8 + 2.6 * columns), 0.8 + 1.2 * n_rows)
        panels = figure.subplots(n_rows, columns, squeeze=False)
        ticks = _ticks(named, features)
        for i, axes in enumerate(panels.flat):
            if i >= n:
                axes.remove()
                continue
            for (name, values), look in zip(named.items(), LOOKS, strict=False):
                axes.plot(np.arange(features), values[i], label=name, marker=marker, linewidth=1.1, markersize=2.5, **look)
            axes.set_title(f"sample {i + 1}", fontsize=8.0, fontweight="normal", pad=3)
            axes.set(**ticks)
            axes.tick_params(labelleft=i % columns == 0, labelbottom=i + columns >= n)  # the lowest of its column, also above a gap
        if len(named) > 1:
            figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        figure.supxlabel("\n".join(["feature", *textwrap.wrap(note, int(figure.get_figwidth() / 0.07))]), fontsize=9.0)
        figure.supylabel("value", fontsize=9.0)
    return figure


def _ticks(named: Mapping[str, Array], features: int) -> dict[str, Any]:
    """The same limits and ticks for every panel, set once: 100 axes that share them instead take twice as long to draw."""
    low = min(float(values.min()) for values in named.values())
    high = max(float(values.max()) for values in named.values())
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    bottom, top = low - margin, high + margin
    xticks = MaxNLocator(5, integer=True).tick_values(0, max(features - 1, 1))
    yticks = MaxNLocator(3).tick_values(bottom, top)
    return {
        "xticks": [tick for tick in xticks if 0 <= tick < features],
        "yticks": [tick for tick in yticks if bottom <= tick <= top],
        "xlim": (-0.02 * features - 0.5, 1.02 * features - 0.5),
        "ylim": (bottom, top),
    }
