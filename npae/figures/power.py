"""The power of a test against how far two distributions are apart: a panel for each way to choose the bandwidth, a curve for each n.

    shares {"median distance": {100: [(share, low, high), ...], ...}, ...}      one triple for each of the values on the horizontal axis

Bars are the intervals; the dotted line is the level, where a test that sees nothing lies.
Raises InputError for no panel and for a curve that has not one triple for each value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from npae.errors import InputError
from npae.figures.rows import rows
from npae.figures.style import CLASS_COLOURS, FAINT, WIDTH, house_style, new_figure

Curve = Sequence[tuple[float, float, float]]
MARKERS = "osD^v*"


def power(shares: Mapping[str, Mapping[int, Curve]], apart: Sequence[float], *, level: float, note: str = "") -> Figure:
    """Shares of rejections; the first value of `apart` is that of no difference."""
    if not shares:
        raise InputError("shares: no panel, expected at least one bandwidth")
    with house_style():
        figure = new_figure(WIDTH, 3.3, note)
        panels = figure.subplots(1, len(shares), sharey=True, squeeze=False)[0]
        for axes, (name, curves) in zip(panels, shares.items(), strict=True):
            axes.axhline(level, color=FAINT, linestyle=":", label=f"level {level:g}")
            for i, (n, curve) in enumerate(curves.items()):
                triples = rows(f"{name}, n = {n}", np.asarray(curve))
                if triples.shape != (len(apart), 3):
                    raise InputError(f"{name}, n = {n}: shape {triples.shape}, expected ({len(apart)}, 3): share, low, high for each value")
                share, low, high = triples.T
                axes.errorbar(
                    apart,
                    share,
                    (share - low, high - share),
                    color=CLASS_COLOURS[i],
                    marker=MARKERS[i % len(MARKERS)],
                    capsize=2.0,
                    elinewidth=0.8,
                    label=f"n = {n:,}",
                )
            axes.set(title=f"bandwidth: {name}", xlabel="ratio of eigenvalues (1: no difference)", ylim=(-0.02, 1.02))
            axes.grid(True)
        panels[0].set_ylabel("share of tests that reject")
        panels[0].legend(loc="upper left")
    return figure
