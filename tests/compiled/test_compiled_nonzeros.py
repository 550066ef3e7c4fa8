"""The nonzeros of a data set: in three bytes each where that loses nothing, else as they are."""

from __future__ import annotations

import numpy as np
import pytest

from npae.compiled.nonzeros import COLUMNS, Nonzeros


def images(columns: int) -> np.ndarray:
    x = np.zeros((2, columns), np.float32)
    x[0, 1], x[0, -1], x[1, -2] = np.float32(7) / np.float32(255), 1, np.float32(254) / np.float32(255)
    return x


@pytest.mark.parametrize("columns", [300, COLUMNS])
def test_images_are_kept_in_levels_up_to_the_last_column(columns: int) -> None:
    found = Nonzeros(images(columns))
    assert found.in_levels
    assert (found.index.dtype, found.value.dtype) == (np.uint16, np.uint8)
    assert found.index.tolist() == [1, columns - 1, columns - 2]
    assert found.value.tolist() == [7, 255, 254]
    assert found.bounds.tolist() == [0, 2, 3]


def test_more_columns_than_sixteen_bits_and_other_numbers_are_kept_as_they_are() -> None:
    other = images(300)
    other[1, 5] = 0.5
    for x in (images(COLUMNS + 1), other):
        found = Nonzeros(x)
        assert not found.in_levels
        assert (found.index.dtype, found.value.dtype) == (np.int32, np.float32)
        np.testing.assert_array_equal(found.value, x[x != 0])
        np.testing.assert_array_equal(found.index, np.nonzero(x)[1])


def test_data_without_any_nonzero_have_none() -> None:
    found = Nonzeros(np.zeros((3, 200), np.float32))
    assert found.bounds.tolist() == [0, 0, 0, 0]
    assert len(found.index) == len(found.value) == 0
