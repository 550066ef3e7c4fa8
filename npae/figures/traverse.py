"""Two latent units on a grid of the prior's quantiles, all others at rest: what each of the two changes in a picture.

    z = rest, but z_i = Phi^-1((c + 0.5) / grid) in column c and z_j likewise upwards        decode(z) (grid^2, F), one picture a code

The rest is 0, the prior's mean, unless another code (Z,) is given. A model that reads labels gets one label for all codes from `decode`.
After the lecture notes' figure "varying latent dimensions and keeping label fixed" (Grosse and Ba).
Raises InputError for units that are not two different ones of the code.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import ImageShape
from npae.figures.manifold import manifold
from npae.figures.rows import Array, rows
from npae.figures.style import unit_name


def traverse(
    decode: Callable[[Array], ArrayLike],
    image_shape: ImageShape,
    *,
    rest: ArrayLike,
    units: tuple[int, int] = (0, 1),
    grid: int = 11,
    note: str = "",
) -> Figure:
    """Pictures of `decode` where units `units` (counted from 0) of the code `rest` (Z,) are replaced."""
    z = rows("rest", np.atleast_2d(np.asarray(rest)))
    across, upwards = units
    if z.shape[0] != 1 or across == upwards or not all(0 <= unit < z.shape[1] for unit in units):
        raise InputError(f"units: {units}, expected two different numbers from 0 to {z.shape[1] - 1}, the units of one code")

    def placed(plane: Array) -> ArrayLike:
        codes = np.repeat(z, len(plane), axis=0)
        codes[:, [across, upwards]] = plane
        return decode(codes)

    return manifold(placed, image_shape, grid=grid, axis_names=(unit_name(across), unit_name(upwards)), note=note)
