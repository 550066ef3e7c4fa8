"""The nonzeros of a data set: in three bytes each where that loses nothing, else as they are."""

from __future__ import annotations

import numpy as np
import pytest

from npae.compiled.buffers import address
from npae.compiled.lowering import Lowering
from npae.compiled.nonzeros import COLUMNS, Nonzeros
from npae.compiled.objectives import lower
from npae.compiled.updates import scratch_bytes
from npae.kernels.entry import Entry
from npae.kernels.step.codes import AHEAD, AT_A_TIME, BLOCK, HEAD, MOMENT, ORDER, WORD
from npae.kernels.step.marks import words_of
from npae.kernels.step.operations import GatherSparse
from npae.kernels.step.table import encode
from npae.models import AE


def images(columns: int) -> np.ndarray:
    x = np.zeros((2, columns), np.float32)
    x[0, 1], x[0, -1], x[1, -2] = np.float32(7) / np.float32(255), 1, np.float32(254) / np.float32(255)
    return x


@pytest.mark.parametrize("columns", [300, COLUMNS])
def test_images_are_kept_in_levels_up_to_the_last_column(columns: int) -> None:
    found = Nonzeros(images(columns))
    assert found.in_levels
    assert (found.index.dtype, found.value.dtype) == (np.uint16, np.uint8)
    assert len(found.index) == len(found.value) == 3 + AT_A_TIME
    assert found.index[:3].tolist() == [1, columns - 1, columns - 2]
    assert found.value[:3].tolist() == [7, 255, 254]
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
    assert not found.index.any()
    assert not found.value.any()


def test_a_block_of_rows_full_of_nonzeros_writes_nothing_where_the_next_block_begins() -> None:
    features, x = 70, np.ones((2, 70), np.float32)
    data, gathered, order = Nonzeros(x), np.full((3, features), np.nan, np.float32), np.array([1, 0])
    indices, values, starts = np.full(3 * features, -1, np.int32), np.full(3 * features, -1, np.float32), np.zeros((3, 2), np.int64)
    places = [address(array) for array in (indices, values, starts)]
    program, numbers = encode([GatherSparse(features, address(gathered), data.blocks, *data.fields, *places)])
    moment = np.zeros(MOMENT, np.int64)
    moment[[ORDER, AHEAD]] = address(order)
    Entry("npae.kernels.step.gather:gather_sparse", 5)("float32", address(program), address(numbers), 0, 2, address(moment))
    assert indices.tolist() == [*range(features), *range(features), *[-1] * features]
    assert values.tolist() == [1.0] * 2 * features + [-1.0] * features
    np.testing.assert_array_equal(gathered[:2], x)
    assert np.isnan(gathered[2]).all()


@pytest.mark.parametrize("batch", [2, 64, 5000, 20001])
def test_a_thread_has_room_for_the_marks_of_a_block_of_columns(batch: int) -> None:
    data = images(300)
    lowering = Lowering(AE(300, hidden=(5,), latent=2, dtype="float32", backend="numba"), data, batch, Nonzeros(data))
    lower(lowering)
    assert scratch_bytes(lowering) >= HEAD + BLOCK * words_of(batch) * WORD // 8
