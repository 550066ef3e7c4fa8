"""How well a model rebuilds its data, against the number of latent dimensions, with PCA's line beside it.

    latents (K,) increasing, at least 1      errors (K,)  the model's squared error per feature      pca_errors (K,)  PCA's with as many

A point a model; where the line flattens, more dimensions bring no more. The horizontal axis is logarithmic, the vertical one begins at 0.
Raises InputError for arrays of different length, sizes that do not increase or an error below 0; NonFiniteError for NaN and infinity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.rows import Array, rows
from npae.figures.style import BLUE, FAINT, VERMILION, house_style, new_figure


def sweep(
    latents: Sequence[int],
    errors: ArrayLike,
    pca_errors: ArrayLike,
    *,
    name: str = "model",
    unit: str = "squared error per feature",
) -> Figure:
    """The model's line over PCA's; `name` is what the legend calls the model."""
    sizes = list(latents)
    if not sizes or any(size != int(size) or size < 1 for size in sizes) or sorted(set(sizes)) != sizes:
        raise InputError(f"latents: {sizes}, expected increasing whole numbers of at least 1")
    mine, pca = _errors("errors", errors, len(sizes)), _errors("pca_errors", pca_errors, len(sizes))
    with house_style():
        figure = new_figure(5.6, 3.8)
        axes = figure.subplots()
        axes.plot(sizes, pca, marker="s", linestyle="--", color=VERMILION, label="PCA")
        axes.plot(sizes, mine, marker="o", linestyle="-", color=BLUE, label=name)
        axes.set_xscale("log")
        axes.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
        axes.set_xticks(_apart(sizes), map(str, _apart(sizes)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(0, 1.08 * max(mine.max(), pca.max()) or 1.0)
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.10g}"))
        axes.set(xlabel="latent dimensions", ylabel=unit)
        axes.grid(True)
        for size in sizes:
            axes.axvline(size, color=FAINT, linewidth=0.3, zorder=0.4)
        axes.legend()
    return figure


def _errors(name: str, values: ArrayLike, count: int) -> Array:
    column = np.asarray(values)
    if column.shape != (count,):
        raise InputError(f"{name}: shape {column.shape}, expected ({count},): one for each number of latent dimensions")
    checked = rows(name, column[:, None])[:, 0]
    if checked.min() < 0:
        raise InputError(f"{name}: {checked.min():g} is below 0; give mean squared errors")
    return checked


def _apart(sizes: Sequence[int]) -> list[int]:
    """The sizes whose numbers have room on the axis: each at least a twentieth of its length after the one before, the last always."""
    least = (sizes[-1] / sizes[0]) ** 0.05
    shown = [sizes[-1]]
    for size in reversed(sizes[:-1]):
        if shown[-1] / size >= least:
            shown.append(size)
    return shown[::-1]
