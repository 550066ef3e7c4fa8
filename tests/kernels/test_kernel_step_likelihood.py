"""The reconstruction losses inside a compiled step: their totals and gradients by definition, in float64; the clip; NaN and infinity."""

from __future__ import annotations

import numpy as np
import pytest

from npae.backend import Array, backend
from npae.kernels.step.codes import BERNOULLI_LOGITS, BERNOULLI_SIGMOID, LIKELIHOODS, SQUARED_ERROR
from npae.kernels.step.likelihood import likelihood
from npae.kernels.step.registers import BYTES
from npae.losses import BernoulliProbabilities

TOLERANCE = {"float32": 2e-6, "float64": 1e-13}
ROWS, COLUMNS, STRIDE, CLIP, SCALE = 3, 67, 70, 1e-3, 0.25
EDGES = np.log([CLIP / (1 - CLIP), (1 - CLIP) / CLIP])  # of the logits


def run(code: int, y: Array, x: Array, clip: float = CLIP, columns: int = COLUMNS) -> tuple[Array, Array]:
    """Totals of all rows but the first and the last, and what became of y."""
    totals, moved, scratch = np.full(len(y), -1.0), y.copy(), np.zeros(BYTES, np.uint8)
    places = (moved.ctypes.data, x.ctypes.data, y.shape[1], columns, 1, len(y) - 1, totals.ctypes.data, scratch.ctypes.data)
    likelihood(y.dtype.type(0), code, SCALE, clip, *places)
    assert totals[[0, -1]].tolist() == [-1, -1]
    for untouched in (np.s_[[0, -1]], np.s_[:, columns:]):
        np.testing.assert_array_equal(moved[untouched], y[untouched])
    return totals[1:-1], moved[1:-1, :columns]


def batch(code: int, dtype: str) -> tuple[Array, Array]:
    """y, of which some are clipped, and x."""
    rng = np.random.default_rng(code)
    y, x = 6 * rng.standard_normal((ROWS + 2, STRIDE)), rng.random((ROWS + 2, STRIDE))
    return y.astype(dtype), x.astype(dtype)


def expected(code: int, y: Array, x: Array) -> tuple[Array, Array]:
    """Each number's loss, and its slope."""
    if code == SQUARED_ERROR:
        return (y - x) ** 2, 2 * (y - x)
    logit = np.clip(y, *EDGES) if code == BERNOULLI_SIGMOID else y
    return np.logaddexp(0, logit) - logit * x, np.where(y == logit, 1 / (1 + np.exp(-y)) - x, 0)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("code", range(len(LIKELIHOODS)))
def test_totals_and_gradients_are_those_of_the_definition(code: int, dtype: str) -> None:
    y, x = batch(code, dtype)
    totals, moved = run(code, y, x)
    losses, slopes = expected(code, *(part[1:-1, :COLUMNS].astype(np.float64) for part in (y, x)))
    np.testing.assert_allclose(totals, losses.sum(1), rtol=10 * TOLERANCE[dtype])
    assert np.abs(moved - SCALE * slopes).max() < 100 * TOLERANCE[dtype] * np.abs(slopes).max()
    assert (code == BERNOULLI_SIGMOID) == bool((slopes == 0).any())


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("code", [BERNOULLI_LOGITS, BERNOULLI_SIGMOID])
@pytest.mark.parametrize("middle", [0, -9, -18])
def test_many_losses_that_are_as_large_as_can_be_or_tiny_keep_their_sum(middle: float, code: int, dtype: str) -> None:
    columns = 2100  # more than one logarithm's
    y = np.full((3, columns), middle, dtype) + np.linspace(-0.5, 0.5, columns, dtype=dtype) * (middle != 0)
    totals, moved = run(code, y, np.zeros_like(y), 1e-9, columns)
    np.testing.assert_allclose(totals, np.logaddexp(0, y[1].astype(np.float64)).sum(), rtol=10 * TOLERANCE[dtype])
    np.testing.assert_allclose(moved[0], SCALE / (1 + np.exp(-y[1].astype(np.float64))), rtol=10 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_the_loss_of_a_sigmoid_is_that_of_its_probabilities_also_at_a_clip_that_is_hardly_one(dtype: str) -> None:
    y, x = np.zeros((3, STRIDE), dtype), np.zeros((3, STRIDE), dtype)
    y[1, :10], x[1, :10] = [-500, -16.2, -16, -3, 0, 3, 14, 15.9, 17, 500], [0, 1, 0.5, 1, 0.3, 0, 1, 1, 0.5, 0]
    p = (1 / (1 + np.exp(-y.astype(np.float64)))).astype(dtype)
    totals, moved = run(BERNOULLI_SIGMOID, y, x, 1e-7)
    page = BernoulliProbabilities(1e-7)
    page.bind(backend("numpy"), np.dtype(dtype))
    value = page.forward(p[1:2, :COLUMNS], x[1:2, :COLUMNS])
    np.testing.assert_allclose(totals, value, rtol=1e-5 if dtype == "float32" else 1e-8)
    np.testing.assert_allclose(moved, SCALE * page.backward() * (p * (1 - p))[1:2, :COLUMNS], rtol=1e-5, atol=1e-8)
    rounded = dtype == "float32"  # 15.9: sigmoid is 1 - 1.24e-7, and there is no number between 1 - 1.19e-7 and 1 - 1.79e-7
    assert (moved[0, :10] == 0).tolist() == [True, True, False, False, False, False, False, rounded, True, True]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("code", range(len(LIKELIHOODS)))
def test_a_nan_is_seen_in_its_rows_total_alone_and_infinity_where_nothing_clips_it(code: int, dtype: str) -> None:
    y, x = batch(code, dtype)
    y[1, 5], y[2, 3] = np.nan, np.inf
    totals, _ = run(code, y, x)
    assert np.isnan(totals[0])
    assert np.isfinite(totals[1]) == (code == BERNOULLI_SIGMOID)
    assert np.isfinite(totals[2])
