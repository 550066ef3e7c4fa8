"""From rows of numbers to one picture made of many.

    pictures  (N, F) -> (N, H, W, 3)   clamped to [0, 1]; grey is three equal channels
    mosaic    (N, H, W, 3) -> (rows (H + gap) - gap, columns (W + gap) - gap, 3)   read left to right, top to bottom, gaps white

One mosaic is one matplotlib image: a hundred pictures are drawn as quickly as one, and nothing can shift between them.
Raises InputError for an image shape that is not an image, or that does not multiply to F.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes

from npae.errors import InputError
from npae.figures.rows import Array
from npae.figures.style import WIDTH, number

ImageShape: TypeAlias = tuple[int, ...]

COLUMNS = 10


def pictures(name: str, x: Array, image_shape: ImageShape) -> tuple[Array, str]:
    """The pictures (N, H, W, 3), and a sentence for the reader when values had to be clamped (else empty)."""
    shape = tuple(image_shape)
    if len(shape) not in (2, 3) or min(shape) < 1 or (len(shape) == 3 and shape[2] not in (1, 3)):
        raise InputError(f"image_shape: {shape}, expected (H, W), (H, W, 1) or (H, W, 3)")
    if math.prod(shape) != x.shape[1]:
        raise InputError(
            f"image_shape: {shape} has {math.prod(shape)} values, but each row of {name} has {x.shape[1]}; "
            "give the shape that the rows were flattened from"
        )
    outside = np.count_nonzero((x < 0) | (x > 1))
    extremes = f"least {number(x.min(), '.3g')}, greatest {number(x.max(), '.3g')}"
    note = f"{name}: {outside:,} of {x.size:,} values outside [0,1] are drawn clamped ({extremes})" if outside else ""
    grey_or_rgb = np.clip(x, 0, 1).reshape(len(x), shape[0], shape[1], -1)
    return np.broadcast_to(grey_or_rgb, (*grey_or_rgb.shape[:3], 3)), note


def gap(height: int, width: int) -> int:
    """White pixels between neighbours: about a fourteenth of a picture."""
    return max(1, round(max(height, width) / 14))


def mosaic(images: Array, columns: int, between: int) -> Array:
    """One picture of all `images`, `columns` a row."""
    n, height, width, channels = images.shape
    n_rows = math.ceil(n / columns)
    page = np.ones((n_rows, height + between, columns, width + between, channels))
    for i, image in enumerate(images):
        page[i // columns, :height, i % columns, :width] = image
    whole = page.reshape(n_rows * (height + between), columns * (width + between), channels)
    return whole[: len(whole) - between, : whole.shape[1] - between]


def inches_per_pixel(columns: int, height: int, width: int, available: float = WIDTH) -> float:
    """So that a row fills `available` inches, but no picture is larger than 1.3 inches."""
    return min(available / (columns * width + (columns - 1) * gap(height, width)), 1.3 / max(height, width))


def show(axes: Axes, page: Array) -> None:
    """Draw a mosaic without frame and ticks."""
    axes.imshow(page)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
