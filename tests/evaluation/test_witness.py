"""The witness function is the difference of two mean kernel values, adds up to MMD^2, and points at the rows that differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from npae import kernels
from npae.evaluation.witness import most_unlike, witness


@pytest.mark.parametrize(("n", "m"), [(5, 8), (300, 270)])
def test_its_means_over_the_two_samples_differ_by_mmd2(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((n, 3)) + 0.3, rng.standard_normal((m, 3))
    of_x, of_y = witness(x, y, 2.0)
    assert (of_x.shape, of_y.shape) == ((n,), (m,))
    assert of_x.mean() - of_y.mean() == pytest.approx(kernels.mmd_rbf(x, y, 2.0)[0], abs=1e-13)


def test_its_value_at_a_row_is_the_difference_of_the_means_over_the_others() -> None:
    x, y = np.array([[0.0], [1.0], [3.0]]), np.array([[2.0], [5.0]])

    def k(a: float, b: float) -> float:
        return math.exp(-((a - b) ** 2) / 4)

    of_x, of_y = witness(x, y, 2.0)
    assert of_x[1] == pytest.approx((k(1, 0) + k(1, 3)) / 2 - (k(1, 2) + k(1, 5)) / 2)
    assert of_y[0] == pytest.approx((k(2, 0) + k(2, 1) + k(2, 3)) / 3 - k(2, 5))


def test_rows_of_a_group_that_the_other_sample_lacks_come_first() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((100, 2)), rng.standard_normal((80, 2))
    x[40:60] += 8
    y[:20] -= 8
    first, second = most_unlike(x, y, 2.0, 5)
    assert len(first) == len(second) == 5
    assert ((first >= 40) & (first < 60)).all()
    assert (second < 20).all()
    of_x, of_y = witness(x, y, 2.0)
    assert (np.diff(of_x[first]) <= 0).all()
    assert (np.diff(of_y[second]) >= 0).all()
