"""The exact order statistic of distances against a sort: every rank, ties, more candidates than the buffer holds, NaN; and the pair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.errors import InputError
from npae.kernels import pairwise_squared
from npae.kernels.order_statistic import cpu
from npae.kernels.registry import resolve

FORMS = ["reference", "cpu"]
Array = np.ndarray[Any, Any]


def points(seed: int, n: int, m: int, d: int, dtype: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)).astype(dtype), rng.standard_normal((m, d)).astype(dtype)


def statistic(form: str, z: Array, w: Array, rank: int) -> float:
    value: float = resolve("distance_order_statistic", form)(z, w, rank)
    return value


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_rank_is_that_of_the_sorted_distances(form: str, dtype: str) -> None:
    z, w = points(0, 7, 9, 3, dtype)
    ordered = np.sort(pairwise_squared(z, w, form="reference").ravel())
    assert [statistic(form, z, w, rank) for rank in range(63)] == ordered.tolist()


def narrowings(monkeypatch: pytest.MonkeyPatch, z: Array, w: Array, rank: int, *, parts: bool = False) -> tuple[float, int]:
    """The statistic, and how many passes over all pairs (or over a part of them) narrowed the bracket."""
    passes = 0
    count = cpu._Selection.count

    def counted(self: Any, low: int, high: int, every: int = 1) -> Any:
        nonlocal passes
        passes += (every > 1) == parts
        return count(self, low, high, every)

    with monkeypatch.context() as patch:
        patch.setattr(cpu._Selection, "count", counted)
        return statistic("cpu", z, w, rank), passes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spread", [1.0, 1e-4, 1e-8])
def test_selection_is_exact_whatever_the_distances_share(monkeypatch: pytest.MonkeyPatch, dtype: str, spread: float) -> None:
    """z near 0 and w near 1: the smaller the spread, the more leading bits the distances share, down to a handful of values."""
    z, w = points(1, 220, 231, 1, dtype)
    z, w = (spread * z).astype(dtype), (1.2 + spread * w).astype(dtype)
    ordered = np.sort(pairwise_squared(z, w, form="reference").ravel())
    for rank in (0, 1, ordered.size // 3, ordered.size // 2, ordered.size - 1):
        value, passes = narrowings(monkeypatch, z, w, rank)
        assert value == ordered[rank]
        assert passes <= 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["last bits", "subnormal"])
def test_distances_that_rounding_could_reorder_keep_their_exact_order(dtype: str, kind: str) -> None:
    """A pass first looks at distances that are rounded otherwise. Here they differ by a few last bits, or digits are lost near zero."""
    limits, rng = np.finfo(dtype), np.random.default_rng(5)
    if kind == "last bits":
        z, w = ((1 + float(limits.eps) * rng.integers(0, 9, (n, 40))).astype(dtype) for n in (200, 180))
        w -= z.dtype.type(0.75)
    else:
        z, w = ((float(limits.tiny) ** 0.5 / 10 * rng.standard_normal((n, 40))).astype(dtype) for n in (200, 180))
    ordered = np.sort(pairwise_squared(z, w, form="reference").ravel())
    assert len(np.unique(ordered)) < 200 if kind == "last bits" else ordered[ordered.size // 4] < limits.tiny
    for rank in range(100, ordered.size, 997):
        assert statistic("cpu", z, w, rank) == ordered[rank]


@pytest.mark.parametrize(("n", "m"), [(128, 128), (129, 128), (1000, 700), (700, 1000), (2, 9000), (1500, 1500)])
@pytest.mark.parametrize("order", ["random", "sorted"])
def test_distances_that_differ_are_selected_with_one_pass_over_all_pairs(
    monkeypatch: pytest.MonkeyPatch, n: int, m: int, order: str
) -> None:
    """Also where neighbours in memory are neighbours in space, and a diagonal of tiles would mislead but for the shuffle."""
    z, w = points(1, n, m, 3, "float32")
    if order == "sorted":
        z, w = np.sort(z, axis=0), np.sort(w, axis=0)
    for left, right in ((z, w), (z, z)):
        rank = left.shape[0] * right.shape[0] // 2
        value, passes = narrowings(monkeypatch, left, left if right is z else right, rank)
        assert passes == 0
        assert value == np.partition(pairwise_squared(left, right, form="reference").ravel(), rank)[rank]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_bracket_too_wide_to_collect_is_narrowed_on_a_part_of_the_tiles(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    z, w = points(2, 2200, 2100, 2, dtype)
    monkeypatch.setattr(cpu, "MANY", 0)
    monkeypatch.setattr(cpu, "EVERY", 4)
    narrowed: list[tuple[int, int]] = []
    narrow = cpu._Selection.narrowed

    def noted(self: Any, rank: int, low: int, high: int) -> tuple[int, int]:
        narrowed.append((high - low, 0))
        bracket = narrow(self, rank, low, high)
        narrowed[-1] = (narrowed[-1][0], bracket[1] - bracket[0])
        return bracket

    monkeypatch.setattr(cpu._Selection, "narrowed", noted)
    for left, right in ((z, w), (z, z)):
        ordered = np.sort(pairwise_squared(left, right, form="reference").ravel())
        for rank in (ordered.size // 3, ordered.size // 2, ordered.size * 9 // 10):
            value, passes = narrowings(monkeypatch, left, left if right is z else right, rank, parts=True)
            assert (value, passes) == (ordered[rank], 1)
    assert len(narrowed) == 6
    assert all(0 <= after < before / 1.5 for before, after in narrowed)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_smallest_distances_of_a_sample_with_itself_are_exact_though_most_are_zeros(dtype: str) -> None:
    z, _ = points(8, 300, 300, 2, dtype)
    ordered = np.sort(pairwise_squared(z, z, form="reference").ravel())
    for rank in (0, 299, 300, 301, 302, 1000):
        assert statistic("cpu", z, z, rank) == ordered[rank]


def test_memory_for_collected_distances_grows_with_n_and_not_with_its_square() -> None:
    sizes = []
    for n in (10_000, 40_000, 160_000):
        selection = cpu._Selection(np.zeros((n, 1), np.float32), np.zeros((n, 1), np.float32))
        rank, sampled = n * n // 2, 8 * n
        expected = selection._expected(rank, sampled)
        sizes.append(expected if expected <= selection.many else selection._expected(rank, n * n // selection.every))
    assert max(size / n for size, n in zip(sizes, (10_000, 40_000, 160_000), strict=True)) <= cpu.SPREAD * cpu.EVERY**0.5 + 0.1


@pytest.mark.parametrize("bracket", [(0, 0), (1, 2), (0x7F000000, 0x7F000001), (0, 0x7FFFFFFF)])
def test_a_bracket_that_misses_the_rank_is_given_up_and_the_result_is_exact(
    monkeypatch: pytest.MonkeyPatch, bracket: tuple[int, int]
) -> None:
    z, w = points(3, 200, 200, 4, "float32")
    monkeypatch.setattr(cpu._Selection, "sampled", lambda self, rank: bracket)
    ordered = np.sort(pairwise_squared(z, w, form="reference").ravel())
    for rank in (0, 20_000, 39_999):
        assert statistic("cpu", z, w, rank) == ordered[rank]


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    z, w = points(4, 333, 300, 5, "float32")
    monkeypatch.setattr(cpu, "threads_for", lambda work: threads)
    for left, right in ((z, w), (z, z)):
        ordered = np.sort(pairwise_squared(left, right, form="reference").ravel())
        for rank in (0, 332, 333, ordered.size // 2, ordered.size - 1):
            assert statistic("cpu", left, right, rank) == ordered[rank]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ties_that_overflow_the_buffer_are_resolved_to_the_last_bit(dtype: str) -> None:
    z, w = (np.round(2 * a) for a in points(2, 300, 300, 1, dtype))
    d2 = pairwise_squared(z, w, form="reference")
    values, counts = np.unique(d2, return_counts=True)
    assert counts.max() > cpu.BUFFER
    ends = np.cumsum(counts)
    for value, first, last in zip(values[:4], (ends - counts)[:4], (ends - 1)[:4], strict=True):
        assert statistic("cpu", z, w, int(first)) == statistic("cpu", z, w, int(last)) == value


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=20),
    st.lists(st.integers(-3, 3), min_size=1, max_size=20),
    st.floats(0, 1, exclude_max=True),
)
@settings(deadline=None, max_examples=60)
def test_any_rank_of_points_on_a_lattice_is_exact(z: list[int], w: list[int], where: float) -> None:
    rank = int(where * len(z) * len(w))
    ordered = sorted(float((a - b) ** 2) for a in z for b in w)
    left, right = np.array(z, np.float32)[:, None], np.array(w, np.float32)[:, None]
    assert statistic("cpu", left, right, rank) == ordered[rank]


@pytest.mark.parametrize("form", FORMS)
def test_the_zeros_of_a_sample_with_itself_count(form: str) -> None:
    z, _ = points(3, 40, 40, 2, "float32")
    assert [statistic(form, z, z, rank) for rank in (0, 39)] == [0.0, 0.0]
    assert statistic(form, z, z, 40) == statistic(form, z, z, 41) > 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n", [30, 150])
def test_a_distance_that_is_nan_of_either_sign_ranks_above_all_others(form: str, dtype: str, sign: int, n: int) -> None:
    z, w = points(4, n, n, 2, dtype)
    z[3] = np.copysign(np.nan, sign)
    rest = np.sort(pairwise_squared(np.delete(z, 3, axis=0), w).ravel())
    assert statistic(form, z, w, 0) == rest[0]
    assert statistic(form, z, w, len(rest) - 1) == rest[-1]
    assert math.isnan(statistic(form, z, w, len(rest)))
    assert math.isnan(statistic(form, z, w, n * n - 1))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rank", [-1, 63, 1.0, True])
def test_a_rank_that_no_distance_has_is_refused(form: str, rank: Any) -> None:
    z, w = points(5, 7, 9, 2, "float32")
    with pytest.raises(InputError, match=f"^rank is {rank}; expected a whole number from 0 .* to 62 "):
        statistic(form, z, w, rank)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_pair_at_the_statistic_is_found(form: str, dtype: str) -> None:
    z, w = points(6, 90, 130, 4, dtype)
    value = statistic(form, z, w, 90 * 65)
    i, j = resolve("locate_distance", form)(z, w, value)
    assert pairwise_squared(z[i : i + 1], w[j : j + 1])[0, 0] == value


@pytest.mark.parametrize("form", FORMS)
def test_of_several_pairs_the_first_by_rows_is_found(form: str) -> None:
    z, w = np.zeros((3, 1), np.float32), np.zeros((200, 1), np.float32)
    z[1:] = 5
    w[[70, 150]] = 5
    assert resolve("locate_distance", form)(z, w, 25.0) == (0, 70)
    assert resolve("locate_distance", form)(z, w, 0.0) == (0, 0)
    assert resolve("locate_distance", form)(z[1:], w, 0.0) == (0, 70)


@pytest.mark.parametrize("form", FORMS)
def test_a_distance_that_no_pair_has_is_refused(form: str) -> None:
    z, w = points(7, 5, 5, 2, "float32")
    with pytest.raises(InputError, match=r"^squared distance 1e\+30 belongs to no pair; "):
        resolve("locate_distance", form)(z, w, 1e30)
