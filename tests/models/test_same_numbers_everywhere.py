"""The same objective and gradient on every backend, in both dtypes, and however a batch is cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.models import AE, VAE, Model

Make = Callable[..., Model]


def _gradient(model: Model, x: Array, y: Array | None, *, dtype: str = "float64") -> tuple[float, Array]:
    """The total and the gradient, with the noise of step 5."""
    terms = model.loss_and_grad(x, y, noise=model.draw(7, 5, len(x)), step=3)
    return terms.total, model.parameters.grad.astype(dtype)


def test_numpy_and_numba_agree_in_float32(make: Make, x: Array, y: Array | None) -> None:
    total, gradient = _gradient(make(backend="numpy"), x, y)
    other_total, other_gradient = _gradient(make(backend="numba"), x, y)
    assert other_total == pytest.approx(total, rel=1e-6)
    np.testing.assert_allclose(other_gradient, gradient, rtol=0, atol=1e-5 * np.abs(gradient).max())


def test_numpy_and_numba_agree_in_float64(make: Make, x: Array, y: Array | None) -> None:
    total, gradient = _gradient(make(backend="numpy", dtype="float64"), x, y)
    other_total, other_gradient = _gradient(make(backend="numba", dtype="float64"), x, y)
    assert other_total == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(other_gradient, gradient, rtol=0, atol=1e-11 * np.abs(gradient).max())


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_float32_is_float64_up_to_its_rounding(make: Make, x: Array, y: Array | None, backend: str) -> None:
    total, gradient = _gradient(make(backend=backend, dtype="float64"), x, y)
    narrow_total, narrow_gradient = _gradient(make(backend=backend, dtype="float32"), x, y)
    assert narrow_total == pytest.approx(total, rel=2e-6)
    np.testing.assert_allclose(narrow_gradient, gradient, rtol=0, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_batch_drawn_in_parts_has_the_numbers_of_the_whole(make: Make, backend: str) -> None:
    model = make(backend=backend)
    whole, part = model.draw(3, 11, 100), model.draw(3, 11, range(50, 100))
    assert list(whole) == list(part) == list(model.noise_columns())
    for name in whole:
        np.testing.assert_array_equal(part[name], whole[name][50:], err_msg=name)
        np.testing.assert_array_equal(model.draw(3, 11, np.array([70, 2]))[name], whole[name][[70, 2]], err_msg=name)


def test_every_name_of_the_noise_has_numbers_of_its_own(make: Make) -> None:
    arrays = [array[:, 0] for array in make().draw(0, 0, 50).values()]
    for first in range(len(arrays)):
        for second in range(first):
            assert (arrays[first] != arrays[second]).all()


def test_another_step_or_seed_draws_other_numbers(make: Make) -> None:
    model = make()
    for name, array in model.draw(0, 0, 10).items():
        assert (model.draw(0, 1, 10)[name] != array).all()
        assert (model.draw(1, 0, 10)[name] != array).all()


def test_noise_drawn_into_given_arrays_is_the_same_and_makes_no_new_ones(make: Make) -> None:
    model = make()
    given = model.draw(0, 0, 10)
    arrays = dict(given)
    returned = model.draw(0, 1, 10, out=given)
    assert returned is given
    for name, array in model.draw(0, 1, 10).items():
        assert given[name] is arrays[name]
        np.testing.assert_array_equal(given[name], array)


# an MMD looks at a batch as a whole, free bits at its mean: those objectives are no sums over rows
@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(
    ("model_class", "options"),
    [
        (AE, {"dropout": 0.2}),
        (AE, {"reconstruction": "mean_squared_error"}),
        (VAE, {}),
        (VAE, {"posterior": "log_variance", "reconstruction": "gaussian", "dropout": 0.2}),
        (VAE, {"posterior": "sigma", "reconstruction": "bernoulli_probabilities", "beta": 3.0}),
    ],
)
def test_the_gradient_of_a_batch_is_the_weighted_sum_of_those_of_its_parts(
    model_class: type[Model], options: dict[str, Any], backend: str, x: Array
) -> None:
    model = model_class(12, (9,), 4, dtype="float64", backend=backend, **options)
    noise = model.draw(0, 0, 20)
    total, gradient = 0.0, np.zeros(len(model.parameters))
    for part in (slice(0, 7), slice(7, 8), slice(8, 20)):
        share = len(x[part]) / 20
        total += share * model.loss_and_grad(x[part], noise=noise.rows(part)).total
        gradient += share * model.parameters.grad
    assert model.loss_and_grad(x, noise=noise).total == pytest.approx(total, rel=1e-13)
    np.testing.assert_allclose(model.parameters.grad, gradient, rtol=0, atol=1e-13 * np.abs(gradient).max())


def test_the_order_of_the_rows_does_not_matter(make: Make, x: Array, y: Array | None) -> None:
    model = make(dtype="float64")
    noise, order = model.draw(0, 0, 20), np.random.default_rng(0).permutation(20)
    total, gradient = model.loss_and_grad(x, y, noise=noise).total, model.parameters.grad.copy()
    assert model.loss_and_grad(x[order], y if y is None else y[order], noise=noise.rows(order)).total == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(model.parameters.grad, gradient, rtol=0, atol=1e-11 * np.abs(gradient).max())
