"""The way from one code to another, decoded: along the straight line, and along the arc on which a Gaussian's codes lie.

    linear       z(t) = (1 - t) a + t b
    spherical    z(t) = [ sin((1 - t) w) a + sin(t w) b ] / sin w        w: the angle between a and b;  t = 0 .. 1 in equal steps

The middle of a straight line between two draws of N(0, I) is shorter than nearly any draw; the arc keeps their length.
Sources: Shoemake 1985, "Animating rotation with quaternion curves"; White 2016, "Sampling generative networks".
Raises InputError for codes of different shape, and for an arc between codes of no length or exactly opposite ones, which has no direction.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.images import ImageShape
from npae.figures.labelled_rows import labelled_rows
from npae.figures.rows import Array, positive, rows
from npae.figures.style import number

NEARLY = 1e-6  # radians: below it the arc and the line are the same to seven digits


def linear(a: Array, b: Array, t: Array) -> Array:
    """(T, Z): the straight line from a (Z,) to b (Z,) at the times t (T,)."""
    return np.asarray((1 - t)[:, None] * a + t[:, None] * b)


def spherical(a: Array, b: Array, t: Array) -> Array:
    """(T, Z): the arc from a (Z,) to b (Z,) at the times t (T,); where they point the same way, the line."""
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if not all(lengths):
        raise InputError("spherical interpolation: a code of length 0 has no direction; take another pair, or the straight line alone")
    u, v = a / lengths[0], b / lengths[1]
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))  # exact also where the cosine is 1 to the last digit
    if angle < NEARLY:
        return linear(a, b, t)
    if angle > np.pi - NEARLY:
        raise InputError("spherical interpolation: the two codes point exactly opposite ways, so no arc is the shortest; take another pair")
    return np.asarray((np.sin((1 - t) * angle)[:, None] * a + np.sin(t * angle)[:, None] * b) / np.sin(angle))


def interpolation(
    decode: Callable[[Array], ArrayLike], a: ArrayLike, b: ArrayLike, image_shape: ImageShape, *, steps: int = 11, note: str = ""
) -> Figure:
    """A row of pictures along the line and one along the arc from code a (Z,) to code b (Z,)."""
    start, end = (rows(name, np.atleast_2d(np.asarray(code))) for name, code in (("a", a), ("b", b)))
    if start.shape != end.shape or len(start) != 1:
        raise InputError(f"a: shape {start.shape}, b: shape {end.shape}, expected two codes of the same length")
    t = np.linspace(0, 1, positive("steps", steps, 2))
    ways = {"linear": linear(start[0], end[0], t), "spherical": spherical(start[0], end[0], t)}
    headings = [number(moment, ".2g") for moment in t]
    return labelled_rows({name: decode(z) for name, z in ways.items()}, image_shape, headings=headings, note=note)
