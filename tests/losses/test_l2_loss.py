"""The squared norm of one part of the parameters: value, added gradient, and the part left alone."""

from __future__ import annotations

import numpy as np
import pytest

from npae.backend import Backend
from npae.losses import L2
from npae.parameters import Parameter, Parameters


def _attached(computing: Backend) -> tuple[L2, Parameters]:
    named = {
        "encoder.W": Parameter((2, 2), 2, 2, "flux"),
        "decoder.W": Parameter((2, 3), 2, 3, "flux"),
        "decoder.b": Parameter((3,), 2, 3, "flux"),
    }
    parameters = Parameters(iter(named.items()), backend=computing, dtype="float64", seed=0)
    parameters.value[:] = np.arange(1.0, 14.0)
    loss = L2()
    loss.bind(computing, parameters.dtype)
    loss.attach(parameters, "decoder")
    return loss, parameters


def test_the_value_is_the_sum_of_squares_of_weights_and_biases_without_a_half(computing: Backend) -> None:
    loss, _ = _attached(computing)
    assert loss.forward() == sum(p**2 for p in range(5, 14))


def test_the_gradient_adds_twice_the_weighted_parameters_to_what_is_there(computing: Backend) -> None:
    loss, parameters = _attached(computing)
    parameters.grad += 100
    loss.forward()
    loss.backward(0.25)
    np.testing.assert_array_equal(parameters["decoder.W"].grad, 100 + 0.5 * parameters["decoder.W"].value)
    np.testing.assert_array_equal(parameters["decoder.b"].grad, 100 + 0.5 * parameters["decoder.b"].value)
    np.testing.assert_array_equal(parameters["encoder.W"].grad, 100)


def test_the_value_follows_the_parameters_as_they_move(computing: Backend) -> None:
    loss, parameters = _attached(computing)
    parameters.value[:] = 1
    assert loss.forward() == pytest.approx(9)
