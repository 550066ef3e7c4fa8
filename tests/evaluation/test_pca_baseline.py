"""PCA against scikit-learn's, and against what a linear code of k numbers can do at best."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.pca import fit_pca


@pytest.fixture(scope="module")
def digits() -> Array:
    """Grey levels in [0, 1], float32 as a run has them."""
    return np.asarray(load_digits().data / 16, np.float32)


@pytest.mark.parametrize("k", [1, 2, 8, 40, 61])
def test_the_reconstruction_is_scikit_learns(k: int, digits: Array) -> None:
    train, test = digits[:1500], digits[1500:]
    theirs = PCA(k, svd_solver="full").fit(train.astype(np.float64))
    expected = theirs.inverse_transform(theirs.transform(test.astype(np.float64)))
    np.testing.assert_allclose(fit_pca(train, k).reconstruct(test), expected, atol=1e-6)


def test_the_axes_are_orthonormal_and_span_scikit_learns_space(digits: Array) -> None:
    ours, theirs = fit_pca(digits, 5), PCA(5, svd_solver="full").fit(digits.astype(np.float64))
    np.testing.assert_allclose(ours.axes.T @ ours.axes, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(ours.axes @ ours.axes.T, theirs.components_.T @ theirs.components_, atol=1e-6)
    np.testing.assert_allclose(abs(theirs.components_ @ ours.axes), np.eye(5), atol=1e-5)


def test_no_other_axes_are_better_on_the_training_rows(digits: Array) -> None:
    fitted = fit_pca(digits, 4)
    error = np.square(fitted.reconstruct(digits) - digits).sum()
    rng = np.random.default_rng(0)
    for _ in range(20):
        axes, _ = np.linalg.qr(fitted.axes + 0.1 * rng.standard_normal(fitted.axes.shape))
        other = fitted.mean + (digits - fitted.mean) @ axes @ axes.T
        assert np.square(other - digits).sum() > error


def test_more_components_are_never_worse_and_all_are_exact(digits: Array) -> None:
    errors = [np.square(fit_pca(digits, k).reconstruct(digits) - digits).sum() for k in (1, 3, 10, 30, 64)]
    assert all(later < earlier for earlier, later in itertools.pairwise(errors))
    assert errors[-1] < 1e-8


def test_fewer_rows_than_components_are_reconstructed_exactly() -> None:
    x = np.random.default_rng(0).random((3, 6))
    np.testing.assert_allclose(fit_pca(x, 2).reconstruct(x), x, atol=1e-12)


@pytest.mark.parametrize("k", [0, -1, 65])
def test_a_number_of_components_that_there_are_not_is_refused(k: int, digits: Array) -> None:
    with pytest.raises(InputError, match=f"{k} principal components of 64 features"):
        fit_pca(digits, k)
