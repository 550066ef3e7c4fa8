"""Rows that train are known by their places in the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from npae.data import Dataset
from npae.training.split import places, split

X = np.arange(120, dtype=np.float32).reshape(60, 2)
LABELS = np.arange(60) % 3


def data(**parts: Any) -> Dataset:
    """60 rows, no two alike."""
    test = parts.get("test")
    return Dataset("small", "here", X, LABELS, test, None if test is None else LABELS, None, None, {"kind": "none"}, ["a", "b", "c"], "")


@pytest.mark.parametrize("keep", [None, [1], [0, 2]])
@pytest.mark.parametrize("held", [0.3, 0.5, "auto", "none"])
def test_the_row_at_a_place_is_the_row_that_trains(held: str | float, keep: list[int] | None) -> None:
    where, train = places(data(), held, 7, keep), split(data(), held, 7, keep).train
    np.testing.assert_array_equal(X[where], train.rows)
    np.testing.assert_array_equal(LABELS[where], train.labels)
    assert (len(where) == 60) == (held == "none" and keep is None)


def test_with_test_rows_every_row_trains() -> None:
    np.testing.assert_array_equal(places(data(test=X), "auto", 0), np.arange(60))
