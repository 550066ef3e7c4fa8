"""Which latent units carry information: KL(q(z_j|x) || N(0, 1)), mean over the rows, of each unit j, the largest first.

    kl (Z,) nats      active (Z,) of truth values: whether the unit's posterior mean varies (Burda et al. 2016)

A unit at 0 says the same for every row: its posterior is the prior, and the decoder has learned to ignore it.
Raises InputError for arrays of different length or a divergence below 0; NonFiniteError for NaN and infinity.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.rows import rows
from npae.figures.style import BLUE, FAINT, WIDTH, house_style, new_figure, number, unit_name

FEW_UNITS = 40  # of more, the names under the bars are left out
ROUNDING = 1e-6  # nats: how far below 0 a divergence may come by rounding


def kl_per_unit(kl: ArrayLike, active: ArrayLike) -> Figure:
    """Bars from the largest divergence to the smallest; inactive units grey and hatched."""
    column, varies = np.asarray(kl), np.asarray(active)
    if column.ndim != 1 or varies.shape != column.shape or varies.dtype != bool:
        raise InputError(f"kl: shape {column.shape}, active: {varies.dtype} {varies.shape}; expected (Z,) and as many truth values")
    values = rows("kl", column[:, None])[:, 0]
    if values.min() < -ROUNDING:
        raise InputError(f"kl: {values.min():g} is below 0, which no divergence is")
    order = np.argsort(-values, kind="stable")
    count = len(values)
    with house_style():
        figure = new_figure(float(np.clip(1.5 + 0.3 * count, 4.5, WIDTH)), 3.4)
        axes = figure.subplots()
        bars = axes.bar(range(count), values[order].clip(0), width=0.75, color=BLUE)
        for bar, unit in zip(bars, order, strict=True):
            if not varies[unit]:
                bar.set(facecolor="white", edgecolor=FAINT, hatch="////", linewidth=0.8)
        axes.set_xticks(range(count) if count <= FEW_UNITS else [], [unit_name(int(unit)) for unit in order] if count <= FEW_UNITS else [])
        axes.tick_params(axis="x", length=0)
        axes.set(xlabel="latent unit, largest divergence first", ylabel="KL to the prior, nats", xlim=(-0.6, count - 0.4))
        axes.set_title(f"{number(values.sum(), '.3f')} nats in all")
        axes.set_ylim(0, 1.05 * float(values.max()) or 1.0)
        axes.grid(True, axis="y")
        handles = [Patch(facecolor=BLUE, label=f"active: {varies.sum()}"), Patch(facecolor="white", edgecolor=FAINT, hatch="////")]
        handles[1].set_label(f"inactive: {count - varies.sum()}")
        axes.legend(handles=handles)
    return figure
