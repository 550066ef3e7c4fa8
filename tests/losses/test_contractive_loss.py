"""The contractive penalty: against Rifai's closed form, and against a Jacobian made of finite differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from npae.backend import Array, backend
from npae.errors import InputError
from npae.losses.contractive import SMOOTH, Contraction

F = {
    "linear": lambda a: a,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "softplus": lambda a: np.log1p(np.exp(a)),
}


def _network(names: tuple[str, ...], widths: tuple[int, ...]) -> tuple[list[Array], list[Array]]:
    rng = np.random.default_rng(4)
    W = [0.7 * rng.standard_normal(pair) for pair in itertools.pairwise(widths)]
    return W, [0.3 * rng.standard_normal(width) for width in widths[1:]]


def _outputs(names: tuple[str, ...], W: list[Array], b: list[Array], x: Array) -> list[Array]:
    outputs = []
    for name, w, c in zip(names, W, b, strict=True):
        x = F[name](x @ w + c)
        outputs.append(x)
    return outputs


def _bound(names: tuple[str, ...], name: str) -> Contraction:
    loss = Contraction(names)
    loss.bind(backend(name), np.dtype("float64"))
    return loss


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("names", [("sigmoid",), ("tanh", "linear"), ("softplus", "tanh", "sigmoid"), ("linear", "linear")])
def test_it_is_the_squared_norm_of_the_jacobian_found_by_differences(names: tuple[str, ...], name: str) -> None:
    widths = (*(6, 5, 4, 3)[: len(names)], 3)
    W, b = _network(names, widths)
    x, h = np.random.default_rng(5).standard_normal((7, 6)), 1e-5
    total = 0.0
    for feature in range(6):
        step = np.zeros(6)
        step[feature] = h
        column = (_outputs(names, W, b, x + step)[-1] - _outputs(names, W, b, x - step)[-1]) / (2 * h)
        total += float((column**2).sum())
    assert _bound(names, name).forward(W, _outputs(names, W, b, x)) == pytest.approx(total / 7, rel=1e-8)


def test_without_hidden_layers_it_is_rifais_sum_over_units() -> None:
    (W,), (b,) = _network(("sigmoid",), (6, 3))
    h = _outputs(("sigmoid",), [W], [b], np.random.default_rng(5).standard_normal((7, 6)))[0]
    expected = sum((h[i, j] * (1 - h[i, j])) ** 2 * float((W[:, j] ** 2).sum()) for i in range(7) for j in range(3)) / 7
    assert _bound(("sigmoid",), "numpy").forward([W], [h]) == pytest.approx(expected, rel=1e-13)


def test_of_linear_layers_it_is_the_norm_of_their_product_whatever_the_data() -> None:
    names = ("linear", "linear")
    W, b = _network(names, (6, 5, 3))
    outputs = _outputs(names, W, b, np.random.default_rng(5).standard_normal((7, 6)))
    assert _bound(names, "numpy").forward(W, outputs) == pytest.approx(float(((W[0] @ W[1]) ** 2).sum()), rel=1e-13)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_two_derivatives_of_each_activation_are_those_of_differences(name: str) -> None:
    a, h = np.linspace(-3, 3, 13), 1e-4
    slope = (F[name](a + h) - F[name](a - h)) / (2 * h)
    bend = (F[name](a + h) - 2 * F[name](a) + F[name](a - h)) / h**2
    d, d_of_h = np.empty_like(a), np.empty_like(a)
    SMOOTH[name](np, F[name](a), d, d_of_h)
    np.testing.assert_allclose(d, slope, atol=1e-7)
    np.testing.assert_allclose(d_of_h * d, bend, atol=1e-6)  # d'(h) h'(a) = f''(a)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
def test_an_activation_without_a_second_derivative_is_refused_with_those_that_have_one(name: str) -> None:
    with pytest.raises(InputError, match=f"activation '{name}': .* second derivative; take one of linear, sigmoid, tanh, softplus"):
        Contraction(("tanh", name))
