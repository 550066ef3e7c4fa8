"""Dense products against loops and central differences; layouts, kinks, NaN, and what is refused."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError
from npae.kernels.registry import resolve
from npae.kernels.step.codes import ACTIVATIONS

Array = np.ndarray[Any, Any]
FORMS = ["reference", "cpu"]
DTYPES = ["float32", "float64"]
PARAMETERS = {"leaky_relu": 0.2, "softplus": 0.3}
BY_HAND: dict[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "leaky_relu": lambda x: x if x >= 0 else 0.2 * x,
    "relu": lambda x: max(x, 0.0),
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "softplus": lambda x: 0.3 + math.log(1 + math.exp(x)),
}


def product_by_loops(a: Array, b: Array) -> Array:
    out = np.zeros((a.shape[0], b.shape[1]))
    for m, k, n in itertools.product(range(a.shape[0]), range(a.shape[1]), range(b.shape[1])):
        out[m, n] += float(a[m, k]) * float(b[k, n])
    return out


def layer(seed: int, dtype: str = "float64", batch: int = 5, n_in: int = 7, n_out: int = 4) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    x, W, b = (rng.standard_normal(shape).astype(dtype) for shape in ((batch, n_in), (n_in, n_out), (n_out,)))
    return x, W, b


def output(form: str, x: Array, W: Array, b: Array, activation: str, parameter: float | None = None) -> Array:
    y = np.full((len(x), W.shape[1]), np.nan, x.dtype)
    resolve("affine", form)(x, W, b, activation, PARAMETERS.get(activation, 0.0) if parameter is None else parameter, y)
    return y


def data_gradient(form: str, dy: Array, W: Array, activation: str, y: Array) -> Array:
    dx = np.full_like(y, np.nan)
    resolve("affine_data_gradient", form)(dy, W, activation, PARAMETERS.get(activation, 0.0), y, dx, False)
    return dx


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_layer_is_its_formula_element_by_element(form: str, dtype: str, activation: str) -> None:
    x, W, b = layer(0, dtype)
    wanted = np.vectorize(BY_HAND[activation])(product_by_loops(x, W) + b)
    np.testing.assert_allclose(output(form, x, W, b, activation), wanted, rtol=0, atol=2e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_of_the_data_goes_through_the_activation_below(form: str, activation: str) -> None:
    u, W, b = layer(1)
    one, none, dz = np.eye(u.shape[1]), np.zeros(u.shape[1]), layer(2)[0][:, :4].copy()

    def loss(u: Array) -> float:  # L = sum dz o (f(u) W + b)
        return float((dz * output("reference", output("reference", u, one, none, activation), W, b, "linear")).sum())

    dx = data_gradient(form, dz, W, activation, output("reference", u, one, none, activation))
    for i, j in np.ndindex(u.shape):
        step = np.zeros_like(u)
        step[i, j] = 1e-5
        assert dx[i, j] == pytest.approx((loss(u + step) - loss(u - step)) / 2e-5, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("form", FORMS)
def test_the_gradients_of_weights_and_biases_are_added(form: str) -> None:
    x, dW, db = layer(3)
    dy = layer(4)[0][:, :4].copy()
    wanted_W, wanted_b = dW + product_by_loops(x.T, dy), db + product_by_loops(np.ones((1, len(dy))), dy)[0]
    resolve("affine_weight_gradient", form)(x, dy, dW, db)
    np.testing.assert_allclose(dW, wanted_W, rtol=0, atol=1e-14)
    np.testing.assert_allclose(db, wanted_b, rtol=0, atol=1e-14)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("accumulate", [False, True])
def test_a_product_is_that_of_the_loops_in_every_layout(form: str, accumulate: bool) -> None:
    rng = np.random.default_rng(5)
    for (m, k, n), a_turned, b_turned in itertools.product(
        [(1, 1, 1), (1, 5, 1), (5, 1, 3), (3, 4, 5), (4, 4, 4)], (False, True), (False, True)
    ):
        a, b, flat = rng.standard_normal((m, k)), rng.standard_normal((k, n)), rng.standard_normal(m * n + 2)
        out, around = flat[1:-1].reshape(m, n), flat[[0, -1]]
        wanted = product_by_loops(a, b) + (out if accumulate else 0.0)
        resolve("matmul", form)(np.asfortranarray(a) if a_turned else a, np.asfortranarray(b) if b_turned else b, out, accumulate)
        np.testing.assert_allclose(out, wanted, rtol=0, atol=1e-14)
        assert (flat[[0, -1]] == around).all()


@pytest.mark.parametrize("form", FORMS)
def test_at_the_kink_leaky_relu_has_the_slope_of_the_right_and_relu_that_of_the_left(form: str) -> None:
    dy, W, y = np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 1))
    assert [data_gradient(form, dy, W, name, y).item() for name in ("leaky_relu", "relu")] == [1.0, 0.0]


@pytest.mark.parametrize("form", FORMS)
def test_heads_on_one_layer_add_up_before_its_slope(form: str) -> None:
    first, second, W, y = layer(6)[0][:, :4].copy(), layer(7)[0][:, 1:5].copy(), layer(6)[1], np.tanh(layer(8)[0])
    dx = np.full((5, 7), np.nan)
    resolve("affine_data_gradient", form)(first, W, "linear", 0.0, y, dx, False)
    resolve("affine_data_gradient", form)(second, W, "tanh", 0.0, y, dx, True)
    np.testing.assert_allclose(dx, product_by_loops(first + second, W.T) * (1 - y**2), rtol=0, atol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_a_linear_layer_below_is_not_read(form: str) -> None:
    dy, W = layer(6)[0][:, :4].copy(), layer(6)[1]
    dx = np.full((5, 7), np.nan)
    resolve("affine_data_gradient", form)(dy, W, "linear", 0.0, dx, dx, False)
    np.testing.assert_allclose(dx, product_by_loops(dy, W.T), rtol=0, atol=1e-14)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_input_of_any_size_neither_overflows_nor_loses_itself(form: str, dtype: str) -> None:
    x, one, none = np.array([[-1000.0], [1000.0]], dtype), np.ones((1, 1), dtype), np.zeros(1, dtype)
    ends = {name: output(form, x, one, none, name, 0.0).ravel().tolist() for name in ("tanh", "sigmoid", "elu", "softplus")}
    assert ends == {"tanh": [-1, 1], "sigmoid": [0, 1], "elu": [-1, 1000], "softplus": [0, 1000]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_nan_stays_a_nan(form: str, activation: str) -> None:
    x, W, b = layer(7)
    x[2, 3] = np.nan
    assert np.isnan(output(form, x, W, b, activation)[2]).all()
    dy, y = layer(8)[0][:, :4].copy(), np.full((5, 7), 0.5)
    dy[1, 1] = np.nan
    assert np.isnan(data_gradient(form, dy, W, activation, y)[1]).all()


@pytest.mark.parametrize("form", FORMS)
def test_other_dtypes_and_layouts_are_refused(form: str) -> None:
    a = np.ones((4, 4))
    matmul = resolve("matmul", form)
    with pytest.raises(TypeError, match=r"^matmul float32 x float64 -> float64: one dtype is needed"):
        matmul(a.astype(np.float32), a, np.empty((4, 4)), False)
    with pytest.raises(TypeError, match=r"a C-contiguous out \(gemm would fill a copy\)$"):
        matmul(a, a, np.empty((4, 4)).T, False)
    with pytest.raises(TypeError, match=r"^matmul: b of shape \(4, 2\) is neither C-contiguous nor the transposed view of such an array$"):
        matmul(a, a[:, ::2], np.empty((4, 2)), False)


def test_what_is_read_by_its_address_has_one_dtype() -> None:
    x, W, b = layer(9, "float32")
    with pytest.raises(TypeError, match=r"^a dense layer's array of shape \(4,\), float64: a C-contiguous one of float32 is needed$"):
        output("cpu", x, W, b.astype(np.float64), "relu")


@pytest.mark.parametrize("form", FORMS)
def test_an_unknown_activation_and_a_slope_that_the_output_does_not_tell_are_refused(form: str) -> None:
    x, W, b = layer(10)
    with pytest.raises(InputError, match=r"^activation 'rely' is not known; did you mean 'relu'\?$"):
        output(form, x, W, b, "rely")
    with pytest.raises(
        InputError, match=r"^leaky_relu with slope 0: its output does not tell its derivative; expected a slope above 0, or use relu$"
    ):
        resolve("affine_data_gradient", form)(x[:, :4].copy(), W, "leaky_relu", 0.0, x, np.empty_like(x), False)
