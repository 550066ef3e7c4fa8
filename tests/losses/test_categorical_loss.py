"""The categorical likelihood of text, against a double loop and scipy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from npae.backend import backend
from npae.errors import InputError
from npae.losses import Categorical, make_reconstruction

Bound = Callable[..., Any]
B, L, A = 5, 3, 4
RNG = np.random.default_rng(0)
LOGITS, SYMBOLS = 3 * RNG.standard_normal((B, L * A)), RNG.integers(0, A, (B, L))
T = np.eye(A)[SYMBOLS].reshape(B, L * A)


def test_the_loss_is_the_mean_over_rows_of_the_sum_over_places_of_minus_log_p(bound: Bound) -> None:
    by_loops = 0.0
    for row in range(B):
        for place in range(L):
            odds = [math.exp(LOGITS[row, place * A + symbol]) for symbol in range(A)]
            by_loops -= math.log(odds[SYMBOLS[row, place]] / sum(odds))
    assert bound(Categorical(A)).forward(LOGITS, T) == pytest.approx(by_loops / B, rel=1e-13)


def test_the_gradient_is_the_softmax_without_the_symbol_over_the_rows(bound: Bound) -> None:
    loss = bound(Categorical(A))
    loss.forward(LOGITS, T)
    p = special.softmax(LOGITS.reshape(B, L, A), axis=2).reshape(B, L * A)
    np.testing.assert_allclose(loss.backward(), (p - T) / B, atol=1e-15)
    np.testing.assert_allclose(loss.mean(LOGITS), p, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logits_of_any_size_stay_finite_and_are_told_apart_by_their_differences(bound: Bound, dtype: str) -> None:
    loss = bound(Categorical(2), dtype)
    logits = np.array([[1e4, 1e4 - 1], [-1e30, 1e30]], dtype)
    value = loss.forward(logits, np.array([[1, 0], [0, 1]], dtype))
    assert value == pytest.approx(math.log1p(math.exp(-1)) / 2, rel=1e-6)
    np.testing.assert_allclose(loss.backward(), [[-0.13447071, 0.13447071], [0.0, 0.0]], rtol=1e-5)


def test_a_uniform_guess_costs_the_logarithm_of_the_symbols_at_each_place(bound: Bound) -> None:
    assert bound(Categorical(A)).forward(np.full((B, L * A), 7.0), T) == pytest.approx(L * math.log(A), rel=1e-14)


def test_given_arrays_are_left_as_they_were_and_a_second_call_is_the_first(bound: Bound) -> None:
    loss, logits, t = bound(Categorical(A)), LOGITS.copy(), T.copy()
    values = []
    for _ in range(2):
        values.append((loss.forward(logits, t), loss.backward().copy()))
    np.testing.assert_array_equal(logits, LOGITS)
    np.testing.assert_array_equal(t, T)
    assert values[0][0] == values[1][0]
    np.testing.assert_array_equal(values[0][1], values[1][1])


def test_float32_is_float64_up_to_its_rounding() -> None:
    wide, narrow = Categorical(A), Categorical(A)
    wide.bind(backend("numpy"), np.dtype("float64"))
    narrow.bind(backend("numpy"), np.dtype("float32"))
    assert narrow.forward(LOGITS.astype("float32"), T.astype("float32")) == pytest.approx(wide.forward(LOGITS, T), rel=1e-6)
    np.testing.assert_allclose(narrow.backward(), wide.backward(), atol=1e-7)


def test_it_is_known_by_name_and_reads_logits() -> None:
    loss, output = make_reconstruction("categorical", 1.0, None, symbols=A)
    assert isinstance(loss, Categorical)
    assert (loss.symbols, output, loss.per_image(12)) == (A, "linear", 1.0)


@pytest.mark.parametrize("symbols", [1, 0, 2.0, True])
def test_nothing_to_choose_from_is_refused(symbols: Any) -> None:
    with pytest.raises(InputError, match=f"symbols {symbols!r} is not a number of symbols"):
        Categorical(symbols)


def test_data_that_are_no_text_are_refused_with_a_way_out() -> None:
    with pytest.raises(InputError, match=r"'categorical' is for text, .* take --set reconstruction=squared_error"):
        make_reconstruction("categorical", 1.0, None)
