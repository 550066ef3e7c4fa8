"""Quartiles, and ratios that are taken within a round."""

from __future__ import annotations

import pytest

from bench.ratios import Quartiles, paired_ratio, quartiles


def test_quartiles_interpolate_between_the_sorted_values() -> None:
    assert quartiles([4.0, 1.0, 2.0, 3.0]) == Quartiles(1.75, 2.5, 3.25)


def test_a_single_round_is_all_three_quartiles() -> None:
    assert quartiles([0.7]) == Quartiles(0.7, 0.7, 0.7)


def test_a_round_that_is_slow_for_both_leaves_the_paired_ratio_alone() -> None:
    slowed = [1.0, 9.0, 1.5, 30.0, 2.0]
    ratio = paired_ratio([2.0 * factor for factor in slowed], [5.0 * factor for factor in slowed])
    assert ratio == pytest.approx(Quartiles(0.4, 0.4, 0.4))


def test_rounds_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio([1.0, 2.0], [1.0])
