"""Activations against scipy.special in float64, at ordinary and at extreme inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from npae.backend import Array
from npae.errors import InputError
from npae.layers import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh, activation
from npae.layers.activations import ACTIVATIONS

Bound = Callable[..., Any]
Function = Callable[[Array], Array]

# name -> (f, f') from another library
TRUTH: dict[str, tuple[Function, Function]] = {
    "leaky_relu": (lambda x: np.where(x >= 0, x, 0.01 * x), lambda x: np.where(x >= 0, 1.0, 0.01)),
    "relu": (lambda x: np.where(x > 0, x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0)),
    "sigmoid": (special.expit, lambda x: special.expit(x) * special.expit(-x)),
    "tanh": (np.tanh, lambda x: 4 * special.expit(2 * x) * special.expit(-2 * x)),
    "elu": (lambda x: np.where(x > 0, x, special.expm1(np.minimum(x, 0))), lambda x: np.exp(np.minimum(x, 0))),
    "softplus": (lambda x: -special.log_expit(-x), special.expit),
}
EVERYWHERE = np.concatenate([np.linspace(-12, 12, 97), [-1000.0, -100.0, -30.0, 30.0, 100.0, 1000.0]]).reshape(-1, 1)


def _run(node: Any, x: Array) -> tuple[Array, Array]:
    y = node.forward(x).copy()
    return y, node.backward(np.ones_like(x)).copy()


def test_every_named_activation_has_a_truth_here() -> None:
    assert set(TRUTH) == set(ACTIVATIONS) - {"linear"}


@pytest.mark.parametrize("name", sorted(TRUTH))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_and_slope_are_the_functions_own_also_at_inputs_of_1000(bound: Bound, name: str, dtype: str) -> None:
    f, slope = TRUTH[name]
    (node,) = activation(name)
    x = EVERYWHERE.astype(dtype)
    y, dx = _run(bound(node, dtype), x)
    eps = float(np.finfo(dtype).eps)
    assert y.dtype == dx.dtype == np.dtype(dtype)
    np.testing.assert_allclose(y, f(x.astype(np.float64)), rtol=4 * eps, atol=2 * eps)
    np.testing.assert_allclose(dx, slope(x.astype(np.float64)), rtol=4 * eps, atol=2 * eps)


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_the_incoming_gradient_is_multiplied_by_the_slope_element_by_element(bound: Bound, name: str) -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    x_before, dy_before = x.copy(), dy.copy()
    (node,) = activation(name)
    bound(node).forward(x)
    np.testing.assert_allclose(node.backward(dy), dy_before * TRUTH[name][1](x_before), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(dy, dy_before)


def test_at_the_kink_leaky_relu_takes_the_right_slope_and_relu_and_elu_the_documented_one(bound: Bound) -> None:
    zero = np.zeros((1, 1))
    for node, slope in ((LeakyReLU(), 1.0), (ReLU(), 0.0), (ELU(), 1.0)):
        y, dx = _run(bound(node), zero)
        assert y[0, 0] == 0
        assert dx[0, 0] == slope, type(node).__name__


def test_the_slope_of_a_leaky_relu_can_be_chosen(bound: Bound) -> None:
    y, dx = _run(bound(LeakyReLU(0.25)), np.array([[-4.0, 4.0]]))
    np.testing.assert_array_equal(y, [[-1, 4]])
    np.testing.assert_array_equal(dx, [[0.25, 1]])


def test_a_softplus_floor_raises_the_value_and_leaves_the_slope(bound: Bound) -> None:
    x = np.array([[-1000.0, 0.0, 3.0]])
    plain, plain_dx = _run(bound(Softplus()), x)
    floored, floored_dx = _run(bound(Softplus(1e-6)), x)
    np.testing.assert_allclose(floored - plain, 1e-6, rtol=1e-9)
    np.testing.assert_array_equal(floored_dx, plain_dx)
    assert floored[0, 0] == 1e-6


def test_saturated_sigmoids_and_tanhs_stop_at_their_limits(bound: Bound) -> None:
    ends = np.array([[-1000.0, 1000.0]])
    sigmoid, sigmoid_dx = _run(bound(Sigmoid()), ends)
    tanh, tanh_dx = _run(bound(Tanh()), ends)
    np.testing.assert_array_equal(sigmoid, [[0, 1]])
    np.testing.assert_array_equal(tanh, [[-1, 1]])
    assert not sigmoid_dx.any()
    assert not tanh_dx.any()


def test_nan_stays_nan(bound: Bound) -> None:
    for name in TRUTH:
        (node,) = activation(name)
        with np.errstate(invalid="ignore"):  # some of NumPy's functions say so as well
            assert np.isnan(bound(node).forward(np.array([[np.nan]]))).all(), name


def test_linear_is_no_node_and_each_call_makes_a_new_one_of_the_others() -> None:
    assert activation("linear") == []
    assert activation("tanh")[0] is not activation("tanh")[0]


def test_an_unknown_activation_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"activation 'leakyrelu' is not known; did you mean 'leaky_relu'\?"):
        activation("leakyrelu")
