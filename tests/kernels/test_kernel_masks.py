"""Comparisons of a row of patterns as the bits of an integer, against comparisons one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from npae.kernels.jit import STRICT, jit
from npae.kernels.order_statistic.masks import compare, lowest, ones

Array = np.ndarray[Any, Any]


@jit(STRICT)
def _compare(patterns: Array, r: int, low: int, high: int, width: int) -> tuple[int, int]:
    return compare(patterns, r, low, high, width)


@jit(STRICT)
def _bits(mask: int) -> tuple[int, int]:
    return ones(mask), lowest(mask)


@pytest.mark.parametrize("kind", ["int32", "int64"])
@pytest.mark.parametrize("width", [1, 17, 63, 64])
def test_bit_j_says_where_pattern_j_lies_and_sign_bits_count_for_nothing(kind: str, width: int) -> None:
    rng = np.random.default_rng(width)
    largest = int(np.iinfo(kind).max)
    patterns = rng.integers(0, 20, (3, 64)).astype(kind)
    patterns[1, ::7] = largest
    patterns[1, ::5] |= np.iinfo(kind).min
    row = [int(pattern) & largest for pattern in patterns[1, :width]]
    for low, high in ((0, 0), (0, largest), (5, 5), (3, 11), (19, largest), (largest, largest)):
        below = sum(1 << j for j, pattern in enumerate(row) if pattern < low)
        inside = sum(1 << j for j, pattern in enumerate(row) if low <= pattern <= high)
        assert _compare(patterns, 1, low, high, width) == (below, inside)


@pytest.mark.parametrize("mask", [1, 0b1011000, 1 << 63, (1 << 64) - 1])
def test_the_bits_of_a_mask_are_counted_and_the_lowest_is_found(mask: int) -> None:
    assert _bits(np.uint64(mask)) == (mask.bit_count(), (mask & -mask).bit_length() - 1)
