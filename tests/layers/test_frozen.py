"""Frozen layers hand the gradient through and learn nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Array, Backend
from npae.inspection import subjects
from npae.layers import CallOrderError, Chain, Dense, Node, Tanh, frozen
from npae.parameters import Parameters

Bound = Callable[..., Any]
X, DY, OTHER = np.ones((4, 3)), np.ones((4, 2)), np.arange(8.0).reshape(4, 2)


def _gradients(node: Node) -> dict[str, Array]:
    return {name: parameter.grad.copy() for name, parameter in node.named_parameters()}


def test_one_gradient_passes_through_and_the_next_is_learned_from_after_one_forward(bound: Bound) -> None:
    chain = bound(Chain(Dense(3, 5), Tanh(), Dense(5, 2)))
    chain.forward(X)
    alone_dx = chain.backward(OTHER).copy()
    alone = _gradients(chain)
    for parameter in dict(chain.named_parameters()).values():
        parameter.grad.fill(0)

    chain.forward(X)
    with frozen(chain):
        passed = chain.backward(DY).copy()
        np.testing.assert_array_equal(chain.backward(DY), passed)
    assert not any(gradient.any() for gradient in _gradients(chain).values())
    np.testing.assert_array_equal(chain.backward(OTHER), alone_dx)
    for name, gradient in _gradients(chain).items():
        np.testing.assert_array_equal(gradient, alone[name])
    with pytest.raises(CallOrderError):
        chain.backward(OTHER)


def test_what_passes_through_is_the_gradient_with_respect_to_the_input(bound: Bound) -> None:
    dense = bound(Dense(3, 2))
    dense.forward(X)
    with frozen(dense):
        np.testing.assert_allclose(dense.backward(OTHER), OTHER @ dense.W.value.T, rtol=1e-14)


def test_a_layer_that_keeps_the_gradient_to_itself_where_it_learns_hands_it_on_while_frozen(bound: Bound) -> None:
    dense = bound(Dense(3, 2, needs_dx=False))
    dense.forward(X)
    with frozen(dense):
        np.testing.assert_allclose(dense.backward(OTHER), OTHER @ dense.W.value.T, rtol=1e-14)
    assert dense.backward(OTHER) is None
    np.testing.assert_allclose(dense.W.grad, X.T @ OTHER, rtol=1e-14)


def test_the_backward_that_learns_is_still_owed_after_one_that_does_not(bound: Bound) -> None:
    dense = bound(Dense(3, 2))
    dense.forward(X)
    with frozen(dense):
        dense.backward(DY)
    with pytest.raises(CallOrderError, match=r"Dense\.forward was called twice"):
        dense.forward(X)


def test_a_forward_made_while_frozen_owes_nothing(bound: Bound) -> None:
    dense = bound(Dense(3, 2))
    with frozen(dense):
        for _ in range(2):
            dense.forward(X)
            dense.backward(DY)
    with pytest.raises(CallOrderError, match=r"Dense\.backward"):
        dense.backward(DY)


def test_layers_learn_again_after_the_block_also_when_it_raises(bound: Bound) -> None:
    chain = bound(Chain(Dense(3, 2)))
    with pytest.raises(KeyError), frozen(chain):
        raise KeyError
    chain.forward(X)
    chain.backward(DY)
    assert all(gradient.any() for gradient in _gradients(chain).values())


@pytest.mark.parametrize("subject", [one for one in subjects.subjects() if one.group == "layer"], ids=lambda one: one.name)
def test_every_layer_that_has_parameters_leaves_their_gradients_alone(
    subject: subjects.Subject, computing: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Parameters] = []
    original = Parameters.zero_grad

    def watched(self: Parameters) -> None:
        original(self)
        seen.append(self)

    monkeypatch.setattr(Parameters, "zero_grad", watched)
    assert issubclass(subject.covers, Node)
    backward = subject.covers.backward

    def held_still(self: Node, *args: Any) -> Any:
        with frozen(self):
            return backward(self, *args)

    monkeypatch.setattr(subject.covers, "backward", held_still)
    subject.make(computing).gradients()
    assert len(seen) == 1
    assert not seen[0].grad.any()
