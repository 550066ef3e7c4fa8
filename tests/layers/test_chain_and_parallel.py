"""Chain and Parallel: composition, the sum over heads, the names of what is inside, and who gets which dropout numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError
from npae.layers import Chain, Dense, Dropout, Parallel, Tanh, inference

Bound = Callable[..., Any]


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(1).standard_normal(shape)


def test_a_chain_is_its_layers_one_after_another(bound: Bound) -> None:
    first, last = Dense(3, 4), Dense(4, 2)
    chain = bound(Chain(first, Tanh(), last))
    x, dy = _numbers(5, 3), _numbers(5, 2)
    hidden = np.tanh(x @ first.W.value + first.b.value)
    np.testing.assert_allclose(chain.forward(x), hidden @ last.W.value + last.b.value, rtol=1e-13)
    dhidden = (dy @ last.W.value.T) * (1 - hidden**2)
    np.testing.assert_allclose(chain.backward(dy), dhidden @ first.W.value.T, rtol=1e-12)
    np.testing.assert_allclose(first.W.grad, x.T @ dhidden, rtol=1e-12)


def test_an_empty_chain_is_the_identity(bound: Bound) -> None:
    chain, x = bound(Chain()), _numbers(2, 3)
    assert chain.forward(x) is x
    assert chain.backward(x) is x


def test_the_gradient_of_parallel_heads_is_their_sum(bound: Bound) -> None:
    mu, s = Dense(3, 2), Dense(3, 4)
    heads = bound(Parallel(mu=mu, s=s))
    x, dmu, ds = _numbers(5, 3), _numbers(5, 2), _numbers(5, 4)
    y_mu, y_s = heads.forward(x)
    np.testing.assert_allclose(y_mu, x @ mu.W.value + mu.b.value, rtol=1e-13)
    np.testing.assert_allclose(y_s, x @ s.W.value + s.b.value, rtol=1e-13)
    np.testing.assert_allclose(heads.backward((dmu, ds)), dmu @ mu.W.value.T + ds @ s.W.value.T, rtol=1e-12)


def test_heads_on_the_data_have_no_gradient_to_pass_on(bound: Bound) -> None:
    heads = bound(Parallel(mu=Dense(3, 2, needs_dx=False), s=Dense(3, 2, needs_dx=False)))
    heads.forward(_numbers(5, 3))
    assert heads.backward((np.ones((5, 2)), np.ones((5, 2)))) is None
    assert all(dense.W.grad.any() for dense in heads.heads.values())


def test_as_many_gradients_as_heads_are_expected(bound: Bound) -> None:
    heads = bound(Parallel(mu=Dense(3, 2), s=Dense(3, 2)))
    heads.forward(_numbers(5, 3))
    with pytest.raises(ValueError, match="shorter"):
        heads.backward((_numbers(5, 2),))


def test_tensors_are_named_by_place_and_head() -> None:
    network = Chain(Dense(3, 4), Tanh(), Parallel(mu=Dense(4, 2), s=Chain(Dense(4, 2), Tanh())))
    assert [name for name, _ in network.named_parameters("encoder.")] == [
        "encoder.0.W",
        "encoder.0.b",
        "encoder.2.mu.W",
        "encoder.2.mu.b",
        "encoder.2.s.0.W",
        "encoder.2.s.0.b",
    ]


def test_each_dropout_of_a_chain_gets_its_own_numbers_in_order(bound: Bound) -> None:
    chain = bound(Chain(Dropout(0.5, 2), Tanh(), Dropout(0.5, 2)))
    x, keep, drop = np.ones((1, 2)), np.array([[0.9, 0.9]]), np.array([[0.1, 0.9]])
    np.testing.assert_allclose(chain.forward(x, [keep, drop]), [[0, 2 * np.tanh(2)]], rtol=1e-15)
    chain.backward(x)
    np.testing.assert_allclose(chain.forward(x, [drop, keep]), [[0, 2 * np.tanh(2)]], rtol=1e-15)
    assert [layer.rate for layer in chain.dropouts()] == [0.5, 0.5]


def test_a_chain_with_too_few_numbers_is_refused_in_training_and_runs_in_inference(bound: Bound) -> None:
    chain = bound(Chain(Dropout(0.5, 2), Dropout(0.25, 2)))
    with inference(chain):
        np.testing.assert_array_equal(chain.forward(np.ones((1, 2))), [[1, 1]])
    with pytest.raises(InputError, match=r"dropout 0\.25: a training step needs uniform numbers"):
        chain.forward(np.ones((1, 2)), [np.ones((1, 2))])
