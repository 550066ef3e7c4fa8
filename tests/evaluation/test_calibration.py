"""The Blob problem has the moments it is said to have, intervals are exact, and the test keeps its level there and sees the difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from npae.evaluation import calibration
from npae.evaluation.calibration import BLOB, SIDE, SPACING, Rate, blobs, rejections


@pytest.mark.parametrize("stretch", [1.0, 6.0])
def test_each_blob_has_variance_one_in_either_direction_and_eigenvalues_of_that_ratio(stretch: float) -> None:
    points = blobs(40_000, stretch, np.random.default_rng(0))
    centres = np.round(points / SPACING)
    assert set(centres[:, 0]) == set(centres[:, 1]) == set(range(SIDE))
    assert len(np.unique(centres, axis=0)) == SIDE**2
    covariance = np.cov((points - SPACING * centres).T)
    np.testing.assert_allclose(np.diag(covariance), [1, 1], rtol=0.05)
    small, large = np.linalg.eigvalsh(covariance)
    assert large / small == pytest.approx(stretch, rel=0.05)


@pytest.mark.parametrize(("rejected", "runs"), [(0, 20), (50, 1000), (20, 20)])
def test_the_interval_ends_where_so_many_rejections_have_a_chance_of_a_fortieth(rejected: int, runs: int) -> None:
    low, high = Rate(rejected, runs).interval
    assert Rate(rejected, runs).value == rejected / runs
    if rejected > 0:
        assert binom.sf(rejected - 1, runs, low) == pytest.approx(0.025)
    else:
        assert low == 0
    if rejected < runs:
        assert binom.cdf(rejected, runs, high) == pytest.approx(0.025)
    else:
        assert high == 1


@pytest.mark.parametrize("bandwidth", [None, BLOB])
def test_without_a_difference_one_in_twenty_tests_rejects(bandwidth: float | None) -> None:
    runs = 300
    found = rejections(30, 45, 1.0, runs=runs, bandwidth=bandwidth, seed=0, watch=lambda: None)
    low, high = binom.interval(0.999, runs, 0.05)
    assert low <= found.rejected <= high


def test_a_bandwidth_as_wide_as_a_blob_sees_what_the_median_does_not() -> None:
    seen = []
    narrow, wide = (rejections(500, 500, 10.0, runs=12, bandwidth=width, seed=1, watch=lambda: seen.append(1)) for width in (BLOB, None))
    assert narrow.rejected >= 7
    assert wide.rejected <= 4
    assert len(seen) == 24


def test_level_and_power_have_a_rate_for_each_bandwidth_size_and_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "POWER_SIZES", (8, 12))
    monkeypatch.setattr(calibration, "LEVEL_SIZES", (8, 9))
    of_level, of_power = calibration.level(3, 0, lambda: None), calibration.power(2, 0, lambda: None)
    assert set(of_level) == set(of_power) == {"median distance", "width of a blob"}
    assert {rate.runs for rate in of_level.values()} == {3}
    for curves in of_power.values():
        assert list(curves) == [8, 12]
        assert [rate.runs for rates in curves.values() for rate in rates] == [2] * 2 * len(calibration.STRETCHES)


def test_the_exact_share_under_no_difference_is_the_level() -> None:
    assert math.floor(calibration.ALPHA * (1 + calibration.PERMUTATIONS)) / (1 + calibration.PERMUTATIONS) == calibration.ALPHA
