"""The scatter of codes: points, colours, the colour bar and the prior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from npae.errors import InputError, NonFiniteError
from npae.figures.scatter import scatter
from npae.figures.style import BLUE, CLASS_COLOURS

Z = np.random.default_rng(0).standard_normal((60, 2))
TEN = np.arange(60) % 10


def points(figure: Figure) -> PathCollection:
    """The points of the figure."""
    (found,) = (artist for artist in figure.axes[0].collections if isinstance(artist, PathCollection))
    return found


def colours(figure: Figure) -> list[str]:
    """The colours of the points, in the order in which they are drawn."""
    return [to_hex(colour) for colour in np.asarray(points(figure).get_facecolor()).tolist()]


def colour_of(figure: Figure, code: Any) -> str:
    """The colour of the point that lies at `code`."""
    (i,) = np.flatnonzero((np.asarray(points(figure).get_offsets()) == code).all(axis=1))
    return colours(figure)[i]


def test_every_code_is_drawn_at_equal_scale_with_labelled_axes() -> None:
    figure = scatter(Z, None)
    assert set(map(tuple, np.asarray(points(figure).get_offsets()))) == set(map(tuple, Z))
    axes = figure.axes[0]
    assert axes.get_aspect() == 1
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z₁", "z₂")


def test_without_labels_there_is_one_colour_and_no_colour_bar() -> None:
    figure = scatter(Z, None, ["of a data set", "whose labels are unknown here"])
    assert len(figure.axes) == 1
    assert set(colours(figure)) == {BLUE}


def test_each_code_has_the_colour_of_its_class() -> None:
    figure = scatter(Z, TEN)
    for i in range(60):
        assert colour_of(figure, Z[i]) == CLASS_COLOURS[TEN[i]]


def test_a_class_keeps_its_colour_when_others_are_missing() -> None:
    assert colour_of(scatter(Z[:2], [3, 8]), Z[1]) == CLASS_COLOURS[8]


def test_classes_with_other_numbers_get_the_first_colours() -> None:
    figure = scatter(Z[:3], [-1, 1999, 12])
    assert [colour_of(figure, Z[i]) for i in range(3)] == [CLASS_COLOURS[0], CLASS_COLOURS[2], CLASS_COLOURS[1]]


def test_the_colour_bar_has_one_step_a_class_and_carries_the_names() -> None:
    names = [f"kind {k}, $5 to $10" for k in range(10)]
    bar = scatter(Z, TEN, names).axes[1]
    assert [label.get_text() for label in bar.get_yticklabels()] == names
    assert not any(label.get_parse_math() for label in bar.get_yticklabels())  # else "$5 to $" would be set as a formula
    assert [label.get_text() for label in scatter(Z[:3], [7, 7, 2]).axes[1].get_yticklabels()] == ["2", "7"]


@pytest.mark.parametrize("labels", [np.arange(60), np.linspace(0, 1, 60)])
def test_more_than_ten_classes_and_measurements_get_a_continuous_scale(labels: Any) -> None:
    figure = scatter(Z, labels)
    assert len(set(colours(figure))) > 50
    assert figure.axes[1].get_ylabel() == "label"


def test_names_of_many_classes_are_written_as_far_as_they_fit() -> None:
    bar = scatter(Z, np.arange(60), [f"kind {k}" for k in range(60)]).axes[1]
    assert [label.get_text() for label in bar.get_yticklabels()] == [f"kind {k}" for k in range(0, 60, 2)]


def test_data_sorted_by_class_do_not_hide_the_first_class() -> None:
    drawn = colours(scatter(Z, np.sort(TEN)))
    assert drawn != sorted(drawn, key=CLASS_COLOURS.index)


def test_the_prior_is_two_circles_inside_the_view() -> None:
    assert not scatter(Z, None).axes[0].patches
    axes = scatter(Z * 0.01, TEN, prior=True).axes[0]
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    assert [(circle.center, circle.radius) for circle in circles] == [((0, 0), 1), ((0, 0), 2)]
    assert axes.get_xlim()[0] < -2
    assert axes.get_ylim()[1] > 2


def test_many_points_are_one_image_in_an_svg() -> None:
    many = np.random.default_rng(1).standard_normal((2001, 2))
    assert points(scatter(many, None)).get_rasterized()
    assert not points(scatter(Z, None)).get_rasterized()


def test_a_single_code_is_shown_with_room_around_it() -> None:
    axes = scatter([[5.0, -3.0]], None).axes[0]
    assert axes.get_xlim()[1] - axes.get_xlim()[0] >= 2
    assert axes.get_ylim()[0] < -3 < axes.get_ylim()[1]


@pytest.mark.parametrize("n", [1, 3, 60])
def test_the_words_do_not_collide(n: int, overlapping_texts: Callable[[Figure], object]) -> None:
    assert overlapping_texts(scatter(Z[:n], TEN[:n], ["a rather long name"] * 10, prior=True)) == []
    assert overlapping_texts(scatter(Z[:n], np.arange(n), [f"kind {k}" for k in range(60)])) == []
    assert overlapping_texts(scatter(Z[:n] * 1e4, np.linspace(0, 1e6, n), prior=False)) == []


@pytest.mark.parametrize(
    ("codes", "labels", "names", "message"),
    [
        (np.zeros((3, 3)), None, None, r"codes: shape \(3, 3\), expected \(N, 2\)"),
        (np.zeros(2), None, None, r"codes: shape \(2,\)"),
        (np.zeros((0, 2)), None, None, r"codes: shape \(0, 2\)"),
        (Z[:3], [1, 2], None, r"labels: shape \(2,\), expected \(3,\)"),
        (Z[:3], [[1], [2], [3]], None, r"labels: shape \(3, 1\), expected \(3,\)"),
        (Z[:3], ["a", "b", "c"], None, "labels: dtype"),
        (Z[:3], [0, 1, 2], ["zero", "one"], "2 names, but a label is 2"),
        (Z[:3], [-1, 0, 1], ["zero", "one"], "2 names, but a label is -1"),
        (Z[:3], [0, 0.5, 1], ["zero", "one"], r"2 names, but a label is 0\.5"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(codes: Any, labels: Any, names: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        scatter(codes, labels, names)
    assert "\n" not in str(caught.value)


def test_a_code_or_a_label_that_is_not_finite_is_refused() -> None:
    with pytest.raises(NonFiniteError, match="codes: inf in row 1, column 0"):
        scatter([[0.0, 0.0], [np.inf, 0.0]], None)
    with pytest.raises(NonFiniteError, match="labels: nan in row 1"):
        scatter(Z[:2], [0.0, np.nan])
