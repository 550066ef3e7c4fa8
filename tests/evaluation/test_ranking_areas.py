"""AUROC and average precision: pair by pair, beside scikit-learn, and intervals beside DeLong's closed form and by coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics import roc_curve as their_roc_curve

from npae.backend import Array
from npae.errors import InputError, NonFiniteError
from npae.evaluation.ranking import rank, roc_curve


def scores_and_marks(seed: int, n: int = 300, share: float = 0.3, shift: float = 1.0, steps: float | None = None) -> tuple[Array, Array]:
    """Normal rows from N(0, 1), abnormal ones from N(shift, 1); rounded to `steps`, so that there are ties."""
    rng = np.random.default_rng(seed)
    abnormal = np.arange(n) < share * n
    scores = rng.standard_normal(n) + shift * abnormal
    return scores if steps is None else np.round(scores / steps) * steps, abnormal


@pytest.mark.parametrize("steps", [None, 0.5])
def test_auroc_is_the_share_of_pairs_in_the_right_order(steps: float | None) -> None:
    scores, abnormal = scores_and_marks(0, steps=steps)
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in scores[abnormal] for b in scores[~abnormal]]
    assert rank(scores, abnormal).auroc.value == pytest.approx(np.mean(pairs), abs=1e-12)


@pytest.mark.parametrize("steps", [None, 0.5, 5.0])
def test_both_areas_are_those_of_scikit_learn(steps: float | None) -> None:
    scores, abnormal = scores_and_marks(1, steps=steps)
    found = rank(scores, abnormal)
    assert found.auroc.value == pytest.approx(roc_auc_score(abnormal, scores), abs=1e-12)
    assert found.average_precision.value == pytest.approx(average_precision_score(abnormal, scores), abs=1e-12)
    assert found.abnormal == abnormal.mean()


def test_average_precision_worked_by_hand() -> None:
    """From the highest: abnormal, normal, abnormal: 1/2 * 1 + 1/2 * 2/3."""
    assert rank([3.0, 2.0, 1.0], [True, False, True]).average_precision.value == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_equal_scores_rank_nothing() -> None:
    found = rank(np.zeros(50), np.arange(50) < 10)
    assert (found.auroc.value, found.auroc.low, found.auroc.high) == (0.5, 0.5, 0.5)
    assert found.average_precision.value == pytest.approx(0.2)


def test_perfect_order_is_one_and_its_opposite_zero() -> None:
    abnormal = np.arange(40) >= 25
    assert rank(np.arange(40), abnormal).auroc.value == 1.0
    assert rank(np.arange(40), abnormal).average_precision.value == 1.0
    assert rank(-np.arange(40), abnormal).auroc.value == 0.0


def delong_error(scores: Array, abnormal: Array) -> float:
    """The standard error of AUROC by DeLong, DeLong & Clarke-Pearson 1988, from its structural components."""
    wins = np.sign(scores[abnormal][:, None] - scores[~abnormal][None]) / 2 + 0.5
    return math.sqrt(wins.mean(axis=1).var(ddof=1) / abnormal.sum() + wins.mean(axis=0).var(ddof=1) / (~abnormal).sum())


@pytest.mark.parametrize("steps", [None, 0.5])
def test_the_interval_of_auroc_is_delongs(steps: float | None) -> None:
    scores, abnormal = scores_and_marks(2, n=2000, steps=steps)
    found = rank(scores, abnormal).auroc
    half = 1.96 * delong_error(scores, abnormal)
    assert found.value - found.low == pytest.approx(half, rel=0.12)
    assert found.high - found.value == pytest.approx(half, rel=0.12)


def test_the_intervals_cover_the_truth_about_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npae.evaluation.ranking.RESAMPLES", 200)
    scores, abnormal = scores_and_marks(3, n=200_000)
    truth = roc_auc_score(abnormal, scores), average_precision_score(abnormal, scores)
    trials, covered = 200, np.zeros(2)
    for t in range(trials):
        found = rank(*scores_and_marks(100 + t), seed=t)
        for place, one in enumerate((found.auroc, found.average_precision)):
            covered[place] += one.low <= truth[place] <= one.high
    assert (covered >= binom.ppf(0.001, trials, 0.95)).all()
    assert (covered < trials).all()  # intervals that hold it always are too wide


@pytest.mark.parametrize("steps", [None, 0.5])
def test_the_curve_is_that_of_scikit_learn_and_has_the_area(steps: float | None) -> None:
    scores, abnormal = scores_and_marks(5, steps=steps)
    false, true = roc_curve(scores, abnormal)
    theirs = their_roc_curve(abnormal, scores, drop_intermediate=False)
    np.testing.assert_allclose(false, theirs[0])
    np.testing.assert_allclose(true, theirs[1])
    assert np.trapezoid(true, false) == pytest.approx(rank(scores, abnormal).auroc.value)


def test_the_seed_decides_the_resamples_and_not_the_value() -> None:
    data = scores_and_marks(4)
    first, again, other = (rank(*data, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert other.auroc.value == first.auroc.value
    assert other.auroc.low != first.auroc.low


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(InputError, match="all 3 rows are normal"):
        rank([1.0, 2.0, 3.0], [False] * 3)
    with pytest.raises(InputError, match="one mark a row"):
        rank([1.0, 2.0, 3.0], [True, False])
    with pytest.raises(NonFiniteError, match="row 1 is nan"):
        rank([1.0, np.nan], [True, False])
