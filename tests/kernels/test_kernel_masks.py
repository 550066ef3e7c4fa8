"""Comparisons of a row of distances as the bits of an integer, against comparisons one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from npae.kernels.jit import STRICT, jit
from npae.kernels.order_statistic.masks import compare, lowest, ones

Array = np.ndarray[Any, Any]


@jit(STRICT)
def _compare(d2: Array, r: int, low: int, high: int, width: int) -> tuple[int, int]:
    return compare(d2, r, low, high, width)


@jit(STRICT)
def _bits(mask: int) -> tuple[int, int]:
    return ones(mask), lowest(mask)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [1, 17, 63, 64])
def test_bit_j_says_where_distance_j_lies_and_what_is_compared_with_a_nan_is_near(dtype: str, width: int) -> None:
    kind = f"i{np.dtype(dtype).itemsize}"
    d2 = np.random.default_rng(width).integers(0, 20, (3, 64)).astype(dtype)
    d2[1, ::7], d2[1, 1::9], d2[1, ::11] = np.inf, np.nan, -np.nan
    row = d2[1, :width].tolist()

    def pattern(value: float) -> int:
        return int(np.array(value, dtype).view(kind))

    for low, high in ((0.0, 0.0), (0.0, np.nan), (5.0, 5.0), (3.0, 11.0), (19.0, np.inf), (np.inf, np.nan), (np.nan, np.nan)):
        below = sum(1 << j for j, value in enumerate(row) if value < low)
        near = sum(1 << j for j, value in enumerate(row) if not value < low and not value > high)
        assert _compare(d2, 1, pattern(low), pattern(high), width) == (below, near)


@pytest.mark.parametrize("mask", [1, 0b1011000, 1 << 63, (1 << 64) - 1])
def test_the_bits_of_a_mask_are_counted_and_the_lowest_is_found(mask: int) -> None:
    assert _bits(np.uint64(mask)) == (mask.bit_count(), (mask & -mask).bit_length() - 1)
