"""What chance alone gives, and what was seen: MMD^2 under random relabellings (N,) as a histogram, the observed one as a line.

    named {"rows of A least like B": (k, F), "rows of B least like A": (k, F)}        pictures below it, where the rows are images

Pictures are drawn from 0, black, to the largest value of all of them, white, or to 1 where none is larger.
Raises InputError for no relabelling, an image_shape that does not multiply to F, and what is not finite.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.figures.images import ImageShape, gap, inches_per_pixel, mosaic, pictures, show
from npae.figures.rows import Array, few_rows, rows
from npae.figures.style import BLUE, FAINT, VERMILION, WIDTH, house_style, new_figure, number

HEIGHT = 2.6  # inches of the histogram
BINS = 40


def null_histogram(
    null: ArrayLike, observed: float, p_value: float, *, named: Mapping[str, ArrayLike] | None = None, image_shape: ImageShape | None = None
) -> Figure:
    """The histogram, and rows of the two samples as pictures where there is an image shape."""
    values = rows("null", np.asarray(null)[:, None])[:, 0]
    rows("observed", [[observed]])
    pages, note = _pages(named or {}, image_shape) if image_shape is not None else ({}, "")
    heights = [HEIGHT, *(inches + 0.3 for _, inches in pages.values())]
    with house_style():
        figure = new_figure(WIDTH, sum(heights), note)
        axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        _histogram(axes[0], values, observed, p_value)
        for ax, (name, (page, _)) in zip(axes[1:], pages.items(), strict=True):
            show(ax, page)
            ax.set_title(name)
    return figure


def _histogram(axes: Axes, values: Array, observed: float, p_value: float) -> None:
    as_large = np.sort(values)[::-1][: round(p_value * (1 + len(values))) - 1]
    edges = np.histogram_bin_edges(values, BINS).tolist()
    axes.hist(values, edges, color=FAINT, label=f"{len(values):,} random relabellings")
    if len(as_large):
        axes.hist(as_large, edges, color=BLUE, label=f"as large as that: {len(as_large):,}")
    axes.axvline(observed, color=VERMILION, linewidth=2.0, label=f"A against B: {number(observed, '.3g')}")
    axes.set(xlabel="MMD²: how far the two groups are apart", ylabel="relabellings", title=f"p = {number(p_value, '.3g')}")
    axes.legend(loc="best")


def _pages(named: Mapping[str, ArrayLike], image_shape: ImageShape) -> tuple[dict[str, tuple[Array, float]], str]:
    """One row of pictures for each name, its height in inches, and what the reader must know about the grey levels."""
    arrays = {name: few_rows(name, values) for name, values in named.items()}
    white = max(float(array.max()) for array in arrays.values())
    pages, notes = {}, []
    for name, array in arrays.items():
        images, note = pictures(name, array / white if white > 1 else array, image_shape)
        height, width = images.shape[1:3]
        page = mosaic(images, len(images), gap(height, width))
        pages[name] = page, inches_per_pixel(len(images), height, width) * page.shape[0]
        notes.append(note)
    return pages, "; ".join(note for note in notes if note)
