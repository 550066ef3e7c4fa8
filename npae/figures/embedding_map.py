"""Codes laid out on a plane by t-SNE, coloured by class: places (N, 2), labels (N,) or None.

Only who is near whom means something: the axes have no unit, and distances between groups and their sizes say nothing.
Source of the layout: van der Maaten and Hinton 2008, "Visualizing data using t-SNE"; it is computed elsewhere and drawn here.
Raises InputError and NonFiniteError as the scatter figure does.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from npae.figures.scatter import scatter
from npae.figures.style import house_style


def embedding_map(places: ArrayLike, labels: ArrayLike | None, label_names: Sequence[str] | None = None) -> Figure:
    """`places` as points; `label_names[k]` is the name of label k."""
    figure = scatter(places, labels, label_names)
    with house_style():
        axes = figure.axes[0]
        axes.set(xlabel="t-SNE 1 (no unit)", ylabel="t-SNE 2 (no unit)")
        axes.tick_params(length=0, labelbottom=False, labelleft=False)
    return figure
