"""What the tests of the figures share: rows to draw, and a look at the texts of a drawn page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray


@pytest.fixture
def x() -> NDArray[np.float64]:
    """25 pictures of 4 by 3, in [0, 1]."""
    return np.random.default_rng(0).random((25, 12))


@pytest.fixture
def texts() -> Callable[[Figure], list[str]]:
    """The visible texts of a figure."""

    def find(figure: Figure) -> list[str]:
        figure.draw_without_rendering()
        return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]

    return find


@pytest.fixture
def overlapping_texts() -> Callable[[Figure], list[tuple[str, str]]]:
    """Pairs of texts that cover one another on the page, and texts that leave it."""

    def find(figure: Figure) -> list[tuple[str, str]]:
        for _ in range(3):  # as save does
            figure.draw_without_rendering()
        hidden = {id(text) for axes in figure.axes for text in _not_drawn(axes)}
        drawn = [
            (text.get_text(), text.get_window_extent())
            for text in figure.findobj(Text)
            if isinstance(text, Text) and text.get_visible() and text.get_text() and id(text) not in hidden
        ]
        page = figure.bbox
        outside = [(name, "the edge") for name, box in drawn if box.x0 < -1 or box.y0 < -1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1]
        return outside + [(a, b) for (a, first), (b, second) in combinations(drawn, 2) if first.overlaps(second)]

    return find


def _not_drawn(axes: Axes) -> Iterator[Text]:
    """Texts of hidden panels, and of ticks that are kept in memory but lie outside the view."""
    if not axes.get_visible():
        yield from (text for text in axes.findobj(Text) if isinstance(text, Text))
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        places = len(axis.get_majorticklocs()), len(axis.get_minorticklocs())
        for ticks, n in zip((axis.majorTicks, axis.minorTicks), places, strict=True):
            for i, tick in enumerate(ticks):
                if i >= n or not low <= tick.get_loc() <= high:
                    yield from (tick.label1, tick.label2)
