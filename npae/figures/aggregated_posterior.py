"""Do the codes of the data look like the prior? A histogram of each latent unit over the rows, with the density of N(0, 1).

    z (N, Z), one draw of q(z|x) a row        unit j: the marginal of the aggregated posterior q(z) = (1/N) sum_x q(z|x)

All units agreeing with N(0, 1) does not make q(z) the prior, which also has no dependence between units; one that differs unmakes it.
Source: Tolstikhin et al. 2018, "Wasserstein auto-encoders"; Makhzani et al. 2015, who call it the aggregated posterior.
Raises InputError for codes that are not (N, Z) with N at least 2; NonFiniteError for NaN and infinity.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.rows import Array, rows
from npae.figures.style import BLUE, VERMILION, WIDTH, house_style, new_figure, number, unit_name

COLUMNS, MOST = 4, 24  # panels a row, panels
BINS = 41
LIGHT_BLUE = "#9cc6e3"


def aggregated_posterior(codes: ArrayLike) -> Figure:
    """A panel a unit, at most 24 of them, all at one scale."""
    z = rows("codes", codes)
    if len(z) < 2:
        raise InputError(f"codes: {len(z)} row, expected at least 2 to make a histogram of")
    shown = min(z.shape[1], MOST)
    columns = min(COLUMNS, shown)
    n_rows = math.ceil(shown / columns)
    reach = max(3.5, float(np.quantile(np.abs(z[:, :shown]), 0.999)))
    edges = np.linspace(-reach, reach, BINS + 1)
    outside = np.count_nonzero(np.abs(z[:, :shown]) > reach)
    notes = [f"units 1 to {shown} of {z.shape[1]}"] if shown < z.shape[1] else []
    notes += [f"{outside:,} of {z[:, :shown].size:,} values lie outside −{reach:.1f} to {reach:.1f}"] if outside else []
    with house_style():
        figure = new_figure(min(WIDTH, 0.8 + 2.1 * columns), 0.9 + 1.35 * n_rows, "; ".join(notes))
        panels = figure.subplots(n_rows, columns, squeeze=False, sharex=True, sharey=True)
        for unit, axes in enumerate(panels.flat):
            if unit >= shown:
                axes.remove()
                continue
            _panel(axes, unit, z[:, unit], edges)
            axes.tick_params(labelbottom=unit + columns >= shown)  # the lowest of its column, also above a gap
        figure.supylabel("density", fontsize=9.0)
        handles = [Patch(facecolor=LIGHT_BLUE, edgecolor=BLUE, label="codes"), Line2D([], [], color=VERMILION, label="prior N(0, 1)")]
        figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


def _panel(axes: Axes, unit: int, z: Array, edges: Array) -> None:
    counts, _ = np.histogram(z, edges)
    density = counts / (len(z) * np.diff(edges))
    axes.stairs(density, edges, fill=True, color=LIGHT_BLUE)
    axes.stairs(density, edges, color=BLUE, linewidth=0.8)
    t = np.linspace(edges[0], edges[-1], 201)
    axes.plot(t, np.exp(-0.5 * t**2) / math.sqrt(2 * math.pi), color=VERMILION, linewidth=1.2)
    title = f"{unit_name(unit)}   mean {number(z.mean(), '.2f')}, sd {number(z.std(), '.2f')}"
    axes.set_title(title, fontsize=8.0, fontweight="normal", pad=3)
