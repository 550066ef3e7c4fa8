"""Binarisation: fixed at a threshold, or drawn with the grey level as probability."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npae.backend import Backend, backend
from npae.data import binarise_dynamic, binarise_fixed
from npae.data.binarise import binarise_batch
from npae.errors import InputError

Array = NDArray[Any]


def _grey(rows: int, columns: int, dtype: str = "float32") -> Array:
    return np.random.default_rng(0).random((rows, columns)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fixed_threshold_keeps_what_is_above_it(dtype: str) -> None:
    x = np.array([[0, 0.5, 0.50001, 1]], dtype=dtype)
    assert binarise_fixed(x).tolist() == [[0, 0, 1, 1]]
    assert binarise_fixed(x, threshold=0).tolist() == [[0, 1, 1, 1]]
    assert binarise_fixed(x).dtype == x.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_grey_level_is_the_probability_of_a_one(dtype: str) -> None:
    levels = np.linspace(0, 1, 21)
    x = np.tile(levels, (20_000, 1)).astype(dtype)
    drawn = binarise_dynamic(x, seed=1, epoch=2, rows=np.arange(len(x)))
    assert set(np.unique(drawn)) == {0, 1}
    assert drawn.dtype == x.dtype
    deviation = np.sqrt(levels * (1 - levels) / len(x))
    assert (np.abs(drawn.mean(axis=0) - levels) <= 5 * deviation + 1e-12).all()  # exact at 0 and at 1


def test_a_row_s_draw_is_the_same_whatever_batch_it_is_in() -> None:
    x = _grey(40, 13)
    whole = binarise_dynamic(x, 5, 3, np.arange(40))
    rows = np.array([31, 2, 17])
    np.testing.assert_array_equal(binarise_dynamic(x[rows], 5, 3, rows), whole[rows])


def test_many_rows_at_once_are_drawn_as_they_are_one_by_one() -> None:
    x = np.full((3000, 100), 0.5)  # more than one block of the draw
    whole = binarise_dynamic(x, 5, 3, np.arange(3000))
    for row in (0, 1309, 1310, 1311, 2999):
        np.testing.assert_array_equal(binarise_dynamic(x[row : row + 1], 5, 3, np.array([row]))[0], whole[row])


def test_another_epoch_or_seed_draws_anew() -> None:
    x, rows = np.full((10, 50), 0.5), np.arange(10)
    first = binarise_dynamic(x, 0, 0, rows)
    for other in (binarise_dynamic(x, 0, 1, rows), binarise_dynamic(x, 1, 0, rows), binarise_dynamic(x, 0, 0, rows + 10)):
        assert 0.3 < (first != other).mean() < 0.7


def test_both_dtypes_draw_the_same_pixels() -> None:
    x, rows = np.array([[0.25, 0.5, 0.75] * 20] * 50, dtype=np.float32), np.arange(50)
    np.testing.assert_array_equal(binarise_dynamic(x, 0, 0, rows), binarise_dynamic(x.astype(np.float64), 0, 0, rows))


def test_the_input_is_left_as_it_was_and_the_backend_s_kernel_is_used() -> None:
    x, rows = _grey(6, 5), np.arange(6)
    before = x.copy()
    np.testing.assert_array_equal(binarise_dynamic(x, 0, 0, rows, backend=Backend()), binarise_dynamic(x, 0, 0, rows))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("computing", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_that_was_checked_before_draws_the_same_pixels_into_an_array_of_its_own(computing: str, dtype: str) -> None:
    x, rows = _grey(6, 5, dtype), np.array([31, 2, 17, 0, 5, 6])
    before = x.copy()
    drawn = binarise_batch(x, 5, 3, rows, backend(computing))
    np.testing.assert_array_equal(drawn, binarise_dynamic(x, 5, 3, rows))
    np.testing.assert_array_equal(x, before)
    assert drawn.dtype == x.dtype


@pytest.mark.parametrize("value", [-0.01, 1.01, 255.0, np.nan])
def test_what_is_not_a_probability_is_refused(value: float) -> None:
    x = np.full((2, 2), 0.5)
    x[1, 1] = value
    with pytest.raises(InputError, match=r"expected probabilities in \[0, 1\]"):
        binarise_fixed(x)
    with pytest.raises(InputError, match=r"expected probabilities in \[0, 1\]"):
        binarise_dynamic(x, 0, 0, np.arange(2))


def test_integers_a_useless_threshold_and_row_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="expected float rows"):
        binarise_fixed(np.zeros((2, 2), dtype=np.uint8))
    with pytest.raises(InputError, match=r"threshold 1\.0 leaves one value only"):
        binarise_fixed(np.zeros((2, 2)), threshold=1.0)
    with pytest.raises(InputError, match="2 rows with 3 row numbers"):
        binarise_dynamic(np.zeros((2, 2)), 0, 0, np.arange(3))
