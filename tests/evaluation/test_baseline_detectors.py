"""The detectors that a model stands beside: a row far from the normal ones scores high, and the seed decides everything."""

from __future__ import annotations

import numpy as np
import pytest

from npae.evaluation.baselines import BASELINES, SVM_ROWS
from npae.evaluation.ranking import rank


@pytest.mark.parametrize("name", BASELINES)
def test_rows_from_elsewhere_score_higher_than_normal_ones(name: str) -> None:
    rng = np.random.default_rng(0)
    train = rng.standard_normal((SVM_ROWS + 100, 6)).astype(np.float32)
    x = np.concatenate([rng.standard_normal((100, 6)), rng.standard_normal((50, 6)) + 3]).astype(np.float32)
    scores = BASELINES[name](train, x, seed=1)
    assert scores.shape == (150,)
    assert rank(scores, np.arange(150) >= 100).auroc.value > 0.95
    np.testing.assert_array_equal(scores, BASELINES[name](train, x, seed=1))
    assert (scores != BASELINES[name](train, x, seed=2)).any()
