"""Originals over their reconstructions: x and y (N, F) as pictures, or as one pair of lines a sample when the rows are not images.

Pictures are drawn in [0, 1], black to white; values outside are clamped, and a line under the figure says so.
Raises InputError when x and y differ in shape, are empty, not two-dimensional or not finite, or when image_shape does not multiply to F.
"""

from __future__ import annotations

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import COLUMNS, ImageShape, pictures
from npae.figures.labelled_rows import draw_rows
from npae.figures.profiles import COLUMNS as PROFILE_COLUMNS
from npae.figures.profiles import profiles
from npae.figures.rows import few_rows, positive


def reconstructions(x: ArrayLike, y: ArrayLike, image_shape: ImageShape | None, *, columns: int | None = None, note: str = "") -> Figure:
    """Each original over its reconstruction, `columns` a row (else 10 pairs of pictures, or 4 profiles); `note` stands below."""
    originals, rebuilt = few_rows("originals", x), few_rows("reconstructions", y)
    if originals.shape != rebuilt.shape:
        raise InputError(
            f"reconstructions: shape {rebuilt.shape}, but the originals have {originals.shape}; give one row for each original"
        )
    if image_shape is None:
        named = {"original": originals, "reconstruction": rebuilt}
        return profiles(named, positive("columns", PROFILE_COLUMNS if columns is None else columns), note)
    above, note_above = pictures("originals", originals, image_shape)
    below, note_below = pictures("reconstructions", rebuilt, image_shape)
    columns = min(positive("columns", COLUMNS if columns is None else columns), len(above))
    notes = "; ".join(said for said in (note, note_above, note_below) if said)
    return draw_rows([("original", above), ("reconstruction", below)], columns, None, notes)
