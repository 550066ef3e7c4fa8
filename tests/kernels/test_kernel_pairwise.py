"""Pairwise squared distances against SciPy, and the promises of the contract: zero diagonal, symmetry, nothing lost to an offset."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from npae.kernels import pairwise_squared

FORMS = ["reference", "cpu"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-14)])
@pytest.mark.parametrize("d", [1, 7, 64])
def test_distances_are_those_of_scipy(form: str, dtype: str, tolerance: float, d: int) -> None:
    rng = np.random.default_rng(d)
    x, y = rng.standard_normal((70, d)).astype(dtype), rng.standard_normal((65, d)).astype(dtype)
    want = cdist(x.astype(np.float64), y.astype(np.float64), "sqeuclidean")
    np.testing.assert_allclose(pairwise_squared(x, y, form=form), want, rtol=tolerance)


@pytest.mark.parametrize("form", FORMS)
def test_an_offset_costs_float32_no_digits(form: str) -> None:
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((50, 8)) + 100).astype(np.float32)
    want = cdist(x.astype(np.float64), x.astype(np.float64), "sqeuclidean")
    np.testing.assert_allclose(pairwise_squared(x, x, form=form), want, rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_a_point_is_at_distance_zero_from_itself_and_symmetry_is_exact(form: str) -> None:
    x = np.random.default_rng(2).uniform(1000, 1001, (130, 5)).astype(np.float32)
    d2 = pairwise_squared(x, x, form=form)
    assert (np.diag(d2) == 0).all()
    assert np.array_equal(d2, d2.T)
    assert (d2 >= 0).all()
