"""The histogram of chance and the power curves: what is drawn where, with which words, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from npae.errors import InputError
from npae.figures.null_histogram import null_histogram
from npae.figures.power import power

NULL = np.linspace(-1e-3, 2e-3, 99)
SHARES = {"median distance": {100: [(0.05, 0.01, 0.2), (0.5, 0.4, 0.6)]}, "width of a blob": {100: [(0.06, 0.0, 0.1), (0.9, 0.8, 1.0)]}}


def counts(figure: Figure) -> list[float]:
    """What the bars of each histogram add up to."""
    return [sum(patch.get_height() for patch in container) for container in figure.axes[0].containers]  # type: ignore[attr-defined]


def test_all_relabellings_are_drawn_and_those_as_large_are_marked() -> None:
    figure = null_histogram(NULL, 1.9e-3, 0.05)
    assert counts(figure) == [99, 4]
    (line,) = figure.axes[0].get_lines()
    assert set(np.asarray(line.get_xdata())) == {1.9e-3}
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert words == ["99 random relabellings", "as large as that: 4", "A against B: 0.0019"]
    assert figure.axes[0].get_title(loc="left") == "p = 0.05"


def test_where_no_relabelling_is_as_large_none_is_marked() -> None:
    assert counts(null_histogram(NULL, 0.5, 0.01)) == [99]


def test_one_relabelling_or_many_equal_ones_can_be_drawn() -> None:
    assert counts(null_histogram([0.25], 0.25, 1.0)) == [1, 1]
    assert counts(null_histogram(np.zeros(9), 0.25, 0.1)) == [9]


def test_rows_that_are_images_stand_below_brightest_value_white() -> None:
    rng = np.random.default_rng(0)
    named = {"of A": 255 * rng.random((4, 12)), "of B": 100 * rng.random((4, 12))}
    figure = null_histogram(NULL, 0.5, 0.01, named=named, image_shape=(4, 3))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["p = 0.01", "of A", "of B"]
    white = named["of A"].max()
    for axes, rows in zip(figure.axes[1:], named.values(), strict=True):
        np.testing.assert_allclose(np.asarray(axes.images[0].get_array())[:4, :3, 0], rows[0].reshape(4, 3) / white)
    assert len(null_histogram(NULL, 0.5, 0.01, named=named).axes) == 1


def test_each_bandwidth_is_a_panel_with_a_curve_and_intervals_for_each_n() -> None:
    figure = power(SHARES, (1.0, 2.0), level=0.05)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [f"bandwidth: {name}" for name in SHARES]
    for axes, curves in zip(figure.axes, SHARES.values(), strict=True):
        (curve,) = axes.containers
        line, _, (bars,) = curve  # type: ignore[misc]
        np.testing.assert_allclose(np.asarray(line.get_xydata()), [(1, curves[100][0][0]), (2, curves[100][1][0])])
        np.testing.assert_allclose([segment[:, 1] for segment in bars.get_segments()], [triple[1:] for triple in curves[100]])
        assert axes.get_lines()[0].get_ydata()[0] == 0.05  # type: ignore[index]


def test_no_text_covers_another(overlapping_texts: Callable[[Figure], list[Any]]) -> None:
    named = {"rows of A": np.ones((3, 12)), "rows of B": np.zeros((3, 12))}
    assert overlapping_texts(null_histogram(NULL, 1.9e-3, 0.05, named=named, image_shape=(4, 3))) == []
    assert overlapping_texts(power(SHARES, (1.0, 2.0), level=0.05, note="Blobs")) == []


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="null: nan in row 1"):
        null_histogram([0.0, np.nan], 0.5, 0.5)
    with pytest.raises(InputError, match=r"image_shape: \(5, 5\) has 25 values"):
        null_histogram(NULL, 0.5, 0.5, named={"a": np.ones((2, 12))}, image_shape=(5, 5))
    with pytest.raises(InputError, match="no panel"):
        power({}, (1.0,), level=0.05)
    with pytest.raises(InputError, match=r"median distance, n = 100: shape \(2, 3\), expected \(3, 3\)"):
        power(SHARES, (1.0, 2.0, 3.0), level=0.05)
