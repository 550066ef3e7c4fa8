"""The order of calls that every node keeps, and the buffers it reuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.layers import CallOrderError, Chain, Dense, Node, Tanh, forget, inference
from npae.layers.node import scale
from npae.losses import SquaredError

Bound = Callable[..., Any]
X = np.ones((4, 3))


def test_forward_twice_before_backward_raises_and_names_the_node(bound: Bound) -> None:
    layer = bound(Dense(3, 2))
    layer.forward(X)
    with pytest.raises(CallOrderError, match=r"Dense\.forward was called twice before its backward"):
        layer.forward(X)


def test_backward_without_forward_raises_and_names_the_node(bound: Bound) -> None:
    with pytest.raises(CallOrderError, match=r"Tanh\.backward was called without a forward before it"):
        bound(Tanh()).backward(X)
    with pytest.raises(CallOrderError, match=r"SquaredError\.backward"):
        bound(SquaredError()).backward()


def test_one_forward_allows_one_backward(bound: Bound) -> None:
    layer = bound(Dense(3, 2))
    for _ in range(2):
        layer.forward(X)
        layer.backward(np.ones((4, 2)))
    with pytest.raises(CallOrderError, match=r"Dense\.backward"):
        layer.backward(np.ones((4, 2)))


def test_the_rule_holds_inside_a_chain(bound: Bound) -> None:
    inside = Tanh()
    chain = bound(Chain(Dense(3, 2), inside))
    chain.forward(X)
    with pytest.raises(CallOrderError, match=r"Tanh\.forward"):
        inside.forward(np.ones((4, 2)))


def test_in_inference_forward_is_free_and_gives_nothing_to_differentiate(bound: Bound) -> None:
    chain = bound(Chain(Dense(3, 2), Tanh()))
    with inference(chain):
        chain.forward(X)
        chain.forward(X)
    with pytest.raises(CallOrderError, match=r"Chain\.backward"):
        chain.backward(np.ones((4, 2)))


def test_inference_ends_with_its_block_also_when_that_raises(bound: Bound) -> None:
    chain = bound(Chain(Dense(3, 2), Tanh()))
    with pytest.raises(KeyError), inference(chain):  # noqa: PT012 (the error inside the block is the point)
        with inference(chain):
            pass
        assert not chain.recording, "the inner block must not end the outer one"
        raise KeyError
    chain.forward(X)
    assert chain.backward(np.ones((4, 2))).shape == (4, 3)


def test_forget_drops_what_a_forward_left_behind_at_every_depth(bound: Bound) -> None:
    chain = bound(Chain(Dense(3, 2), Chain(Tanh())))
    chain.forward(X)
    forget(chain)
    with pytest.raises(CallOrderError):
        chain.backward(np.ones((4, 2)))
    chain.forward(X)
    chain.backward(np.ones((4, 2)))


def test_a_node_of_ones_own_keeps_the_rule_without_doing_anything_for_it(bound: Bound) -> None:
    class Square(Node):
        def forward(self, x: Any) -> Any:
            self.x = x
            return x * x

        def backward(self, dy: Any) -> Any:
            return 2 * self.x * dy

    node = bound(Square())
    node.forward(X)
    with pytest.raises(CallOrderError, match=r"Square\.forward"):
        node.forward(X)


def test_a_buffer_is_the_same_array_for_the_same_name_and_shape_only(bound: Bound) -> None:
    layer = bound(Tanh(), "float32")
    first = layer.buffer("y", (2, 3))
    assert layer.buffer("y", (2, 3)) is first
    assert first.dtype == np.float32
    for name, shape in (("y", (3, 2)), ("dx", (2, 3))):
        assert not np.shares_memory(layer.buffer(name, shape), first)
    assert layer.buffer("mask", (2, 3), bool).dtype == bool


def test_binding_again_starts_with_new_buffers_in_the_new_dtype(bound: Bound) -> None:
    layer = bound(Tanh(), "float64")
    assert layer.forward(X).dtype == np.float64
    forget(layer)
    assert bound(layer, "float32").forward(X.astype(np.float32)).dtype == np.float32


def test_everything_is_the_node_and_all_below_it() -> None:
    tanh, dense = Tanh(), Dense(2, 2)
    inner = Chain(tanh)
    outer = Chain(dense, inner)
    assert list(outer.everything()) == [outer, dense, inner, tanh]


def test_a_weight_of_zero_switches_a_gradient_off_also_where_it_overflowed() -> None:
    gradient = np.array([2.0, np.inf, np.nan])
    scale(gradient, 1.0)
    np.testing.assert_array_equal(gradient, [2, np.inf, np.nan])
    scale(gradient, 0.25)
    scale(gradient, 2.0)
    np.testing.assert_array_equal(gradient, [1, np.inf, np.nan])
    scale(gradient, 0.0)
    np.testing.assert_array_equal(gradient, [0, 0, 0])
