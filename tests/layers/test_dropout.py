"""Dropout: which units fall, what the others are scaled by, and what happens without numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Backend
from npae.errors import InputError
from npae.layers import Dropout, inference
from npae.models import AE

Bound = Callable[..., Any]


def test_a_unit_falls_where_its_number_is_below_the_rate_and_the_rest_are_scaled_up(bound: Bound) -> None:
    layer = bound(Dropout(0.25, 4))
    u = np.array([[0.0, 0.2499, 0.25, 0.9999]])
    np.testing.assert_array_equal(layer.forward(np.full((1, 4), 3.0), u), [[0, 0, 4, 4]])
    np.testing.assert_array_equal(layer.backward(np.full((1, 4), 6.0)), [[0, 0, 8, 8]])


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_the_stated_share_falls_and_the_mean_stays(bound: Bound, rate: float) -> None:
    layer = bound(Dropout(rate, 100))
    u = np.random.default_rng(0).random((2000, 100))
    y = layer.forward(np.ones((2000, 100)), u)
    n = y.size
    assert np.mean(y == 0) == pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / n))
    assert y.mean() == pytest.approx(1, abs=4 * math.sqrt(rate / (1 - rate) / n))
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-15)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_share_is_that_of_the_numbers_a_model_draws(computing: Backend, rate: float) -> None:
    model = AE(20, (50, 40), 2, dropout=rate, backend=computing.name)
    noise = model.draw(0, 0, 500)
    assert [noise[f"dropout{k}"].shape for k in range(4)] == [(500, 50), (500, 40), (500, 40), (500, 50)]
    for name in noise:
        fallen = np.mean(noise[name] < rate)
        assert fallen == pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / noise[name].size)), name
    assert abs(np.corrcoef(noise.dropout0.ravel(), noise.dropout3.ravel())[0, 1]) < 4 / math.sqrt(25_000), "two layers share a mask"


def test_in_inference_nothing_falls_and_nothing_is_scaled(bound: Bound) -> None:
    layer = bound(Dropout(0.5, 3))
    x = np.array([[1.0, -2.0, 3.0]])
    with inference(layer):
        np.testing.assert_array_equal(layer.forward(x, None), x)


def test_a_training_step_without_numbers_is_refused(bound: Bound) -> None:
    layer = bound(Dropout(0.5, 3))
    with pytest.raises(
        InputError, match=r"dropout 0\.5: a training step needs uniform numbers u of shape \(2, 3\); draw them with model\.draw"
    ):
        layer.forward(np.ones((2, 3)), None)


def test_rate_zero_changes_nothing(bound: Bound) -> None:
    layer = bound(Dropout(0.0, 3))
    x = np.array([[1.0, -2.0, 3.0]])
    np.testing.assert_array_equal(layer.forward(x, np.zeros((1, 3))), x)


def test_float32_stays_float32(bound: Bound) -> None:
    layer = bound(Dropout(0.3, 3), "float32")
    x = np.ones((2, 3), np.float32)
    y = layer.forward(x, np.full((2, 3), 0.5, np.float32))
    assert y.dtype == layer.backward(x).dtype == np.float32
    np.testing.assert_allclose(y, 1 / 0.7, rtol=1e-7)


@pytest.mark.parametrize("rate", [1.0, -0.1, 1.5, math.nan])
def test_a_rate_outside_zero_to_one_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match=rf"dropout {rate} is not a rate in \[0, 1\): the share of units that are dropped"):
        Dropout(rate, 3)
