"""The Bernoulli likelihood, from logits and from probabilities, against scipy.stats, xlogy and the clip written out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from npae.backend import Array
from npae.errors import InputError
from npae.losses import BernoulliLogits, BernoulliProbabilities

Bound = Callable[..., Any]
RNG = np.random.default_rng(0)
LOGITS = 3 * RNG.standard_normal((6, 4))
P = special.expit(LOGITS)
BINARY, GREY = RNG.integers(0, 2, (6, 4)).astype(float), RNG.random((6, 4))


def _cross_entropy(p: Array, x: Array) -> float:
    return float(-(special.xlogy(x, p) + special.xlog1py(1 - x, -p)).sum() / len(x))


def test_binary_data_give_the_negative_log_probability(bound: Bound) -> None:
    truth = -stats.bernoulli.logpmf(BINARY, P).sum() / 6
    assert bound(BernoulliLogits()).forward(LOGITS, BINARY) == pytest.approx(truth, rel=1e-12)
    assert bound(BernoulliProbabilities()).forward(P, BINARY) == pytest.approx(truth, rel=1e-12)


def test_grey_data_give_the_cross_entropy(bound: Bound) -> None:
    truth = _cross_entropy(P, GREY)
    assert bound(BernoulliLogits()).forward(LOGITS, GREY) == pytest.approx(truth, rel=1e-12)
    assert bound(BernoulliProbabilities()).forward(P, GREY) == pytest.approx(truth, rel=1e-12)


def test_the_gradient_with_respect_to_a_logit_is_probability_minus_data_over_the_rows(bound: Bound) -> None:
    loss = bound(BernoulliLogits())
    loss.forward(LOGITS, GREY)
    np.testing.assert_allclose(loss.backward(), (P - GREY) / 6, rtol=1e-12, atol=1e-16)


def test_the_gradient_with_respect_to_a_probability_is_that_of_the_logarithms(bound: Bound) -> None:
    loss = bound(BernoulliProbabilities())
    loss.forward(P, GREY)
    np.testing.assert_allclose(loss.backward(), ((1 - GREY) / (1 - P) - GREY / P) / 6, rtol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logits_of_a_thousand_neither_overflow_nor_lose_the_loss(bound: Bound, dtype: str) -> None:
    logits, x = np.array([[1000.0, -1000.0, 1000.0, -1000.0]], dtype), np.array([[1.0, 0.0, 0.0, 1.0]], dtype)
    loss = bound(BernoulliLogits(), dtype)
    assert loss.forward(logits, x) == 2000
    np.testing.assert_array_equal(loss.backward(), [[0, 0, 1, -1]])


def test_a_clipped_probability_is_held_at_the_clip_and_gets_no_gradient(bound: Bound) -> None:
    clip = 0.125
    p, x = np.array([[0.0, 0.0625, 0.125, 0.5, 0.875, 1.0]]), np.array([[1.0, 1.0, 1.0, 1.0, 0.0, 0.0]])
    loss = bound(BernoulliProbabilities(clip))
    assert loss.forward(p, x) == pytest.approx(-(3 * math.log(0.125) + math.log(0.5) + 2 * math.log(0.125)), rel=1e-14)
    np.testing.assert_array_equal(loss.backward(), [[0, 0, 0, -2, 0, 0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_usual_clip_keeps_a_wrong_certainty_finite_in_both_dtypes(bound: Bound, dtype: str) -> None:
    p, x = np.array([[0.0, 1.0]], dtype), np.array([[1.0, 0.0]], dtype)
    loss = bound(BernoulliProbabilities(), dtype)
    assert loss.forward(p, x) == pytest.approx(-2 * math.log(1e-7), rel=0.02)  # 1 - 1e-7 is rounded in float32
    assert not loss.backward().any()


@pytest.mark.parametrize("clip", [1e-7, 1e-5])
def test_inside_the_clip_both_forms_are_one_loss(bound: Bound, clip: float) -> None:
    assert bound(BernoulliProbabilities(clip)).forward(P, GREY) == pytest.approx(bound(BernoulliLogits()).forward(LOGITS, GREY), rel=1e-12)


def test_the_mean_of_the_data_is_the_probability(bound: Bound) -> None:
    extreme = np.array([[-1000.0, 0.0, 1000.0]])
    np.testing.assert_array_equal(bound(BernoulliLogits()).mean(extreme), [[0, 0.5, 1]])
    np.testing.assert_allclose(bound(BernoulliLogits()).mean(LOGITS), P, rtol=1e-13)
    assert bound(BernoulliProbabilities()).mean(P) is P


def test_float32_agrees_with_float64(bound: Bound) -> None:
    for make, decoded in ((BernoulliLogits, LOGITS), (BernoulliProbabilities, P)):
        wide, narrow = bound(make(), "float64"), bound(make(), "float32")
        y, x = decoded.astype(np.float32), GREY.astype(np.float32)
        assert narrow.forward(y, x) == pytest.approx(wide.forward(y.astype(float), x.astype(float)), rel=1e-6)
        gradient = narrow.backward()
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, wide.backward(), rtol=1e-5, atol=1e-7)


def test_a_clip_that_rounds_away_in_float32_is_refused_there_and_taken_in_float64(bound: Bound) -> None:
    with pytest.raises(InputError, match=r"clip 1e-08 is lost in float32: 1 - clip rounds to 1"):
        bound(BernoulliProbabilities(1e-8), "float32")
    loss = bound(BernoulliProbabilities(1e-8), "float64")
    assert loss.forward(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])) == pytest.approx(-2 * math.log(1e-8), rel=1e-8)


@pytest.mark.parametrize("clip", [0.0, 0.5, 0.7, -1e-9, math.nan])
def test_a_clip_that_is_none_or_leaves_no_room_is_refused(clip: float) -> None:
    with pytest.raises(InputError, match=rf"^clip {clip} is not between 0 and 0\.5: probabilities are kept in \[clip, 1 - clip\]"):
        BernoulliProbabilities(clip)


def test_the_mean_over_all_elements_is_the_sum_over_the_number_of_features_value_and_gradient(bound: Bound) -> None:
    rng = np.random.default_rng(4)
    logits, x = rng.standard_normal((5, 8)), rng.uniform(size=(5, 8))
    mean, total = bound(BernoulliLogits("mean")), bound(BernoulliLogits("sum"))
    p = special.expit(logits)
    assert mean.forward(logits, x) == pytest.approx(-np.mean(x * np.log(p) + (1 - x) * np.log(1 - p)), rel=1e-13)
    assert total.forward(logits, x) == pytest.approx(mean.per_image(8) * -np.mean(x * np.log(p) + (1 - x) * np.log(1 - p)), rel=1e-13)
    np.testing.assert_allclose(mean.backward(), (p - x) / x.size, rtol=1e-12)


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(InputError, match="reduction 'maen' is not known; did you mean 'mean'"):
        BernoulliLogits("maen")
