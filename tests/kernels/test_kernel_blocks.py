"""The microkernels against the loops that they stand for, and the threads that share strips of pairs."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from npae.kernels import mmd_imq, mmd_rbf, pairwise_squared, threads
from npae.kernels.blocks import REGISTER, ROWS, add_products, fused_distances, square_distances
from npae.kernels.jit import STRICT, jit
from npae.kernels.mmd import cpu as mmd_cpu

Array = np.ndarray[Any, Any]


@jit(STRICT)
def _distances(x: Array, i: int, y: Array, c: int, out: Array, r: int, o: int, count: int) -> None:
    square_distances(x, i, y, c, out, r, o, count)


@jit(STRICT)
def _fused(x: Array, i: int, y: Array, c: int, out: Array, r: int, o: int, count: int) -> None:
    fused_distances(x, i, y, c, out, r, o, count)


@jit(STRICT)
def _products(x: Array, i: int, y: Array, c: int, out: Array, r: int, o: int, count: int) -> None:
    add_products(x, i, y, c, out, r, o, count)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 2, 5, 64])
def test_a_block_of_distances_is_the_loop_to_the_last_bit_and_touches_nothing_else(dtype: str, count: int) -> None:
    rng = np.random.default_rng(0)
    lanes = REGISTER // np.dtype(dtype).itemsize
    x, y = rng.standard_normal((count, ROWS + 3)).astype(dtype), rng.standard_normal((count, 2 * lanes + 5)).astype(dtype)
    out = np.full((ROWS + 4, 2 * lanes + 7), 7, dtype)
    expected = out.copy()
    total = np.zeros((ROWS, 2 * lanes), dtype)
    for k in range(count):
        difference = x[k, 2 : 2 + ROWS, None] - y[k, 3 : 3 + 2 * lanes]
        total += difference * difference
    expected[1 : 1 + ROWS, 4 : 4 + 2 * lanes] = total
    _distances(x, 2, y, 3, out, 1, 4, count)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 64])
def test_fused_distances_differ_from_the_loop_in_the_last_bits_alone(dtype: str, count: int) -> None:
    rng = np.random.default_rng(3)
    lanes = REGISTER // np.dtype(dtype).itemsize
    x, y = rng.standard_normal((count, 2 * ROWS + 1)).astype(dtype), rng.standard_normal((count, 2 * lanes)).astype(dtype)
    y[:, 1] = x[:, 2]
    out = np.full((2 * ROWS + 1, lanes + 2), 7, dtype)
    _fused(x, 1, y, 0, out, 0, 1, count)
    expected = np.square(x.T.astype(np.float64)[1:, None] - y.T[:lanes].astype(np.float64)).sum(axis=2)
    np.testing.assert_allclose(out[:-1, 1:-1], expected, rtol=(count + 2) * float(np.finfo(dtype).eps) / 2, atol=0)
    assert out[1, 2] == 0
    assert (out[-1] == 7).all()
    assert (out[:, [0, -1]] == 7).all()
    if count == 64 and dtype == "float32":
        exact = np.empty((ROWS, 2 * lanes), dtype)
        _distances(x, 1, y, 0, exact, 0, 0, count)
        assert (out[:ROWS, 1:-1] != exact[:, :lanes]).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_block_of_products_is_added_to_what_is_there(dtype: str) -> None:
    rng = np.random.default_rng(1)
    width = 2 * REGISTER // np.dtype(dtype).itemsize
    x, y = rng.standard_normal((ROWS, 9)).astype(dtype), rng.standard_normal((9, width + 2)).astype(dtype)
    out = rng.standard_normal((ROWS, width + 1)).astype(dtype)
    expected = out.astype(np.float64)
    expected[:, 1:] += x.astype(np.float64) @ y[:, 2:].astype(np.float64)
    _products(x, 0, y, 2, out, 0, 1, 9)
    np.testing.assert_allclose(out, expected, rtol=0, atol=20 * float(np.finfo(dtype).eps))
    assert (out[:, 0] == expected[:, 0]).all()


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_distances_and_mmd_are_the_same_bits_for_any_number_of_threads(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    rng = np.random.default_rng(2)
    z, w = rng.standard_normal((300, 9)).astype("float32"), rng.standard_normal((210, 9)).astype("float32")
    alone = (pairwise_squared(z, w), *mmd_rbf(z, w, 8.0), *mmd_imq(z, w))
    for module in (mmd_cpu, __import__("npae.kernels.pairwise.cpu", fromlist=["cpu"])):
        monkeypatch.setattr(module, "threads_for", lambda work: count)
        monkeypatch.setattr(module, "parts_for", lambda threads: 2 * threads - 1)
    for one, many in zip(alone, (pairwise_squared(z, w), *mmd_rbf(z, w, 8.0), *mmd_imq(z, w)), strict=True):
        np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize("parts", [None, 3, 11])
def test_every_part_is_done_once_and_an_error_in_any_thread_is_raised_here(parts: int | None) -> None:
    done: list[int] = []
    threads.share(4, done.append, parts)
    assert sorted(done) == list(range(parts or 4))

    def part(number: int) -> None:
        if number == 2:
            raise ValueError("part 2")

    with pytest.raises(ValueError, match="part 2"):
        threads.share(4, part, parts)


def test_a_thread_that_is_held_up_leaves_its_parts_to_the_other() -> None:
    done: list[tuple[int, int]] = []
    rest = threading.Event()

    def part(number: int) -> None:
        if number == 0:
            assert rest.wait(10)
        done.append((number, threading.get_ident()))
        if len(done) == 7:
            rest.set()

    threads.share(2, part, 8)
    assert [number for number, _ in done] == [1, 2, 3, 4, 5, 6, 7, 0]
    assert len({thread for _, thread in done}) == 2


def test_there_are_more_parts_than_threads_unless_there_are_many_threads() -> None:
    assert [threads.parts_for(count) for count in (1, 2, 6, 10, 64)] == [1, 8, 24, 32, 64]


def test_little_work_starts_no_thread_and_much_as_many_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_NUM_THREADS", "5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads.threads_for(1000) == 1
    assert threads.threads_for(1e9) == 5
    monkeypatch.setenv("OMP_NUM_THREADS", "3,1")
    assert threads.threads_for(1e9) == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert threads.threads_for(1e9) == 5
