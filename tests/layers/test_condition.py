"""The layer that writes a label behind each row: one-hot, in the dtype of the model, and nothing flows into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError
from npae.layers import Condition, Dense

Bound = Callable[..., Any]
X, Y = np.random.default_rng(1).standard_normal((5, 3)), np.array([2, 0, 3, 3, 1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_row_is_followed_by_the_one_hot_row_of_its_label(bound: Bound, dtype: str) -> None:
    c = bound(Condition(4), dtype).forward(X.astype(dtype), Y)
    assert (c.shape, c.dtype) == ((5, 7), np.dtype(dtype))
    for row in range(5):
        np.testing.assert_array_equal(c[row, :3], X[row].astype(dtype))
        assert [c[row, 3 + label] for label in range(4)] == [float(label == Y[row]) for label in range(4)]


def test_a_layer_behind_it_adds_a_row_of_its_weights_for_the_label(bound: Bound) -> None:
    dense, condition = bound(Dense(7, 2)), bound(Condition(4))
    y = dense.forward(condition.forward(X, Y))
    np.testing.assert_allclose(y, X @ dense.W.value[:3] + dense.W.value[3:][Y] + dense.b.value, rtol=1e-13)


def test_the_gradient_of_the_row_is_its_part_and_the_labels_part_is_dropped(bound: Bound) -> None:
    condition, dc = bound(Condition(4)), np.random.default_rng(2).standard_normal((5, 7))
    condition.forward(X, Y)
    dx = condition.backward(dc)
    np.testing.assert_array_equal(dx, dc[:, :3])
    assert dx.flags.c_contiguous


def test_the_label_of_another_batch_leaves_nothing_behind(bound: Bound) -> None:
    condition = bound(Condition(4))
    first = condition.forward(X, Y).copy()
    condition.backward(first)
    condition.forward(X, np.zeros(5, np.int64))
    condition.backward(first)
    np.testing.assert_array_equal(condition.forward(X, Y), first)


@pytest.mark.parametrize("classes", [0, -1, 2.0, True, "3"])
def test_no_number_of_classes_is_refused(classes: Any) -> None:
    with pytest.raises(InputError, match=f"classes {classes!r} is not a number of classes"):
        Condition(classes)
