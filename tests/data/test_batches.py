"""Batches: every row once an epoch, an order that depends on seed and epoch alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from npae.data import batch_count, batch_indices
from npae.errors import InputError

Array = NDArray[Any]


def _order(n: int, seed: int, epoch: int) -> Array:
    (order,) = batch_indices(n, n, seed=seed, epoch=epoch, shuffle=True, drop_last=False)
    return order


@settings(deadline=None, max_examples=100)
@given(
    n=st.integers(1, 300),
    batch_size=st.integers(1, 320),
    seed=st.integers(0, 2**64 - 1),
    epoch=st.integers(0, 2**32 - 1),
    shuffle=st.booleans(),
)
def test_every_row_comes_exactly_once_an_epoch(n: int, batch_size: int, seed: int, epoch: int, shuffle: bool) -> None:
    batches = list(batch_indices(n, batch_size, seed=seed, epoch=epoch, shuffle=shuffle, drop_last=False))
    assert len(batches) == batch_count(n, batch_size, False)
    assert all(batch.dtype == np.int64 for batch in batches)
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert 0 < len(batches[-1]) <= batch_size
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))


def test_an_incomplete_last_batch_is_dropped_when_asked() -> None:
    batches = list(batch_indices(60000, 128, seed=0, epoch=0, shuffle=False, drop_last=True))
    assert len(batches) == batch_count(60000, 128, True) == 468
    assert {len(batch) for batch in batches} == {128}
    np.testing.assert_array_equal(np.concatenate(batches), np.arange(468 * 128))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    np.testing.assert_array_equal(_order(1000, 3, 5), _order(1000, 3, 5))
    assert (_order(1000, 3, 5) != _order(1000, 3, 6)).any()
    assert (_order(1000, 3, 5) != _order(1000, 4, 5)).any()
    whole = _order(1000, 3, 5)
    split = np.concatenate(list(batch_indices(1000, 7, seed=3, epoch=5, shuffle=True, drop_last=False)))
    np.testing.assert_array_equal(split, whole)


def test_the_order_is_that_of_the_philox_words_of_each_row() -> None:
    words = np.empty((50, 2), dtype=np.uint32)
    from npae.kernels.registry import resolve

    resolve("philox_bits", "reference")(9, 1, 2, np.arange(50), words)  # stream SHUFFLE = 1, step = epoch
    keys = [(int(high) << 32) + int(low) for high, low in words]
    assert _order(50, 9, 2).tolist() == sorted(range(50), key=keys.__getitem__)


def test_every_row_is_equally_likely_in_every_place() -> None:
    n, epochs = 8, 4000
    counts = np.zeros((n, n))
    for epoch in range(epochs):
        counts[np.arange(n), _order(n, 0, epoch)] += 1
    expected = epochs / n
    chi2 = ((counts - expected) ** 2 / expected).sum()
    degrees = (n - 1) ** 2
    assert abs(chi2 - degrees) < 5 * np.sqrt(2 * degrees)


@pytest.mark.parametrize(
    ("n", "batch_size", "drop_last", "complaint"),
    [
        (0, 1, False, "0 rows make no batch"),
        (5, 0, False, "batch size 0 is not a positive number"),
        (5, -2, True, "batch size -2"),
        (5, 6, True, "batch size 6 is larger than the 5 rows.*--batch-size 5 or less"),
    ],
)
def test_sizes_that_make_no_batch_are_refused(n: int, batch_size: int, drop_last: bool, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        batch_indices(n, batch_size, seed=0, epoch=0, shuffle=True, drop_last=drop_last)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True])
def test_a_seed_that_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(InputError, match="seed"):
        batch_indices(5, 2, seed=seed, epoch=0, shuffle=True, drop_last=False)
