"""Rows of pictures with names, and blocks of them side by side: where each picture lies, and which word stands beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from npae.errors import InputError, NonFiniteError
from npae.figures.beside import beside
from npae.figures.labelled_rows import labelled_rows

X = NDArray[np.float64]
GAP = 1  # white pixels between pictures of 4 by 3


def pages(figure: Figure) -> list[X]:
    """The one picture of each panel, one channel of it."""
    return [np.asarray(axes.get_images()[0].get_array())[..., 0] for axes in figure.axes if axes.get_images()]


def test_each_array_is_a_row_in_the_order_given_under_its_headings(x: X) -> None:
    arrays = {"noisy": x[:5], "denoised": x[5:10], "clean": x[10:15]}
    figure = labelled_rows(arrays, (4, 3), headings=["a", "b", "c", "d", "e"])
    (page,) = pages(figure)
    assert page.shape == (3 * 4 + 2 * GAP, 5 * 3 + 4 * GAP)
    for row, values in enumerate(arrays.values()):
        for column in range(5):
            top, left = row * (4 + GAP), column * (3 + GAP)
            np.testing.assert_array_equal(page[top : top + 4, left : left + 3], values[column].reshape(4, 3))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["noisy", "denoised", "clean"]
    np.testing.assert_array_equal(axes.get_yticks(), [1.5, 6.5, 11.5])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c", "d", "e"]
    np.testing.assert_array_equal(axes.get_xticks(), [1, 5, 9, 13, 17])


def test_without_headings_long_rows_are_broken_into_blocks_that_keep_their_names(x: X) -> None:
    figure = labelled_rows({"a": x, "b": 1 - x}, (4, 3), columns=10)
    (page,) = pages(figure)
    assert page.shape == (6 * 4 + 3 * GAP + 2 * 3 * GAP, 10 * 3 + 9 * GAP)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"] * 3
    np.testing.assert_array_equal(page[12 : 12 + 4, :3], x[10].reshape(4, 3))


def test_a_note_and_what_was_clamped_stand_below(x: X, texts: Callable[[Figure], list[str]]) -> None:
    said = " ".join(texts(labelled_rows({"wild": 3 * x[:2]}, (4, 3), note="label 3"))).replace("\n", " ")
    assert "wild: " in said
    assert "drawn clamped" in said
    assert "label 3" in said


def test_the_words_do_not_collide(x: X, overlapping_texts: Callable[[Figure], object]) -> None:
    for n in (1, 4):
        assert (
            overlapping_texts(labelled_rows({"spherical": x[:n], "linear": x[:n]}, (4, 3), headings=[f"{i / 10}" for i in range(n)])) == []
        )
        assert overlapping_texts(beside({f"run-{k}": 3 * x[:9] for k in range(n + 1)}, (4, 3), note="a word about all of them")) == []


def test_headings_that_are_too_long_are_slanted_and_stay_on_the_page(x: X) -> None:
    figure = labelled_rows({"z": x[:10]}, (4, 3), headings=["Ankle boot and more"] * 10)
    for _ in range(3):
        figure.draw_without_rendering()
    labels = figure.axes[0].get_xticklabels()
    assert {label.get_rotation() for label in labels} == {40}
    for label in labels[:9]:
        box = label.get_window_extent()
        assert box.y1 <= figure.bbox.y1 + 1


@pytest.mark.parametrize(
    ("named", "options", "message"),
    [
        ({}, {}, "named: no rows of pictures"),
        ({"a": np.zeros((2, 12)), "b": np.zeros((3, 12))}, {}, r"b: shape \(3, 12\), but a has \(2, 12\)"),
        ({"a": np.zeros((2, 12))}, {"headings": ["one"]}, "headings: 1 for 2 columns"),
        ({"a": np.zeros((2, 12))}, {"columns": 0}, "columns: 0, expected an integer"),
        ({"a": np.zeros((2, 13))}, {}, r"image_shape: \(4, 3\) has 12 values, but each row of a has 13"),
    ],
)
def test_rows_that_do_not_fit_are_refused(named: dict[str, X], options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        labelled_rows(named, (4, 3), **options)  # type: ignore[arg-type]


def test_a_value_that_is_not_finite_is_named() -> None:
    with pytest.raises(NonFiniteError, match="b: nan in row 1, column 2"):
        labelled_rows({"a": np.zeros((2, 12)), "b": np.where(np.arange(24).reshape(2, 12) == 14, np.nan, 0)}, (4, 3))


def test_blocks_stand_side_by_side_with_their_names_and_are_about_square(x: X) -> None:
    figure = beside({"vae": x[:9], "gan": 1 - x[:9]}, (4, 3))
    left, right = pages(figure)
    assert left.shape == right.shape == (3 * 4 + 2 * GAP, 3 * 3 + 2 * GAP)
    np.testing.assert_array_equal(left[:4, :3], x[0].reshape(4, 3))
    np.testing.assert_array_equal(right[5:9, 4:7], (1 - x[4]).reshape(4, 3))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["vae", "gan"]


@pytest.mark.parametrize(("blocks", "visible", "rows"), [(2, 2, 1), (4, 4, 1), (5, 5, 2), (8, 8, 2)])
def test_more_than_four_blocks_stand_in_two_rows(x: X, blocks: int, visible: int, rows: int) -> None:
    figure = beside({f"run {k}": x[:4] for k in range(blocks)}, (4, 3))
    assert sum(axes.get_visible() for axes in figure.axes) == visible
    assert figure.axes[0].get_gridspec().nrows == rows  # type: ignore[union-attr]


def test_one_block_or_blocks_of_different_size_are_refused(x: X) -> None:
    with pytest.raises(InputError, match="1 block of pictures: at least 2"):
        beside({"vae": x}, (4, 3))
    with pytest.raises(InputError, match=r"gan: shape \(3, 12\), but vae has \(4, 12\)"):
        beside({"vae": x[:4], "gan": x[:3]}, (4, 3))
