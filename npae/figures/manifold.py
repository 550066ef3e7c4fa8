"""The plane of two-dimensional codes, decoded: a grid of codes (grid^2, 2) -> images (grid^2, F), each drawn where its code lies.

    quantiles   z = Phi^-1((i + 0.5) / grid), i = 0 .. grid - 1     each picture stands for the same mass of the prior N(0, I)
    linspace    z = -extent .. extent in equal steps                for a latent space that the prior does not describe

z1 grows to the right and z2 upwards, as in the scatter figure. Codes are given to `decode` row by row of the picture, from the top left.
After Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), figure 4.
Raises InputError for another kind, a grid below 2, an extent that is not positive, and an answer of `decode` that is not
(grid^2, H W C) and finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import ImageShape, mosaic, pictures, show
from npae.figures.rows import Array, positive, rows
from npae.figures.style import house_style, new_figure, number


def manifold(
    decode: Callable[[Array], ArrayLike],
    image_shape: ImageShape,
    *,
    grid: int = 15,
    kind: Literal["quantiles", "linspace"] = "quantiles",
    extent: float = 15.0,
    axis_names: tuple[str, str] = ("z₁", "z₂"),
    note: str = "",
) -> Figure:
    """Pictures of `decode` on a grid of codes, with the codes as ticks; `note` is written under the figure."""
    z = _axis_values(positive("grid", grid, 2), kind, extent)
    z1, z2 = np.meshgrid(z, z[::-1])
    answer = rows("decode(codes)", decode(np.stack([z1.ravel(), z2.ravel()], axis=1)))
    if len(answer) != grid * grid:
        raise InputError(f"decode(codes): {len(answer)} rows for {grid * grid} codes; return one image for each code")
    images, clamped = pictures("decode(codes)", answer, image_shape)
    height, width = images.shape[1:3]
    page = mosaic(images, grid, 1)
    scale = min(7.0 / page.shape[1], 9.0 / page.shape[0])
    with house_style():
        figure = new_figure(scale * page.shape[1] + 0.7, scale * page.shape[0] + 0.5, "; ".join(filter(None, (note, clamped))))
        axes = figure.subplots()
        show(axes, page)
        across = range(0, grid, math.ceil(0.45 / (scale * (width + 1))))  # a label is 0.4 inches wide and 0.15 high
        upwards = range(0, grid, math.ceil(0.2 / (scale * (height + 1))))
        axes.set_xticks([(width + 1) * i + (width - 1) / 2 for i in across], [number(z[i], ".2f") for i in across])
        axes.set_yticks([(height + 1) * (grid - 1 - i) + (height - 1) / 2 for i in upwards], [number(z[i], ".2f") for i in upwards])
        axes.set(xlabel=axis_names[0], ylabel=axis_names[1])
    return figure


def _axis_values(grid: int, kind: str, extent: float) -> Array:
    """The `grid` values of one latent axis, increasing."""
    if kind == "quantiles":
        normal = NormalDist()
        return np.array([normal.inv_cdf((i + 0.5) / grid) for i in range(grid)])
    if kind == "linspace":
        if not (math.isfinite(extent) and extent > 0):
            raise InputError(f"extent: {extent}, expected a positive number")
        return np.linspace(-extent, extent, grid)
    raise InputError(f"kind: {kind!r}, expected 'quantiles' or 'linspace'")
