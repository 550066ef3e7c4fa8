"""The memory of a compiled step: zeros, each array on cache lines of its own, whatever it takes."""

from __future__ import annotations

import itertools
import mmap
from typing import Any

import numpy as np
import pytest

from npae.compiled import buffers
from npae.compiled.buffers import LINE, REGION, Buffers, on_lines


def test_arrays_are_zeros_on_lines_of_their_own_with_some_numbers_behind_each() -> None:
    made = Buffers(np.dtype("float32"))
    sizes = [1, 15, 16, 17, REGION // 8, REGION // 4, 3]  # the last but one fills a region alone
    arrays = [made.array(f"{k}", size, np.float32) for k, size in enumerate(sizes)]
    for array, size in zip(arrays, sizes, strict=True):
        assert array.shape == (size,)
        assert array.ctypes.data % LINE == 0
        assert not array.any()
        array[:] = 1 + len(array)
    spans = sorted((array.ctypes.data, array.nbytes) for array in arrays)
    for (first, length), (following, _) in itertools.pairwise(spans):
        assert first + length + LINE <= following
    assert all((array == 1 + len(array)).all() for array in arrays)


@pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="this system has no large pages to ask for")
def test_large_pages_are_asked_for_all_of_it_on_their_borders(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Asked(mmap.mmap):
        def madvise(self, advice: int, *span: int) -> None:
            asked.append((advice, span))

    monkeypatch.setattr(buffers.mmap, "mmap", Asked)
    assert Buffers(np.dtype("float64")).numbers("x", 3, 5) % buffers.PAGE == 0
    assert asked == [(mmap.MADV_HUGEPAGE, ())]


def test_a_system_without_large_pages_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    assert Buffers(np.dtype("float64")).numbers("x", 3, 5) % LINE == 0


def test_no_memory_is_said_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(buffers.mmap, "mmap", full)
    with pytest.raises(MemoryError, match=r"no \d+ bytes for a training step"):
        Buffers(np.dtype("float64")).numbers("x", 3, 5)


@pytest.mark.parametrize("item", [4, 8])
def test_rows_that_are_read_here_and_there_begin_on_lines_an_odd_number_apart(item: int) -> None:
    for width in range(1, 600):
        stride = on_lines(width, item)
        assert width <= stride
        assert stride * item % LINE == 0
        assert stride * item // LINE % 2 == 1
        assert (stride - width) * item < 2 * LINE
