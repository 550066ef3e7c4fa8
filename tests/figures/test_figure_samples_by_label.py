"""Samples by label: a column a class with its name above, and a grid where there is nothing to sort."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from npae.errors import InputError
from npae.figures.samples_by_label import samples_by_label

Texts = Callable[[Figure], list[str]]


def _page(figure: Figure) -> NDArray[Any]:
    return np.asarray(figure.axes[0].images[0].get_array())


def test_each_class_has_a_column_under_its_name(x: NDArray[np.float64], texts: Texts) -> None:
    figure = samples_by_label(x[:7], [0, 1, 2, 2, 1, 0, 0], (4, 3), ["shoe", "hat", "bag"])
    assert {"shoe", "hat", "bag", "1", "2"} <= set(texts(figure))
    assert "3" not in texts(figure)  # a third shoe, but no third hat
    page = _page(figure)
    between = (page.shape[1] - 9) // 2
    for row, columns in enumerate([(0, 1, 2), (5, 4, 3)]):
        for column, sample in enumerate(columns):
            top, left = row * (4 + (page.shape[0] - 8)), column * (3 + between)
            np.testing.assert_allclose(page[top : top + 4, left : left + 3, 0], x[sample].reshape(4, 3))


def test_without_names_the_labels_are_their_numbers(x: NDArray[np.float64], texts: Texts) -> None:
    assert {"3", "7"} <= set(texts(samples_by_label(x[:4], [3, 7, 3, 7], (4, 3))))


@pytest.mark.parametrize(("labels", "shape"), [([5, 5, 5, 5], (4, 3)), ([0, 1, 0, 1], None)])
def test_one_class_or_rows_that_are_no_images_are_a_grid_of_samples(x: NDArray[np.float64], labels: list[int], shape: Any) -> None:
    assert isinstance(samples_by_label(x[:4], labels, shape), Figure)


def test_labels_that_are_not_one_a_sample_are_refused(x: NDArray[np.float64]) -> None:
    with pytest.raises(InputError, match=r"labels: shape \(3,\) for 4 samples"):
        samples_by_label(x[:4], [0, 1, 2], (4, 3))
