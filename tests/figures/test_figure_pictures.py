"""Reconstructions and samples: where each picture lies on the page, what is said when values are clamped, and profiles for other data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from npae.errors import InputError, NonFiniteError
from npae.figures.reconstructions import reconstructions
from npae.figures.samples import samples

X = NDArray[np.float64]
GAP = 1  # white pixels between pictures of 4 by 3


def page(figure: Figure) -> NDArray[Any]:
    """The one image of the figure."""
    (image,) = figure.axes[0].get_images()
    return np.asarray(image.get_array())


def test_samples_lie_in_reading_order_with_white_between(x: X) -> None:
    drawn = page(samples(x[:7], (4, 3), columns=3))
    assert drawn.shape == (3 * 4 + 2 * GAP, 3 * 3 + 2 * GAP, 3)
    for i in range(7):
        top, left = (i // 3) * (4 + GAP), (i % 3) * (3 + GAP)
        for channel in range(3):
            np.testing.assert_array_equal(drawn[top : top + 4, left : left + 3, channel], x[i].reshape(4, 3))
    assert (drawn[4] == 1).all()
    assert (drawn[10:, 4:] == 1).all()


@pytest.mark.parametrize(("n", "across", "down"), [(1, 1, 1), (3, 3, 1), (10, 10, 1), (11, 10, 2), (100, 10, 10)])
def test_ten_samples_stand_in_a_row(x: X, n: int, across: int, down: int) -> None:
    drawn = page(samples(np.resize(x, (n, 12)), (4, 3)))
    assert drawn.shape[:2] == (down * 4 + (down - 1) * GAP, across * 3 + (across - 1) * GAP)


def test_each_reconstruction_lies_under_its_original_and_rows_are_labelled(x: X) -> None:
    y = 1 - x
    figure = reconstructions(x[:5], y[:5], (4, 3), columns=3)
    drawn = page(figure)[..., 0]
    assert drawn.shape == (4 * 4 + 2 * GAP + 3 * GAP, 3 * 3 + 2 * GAP)
    tops = [0, 4 + GAP, 8 + 4 * GAP, 12 + 5 * GAP]
    for i in range(5):
        left = (i % 3) * (3 + GAP)
        for values, top in ((x, tops[2 * (i // 3)]), (y, tops[2 * (i // 3) + 1])):
            np.testing.assert_array_equal(drawn[top : top + 4, left : left + 3], values[i].reshape(4, 3))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["original", "reconstruction"] * 2
    np.testing.assert_array_equal(axes.get_yticks(), np.array(tops) + 1.5)


def test_colour_pictures_keep_their_channels() -> None:
    x = np.random.default_rng(1).random((2, 2 * 5 * 3))
    drawn = page(samples(x, (2, 5, 3)))
    np.testing.assert_array_equal(drawn[:, 6:], x[1].reshape(2, 5, 3))


def test_one_channel_is_grey(x: X) -> None:
    np.testing.assert_array_equal(page(samples(x, (4, 3, 1))), page(samples(x, (4, 3))))


def test_values_outside_0_and_1_are_clamped_and_it_is_said_once(
    x: X, texts: Callable[[Figure], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    y = x.copy()
    y[0, 0], y[1, 1] = -0.25, 1.5
    figure = reconstructions(x, y, (4, 3))
    drawn = page(figure)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    said = " ".join(texts(figure)).replace("\n", " ")
    assert "reconstructions: 2 of 300 values outside [0,1] are drawn clamped (least −0.25, greatest 1.5)" in said
    assert "originals:" not in said
    assert not caplog.records  # matplotlib clips too, and complains in the log


def test_nothing_is_said_when_nothing_is_clamped(x: X, texts: Callable[[Figure], list[str]]) -> None:
    assert not any("clamped" in text for text in texts(reconstructions(x, x, (4, 3))) + texts(samples(x, (4, 3))))


@pytest.mark.parametrize("n", [1, 3, 25])
def test_the_words_of_small_and_large_pages_do_not_collide(x: X, n: int, overlapping_texts: Callable[[Figure], object]) -> None:
    wild = 3 * x[:n] - 1
    for figure in (reconstructions(wild, wild, (4, 3)), samples(wild, (4, 3)), reconstructions(x[: min(n, 5)], wild[:5], None)):
        assert overlapping_texts(figure) == []


@pytest.mark.parametrize(("n", "panels"), [(1, 1), (3, 3), (4, 4), (6, 6)])
def test_rows_that_are_not_images_are_drawn_as_two_lines_a_sample_without_clamping(x: X, n: int, panels: int) -> None:
    y = 5 * x - 2
    figure = reconstructions(x[:n], y[:n], None)
    assert len(figure.axes) == panels
    for i, axes in enumerate(figure.axes):
        original, rebuilt = axes.get_lines()
        np.testing.assert_array_equal(original.get_ydata(), x[i])
        np.testing.assert_array_equal(rebuilt.get_ydata(), y[i])
        assert original.get_linestyle() != rebuilt.get_linestyle()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["original", "reconstruction"]


def test_all_profiles_share_their_limits_and_four_stand_in_a_row(x: X) -> None:
    figure = samples(x[:6] * np.arange(1, 7)[:, None], None)
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes}) == 1
    assert figure.axes[0].get_gridspec().ncols == 4  # type: ignore[union-attr]
    low, high = figure.axes[0].get_ylim()
    assert low < x[:6].min()
    assert high > 6 * x[5].max()


def test_a_single_feature_is_seen_as_a_point() -> None:
    (line,) = samples(np.array([[3.0]]), None).axes[0].get_lines()
    assert line.get_marker() == "o"


@pytest.mark.parametrize(
    ("x", "shape", "message"),
    [
        (np.zeros((2, 12)), (5, 3), r"image_shape: \(5, 3\) has 15 values, but each row of samples has 12"),
        (np.zeros((2, 12)), (12,), r"image_shape: \(12,\), expected"),
        (np.zeros((2, 12)), (3, 2, 2), r"image_shape: \(3, 2, 2\), expected"),
        (np.zeros((2, 12)), (-4, -3), r"image_shape: \(-4, -3\), expected"),
        (np.zeros((0, 12)), (4, 3), r"samples: shape \(0, 12\)"),
        (np.zeros((2, 4, 3)), (4, 3), r"samples: shape \(2, 4, 3\)"),
        (np.zeros((2, 12), dtype=complex), (4, 3), "samples: dtype complex128"),
        (np.full((2, 12), "a"), (4, 3), "samples: dtype"),
        (np.zeros((1001, 12)), (4, 3), "samples: 1001 samples, at most 1000"),
    ],
)
def test_samples_that_cannot_be_drawn_are_refused_in_one_line(x: X, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        samples(x, shape)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(4, 3), None])
def test_a_value_that_is_not_finite_is_named_by_its_place(x: X, shape: tuple[int, int] | None) -> None:
    x[3, 7] = np.nan
    with pytest.raises(NonFiniteError, match="reconstructions: nan in row 3, column 7"):
        reconstructions(np.zeros_like(x), x, shape)


def test_originals_and_reconstructions_of_different_number_are_refused(x: X) -> None:
    with pytest.raises(InputError, match=r"reconstructions: shape \(4, 12\), but the originals have \(5, 12\)"):
        reconstructions(x[:5], x[:4], (4, 3))


@pytest.mark.parametrize("columns", [0, -1, 2.5, True])
@pytest.mark.parametrize("shape", [(4, 3), None])
def test_a_number_of_columns_that_is_none_is_refused(x: X, columns: Any, shape: tuple[int, int] | None) -> None:
    with pytest.raises(InputError, match="columns"):
        samples(x, shape, columns=columns)
    with pytest.raises(InputError, match="columns"):
        reconstructions(x, x, shape, columns=columns)
