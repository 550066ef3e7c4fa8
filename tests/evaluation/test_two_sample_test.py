"""The permutation test keeps its level, sees a shift and a change of scale, and is what a double loop over pairs and labels says."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from npae import kernels
from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.two_sample import median_distance, relabellings, two_sample_test


def normal(seed: int, n: int, d: int = 3) -> Array:
    return np.random.default_rng(seed).standard_normal((n, d))


def by_hand(x: Array, y: Array, sigma2: float) -> float:
    """MMD^2 pair by pair."""

    def k(a: Array, b: Array) -> float:
        return math.exp(-float(((a - b) ** 2).sum()) / (2 * sigma2))

    n, m = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return xx + yy - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


def test_value_and_bandwidth_are_those_of_a_double_loop() -> None:
    x, y = normal(0, 7), normal(1, 9) + 0.4
    found = two_sample_test(x, y, permutations=1)
    pooled = np.concatenate([x, y])
    squares = sorted(float(((a - b) ** 2).sum()) for a, b in itertools.combinations(pooled, 2))
    assert found.bandwidth == pytest.approx(squares[(len(squares) - 1) // 2], rel=1e-12)
    assert found.mmd2 == pytest.approx(by_hand(x, y, found.bandwidth), abs=1e-14)
    assert found.mmd2 == pytest.approx(kernels.mmd_rbf(x, y, found.bandwidth)[0], abs=1e-14)


def test_the_p_value_is_near_the_share_of_all_relabellings() -> None:
    """Of 4 + 4 points there are 70: they can be gone through."""
    x, y = normal(2, 4), normal(3, 4) + 0.5
    found = two_sample_test(x, y, permutations=20_000)
    pooled = np.concatenate([x, y])
    values = [
        by_hand(pooled[list(chosen)], np.delete(pooled, list(chosen), axis=0), found.bandwidth)
        for chosen in itertools.combinations(range(8), 4)
    ]
    share = np.mean(np.array(values) >= found.mmd2 - 1e-12)
    assert found.p_value == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 20_000))


@pytest.mark.parametrize(("n", "m"), [(20, 20), (15, 40)])
def test_the_level_holds_where_both_samples_come_from_one_distribution(n: int, m: int) -> None:
    trials, level = 400, 0.05
    p_values = [two_sample_test(normal(10 + 2 * t, n), normal(11 + 2 * t, m), permutations=99, seed=t).p_value for t in range(trials)]
    rejected = sum(p <= level for p in p_values)
    low, high = binom.interval(0.999, trials, level)
    assert low <= rejected <= high
    assert np.mean(p_values) == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / trials))


@pytest.mark.parametrize(("shift", "scale"), [(0.5, 1.0), (0.0, 1.6)])
def test_another_distribution_is_seen(shift: float, scale: float) -> None:
    p_values = [two_sample_test(normal(2 * t, 100), shift + scale * normal(2 * t + 1, 100), permutations=199).p_value for t in range(20)]
    assert sum(p <= 0.05 for p in p_values) >= 18


def test_the_smallest_p_value_is_one_in_one_more_than_the_permutations() -> None:
    found = two_sample_test(normal(0, 50), normal(1, 50) + 10, permutations=250)
    assert (found.p_value, found.permutations) == (1 / 251, 250)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (60, 41), (3, 130), (90, 2)])
def test_the_null_holds_mmd2_under_each_relabelling(n: int, m: int) -> None:
    x, y = normal(0, n), normal(1, m) + 0.2
    found = two_sample_test(x, y, permutations=20)
    pooled = np.concatenate([x, y])
    for value, labels in zip([found.mmd2, *found.null], relabellings(n, m, 20, 0), strict=True):
        assert value == pytest.approx(by_hand(pooled[labels == 1], pooled[labels == 0], found.bandwidth), abs=2e-14)
    assert found.p_value == (1 + (found.null >= found.mmd2 - 1e-12).sum()) / 21


def test_the_kernel_that_is_fast_and_the_one_that_reads_like_the_formula_give_one_p_value(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = normal(0, 90), normal(1, 75) + 0.1
    fast = two_sample_test(x, y)
    monkeypatch.setattr(kernels, "relabelled_sums", functools.partial(kernels.relabelled_sums, form="reference"))
    slow = two_sample_test(x, y)
    assert fast.p_value == slow.p_value
    np.testing.assert_allclose(fast.null, slow.null, atol=1e-14)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (4, 9), (9, 4)])
def test_every_relabelling_keeps_the_sizes_and_all_orders_are_as_likely(n: int, m: int) -> None:
    labels, marked = relabellings(n, m, 4000, 3), min(n, m)
    assert labels.shape == (4001, n + m)
    assert labels[0].tolist() == ([1] * n + [0] * m if n <= m else [0] * n + [1] * m)
    assert (labels.sum(axis=1) == marked).all()
    share = marked / (n + m)
    assert np.abs(labels[1:].mean(axis=0) - share).max() < 4.5 * math.sqrt(share * (1 - share) / 4000)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relabellings_that_only_swap_equal_points_count_as_large(dtype: str) -> None:
    """x is one point four times and y another: the relabellings that part the two again are as large, whatever is rounded."""
    x, y = np.zeros((4, 3), dtype), np.full((4, 3), 0.3, dtype)
    found = two_sample_test(x, y, permutations=200, bandwidth=0.7)
    labels = relabellings(4, 4, 200, 0)[1:]
    parted = labels[:, :4].sum(axis=1) % 4 == 0
    assert parted.any()
    assert found.p_value == (1 + parted.sum()) / 201


@pytest.mark.parametrize("seed", range(5))
def test_whole_numbers_with_many_ties_have_one_p_value_in_both_dtypes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(3, size=(12, 2)), rng.integers(3, size=(14, 2))
    double, single = (two_sample_test(x.astype(dtype), y.astype(dtype), bandwidth=1.3) for dtype in ("float64", "float32"))
    assert single.p_value == double.p_value
    assert single.mmd2 == pytest.approx(double.mmd2, abs=1e-6)


def test_a_very_small_sample_beside_a_large_one_keeps_its_digits_in_float32() -> None:
    x, y = normal(5, 2), normal(6, 3000)
    double, single = (two_sample_test(x.astype(dtype), y.astype(dtype), permutations=50) for dtype in ("float64", "float32"))
    np.testing.assert_allclose(single.null, double.null, atol=5e-7)
    assert single.p_value == double.p_value


def test_a_bandwidth_that_is_given_is_taken() -> None:
    x, y = normal(0, 30), normal(1, 20)
    found = two_sample_test(x, y, permutations=10, bandwidth=0.5)
    assert found.bandwidth == 0.5
    assert found.mmd2 == pytest.approx(by_hand(x, y, 0.5), abs=1e-14)


def test_the_seed_decides_the_relabellings() -> None:
    x, y = normal(0, 30), normal(1, 30) + 0.3
    first, again, other = (two_sample_test(x, y, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert other.p_value != first.p_value
    assert other.mmd2 == first.mmd2


def test_float32_samples_far_from_the_origin_are_compared_as_near_it() -> None:
    x, y = (np.round(64 * normal(seed, 40)) / 64 for seed in (0, 1))  # numbers that float32 holds exactly, also after the offset
    near = two_sample_test(x, y)
    far = two_sample_test((x + 1000).astype(np.float32), (y + 1000).astype(np.float32))
    assert far.mmd2 == pytest.approx(near.mmd2, abs=1e-6)
    assert far.p_value == near.p_value


def test_the_median_ignores_the_distance_of_a_point_to_itself() -> None:
    assert median_distance(np.array([[0.0], [1.0], [3.0]])) == 4.0  # of 1, 4, 9


def test_samples_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(InputError, match="y has 1 point"):
        two_sample_test(normal(0, 5), normal(1, 1))
    with pytest.raises(InputError, match="permutations 0"):
        two_sample_test(normal(0, 5), normal(1, 5), permutations=0)
    with pytest.raises(InputError, match="no bandwidth"):
        two_sample_test(np.zeros((5, 2)), np.zeros((5, 2)))
    with pytest.raises(InputError, match="bandwidth is 0"):
        two_sample_test(normal(0, 5), normal(1, 5), bandwidth=0)
    with pytest.raises(InputError, match="features"):
        two_sample_test(normal(0, 5), normal(1, 5, d=2))
