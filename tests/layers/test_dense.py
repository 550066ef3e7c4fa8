"""The fully connected layer against sums written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError
from npae.layers import Dense

Bound = Callable[..., Any]


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(1).standard_normal(shape)


def test_each_output_is_the_weighted_sum_of_the_inputs_plus_its_bias(bound: Bound) -> None:
    layer = bound(Dense(3, 2))
    x = _numbers(4, 3)
    y = layer.forward(x)
    for row in range(4):
        for o in range(2):
            by_hand = sum(x[row, i] * layer.W.value[i, o] for i in range(3)) + layer.b.value[o]
            assert y[row, o] == pytest.approx(by_hand, rel=1e-14)


def test_each_gradient_is_the_sum_over_the_paths_through_it(bound: Bound) -> None:
    layer = bound(Dense(3, 2))
    x, dy = _numbers(4, 3), _numbers(4, 2)
    layer.forward(x)
    dx = layer.backward(dy)
    for i in range(3):
        for o in range(2):
            assert layer.W.grad[i, o] == pytest.approx(sum(x[row, i] * dy[row, o] for row in range(4)), rel=1e-13)
    for o in range(2):
        assert layer.b.grad[o] == pytest.approx(sum(dy[row, o] for row in range(4)), rel=1e-13)
    for row in range(4):
        for i in range(3):
            assert dx[row, i] == pytest.approx(sum(dy[row, o] * layer.W.value[i, o] for o in range(2)), rel=1e-13)


def test_gradients_add_to_what_is_there(bound: Bound) -> None:
    layer = bound(Dense(3, 2))
    x, dy = _numbers(4, 3), _numbers(4, 2)
    layer.forward(x)
    layer.backward(dy)
    once_W, once_b = layer.W.grad.copy(), layer.b.grad.copy()
    layer.forward(x)
    layer.backward(dy)
    np.testing.assert_allclose(layer.W.grad, 2 * once_W, rtol=1e-14)
    np.testing.assert_allclose(layer.b.grad, 2 * once_b, rtol=1e-14)


def test_the_first_layer_gets_the_same_parameter_gradients_without_a_gradient_for_the_data(bound: Bound) -> None:
    usual, first = bound(Dense(3, 2)), bound(Dense(3, 2, needs_dx=False))
    x, dy = _numbers(4, 3), _numbers(4, 2)
    usual.forward(x)
    usual.backward(dy)
    first.forward(x)
    assert first.backward(dy) is None
    np.testing.assert_array_equal(first.W.grad, usual.W.grad)
    np.testing.assert_array_equal(first.b.grad, usual.b.grad)


def test_a_batch_of_one_row_is_a_batch(bound: Bound) -> None:
    layer = bound(Dense(3, 2))
    x = _numbers(4, 3)
    whole = layer.forward(x).copy()
    layer.backward(np.zeros((4, 2)))
    np.testing.assert_allclose(layer.forward(x[2:3]), whole[2:3], rtol=1e-14)
    np.testing.assert_allclose(layer.backward(np.ones((1, 2))), layer.W.value.sum(axis=1)[None, :], rtol=1e-13)


def test_inputs_and_incoming_gradients_are_left_as_they_were(bound: Bound) -> None:
    layer = bound(Dense(3, 2))
    x, dy = _numbers(4, 3), _numbers(4, 2)
    x_before, dy_before = x.copy(), dy.copy()
    layer.forward(x)
    layer.backward(dy)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(dy, dy_before)


def test_an_unknown_initialiser_is_refused_when_the_layer_is_made() -> None:
    with pytest.raises(InputError, match="initialiser 'pytroch' is not known; did you mean 'pytorch'"):
        Dense(3, 2, initialiser="pytroch")
