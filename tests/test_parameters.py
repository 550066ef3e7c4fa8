"""The flat vector of parameters: names, views, and where the numbers start."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from npae.backend import Array, backend
from npae.errors import InputError
from npae.parameters import INITIALISERS, Parameter, Parameters, check_initialiser

CPU = ("numpy", "numba")


def _parameters(
    initialiser: str = "flux", *, dtype: str = "float64", seed: int = 0, name: str = "numpy", n_in: int = 6, n_out: int = 4
) -> Parameters:
    named = {
        "encoder.0.W": Parameter((n_in, n_out), n_in, n_out, initialiser),
        "encoder.0.b": Parameter((n_out,), n_in, n_out, initialiser),
        "decoder.0.W": Parameter((n_out, n_in), n_out, n_in, initialiser),
        "decoder.0.b": Parameter((n_in,), n_out, n_in, initialiser),
    }
    return Parameters(iter(named.items()), backend=backend(name), dtype=dtype, seed=seed)


def _large(initialiser: str, tensor: str, *, n_in: int = 300, n_out: int = 200) -> Array:
    return _parameters(initialiser, n_in=n_in, n_out=n_out)[f"encoder.0.{tensor}"].value


def test_every_tensor_is_a_view_of_the_flat_vectors_in_the_order_of_the_names() -> None:
    parameters = _parameters()
    assert parameters.names() == list(parameters) == ["encoder.0.W", "encoder.0.b", "decoder.0.W", "decoder.0.b"]
    assert len(parameters) == 24 + 4 + 24 + 6
    offset = 0
    for name in parameters:
        for flat, view in ((parameters.value, parameters[name].value), (parameters.grad, parameters[name].grad)):
            place = slice(offset, offset + view.size)
            assert np.shares_memory(flat, view)
            flat[place] = np.arange(view.size)
            np.testing.assert_array_equal(view.ravel(), np.arange(view.size))
            view[...] = -1
            np.testing.assert_array_equal(flat[place], -1)
        assert parameters.slices[name] == place
        offset = place.stop
    assert offset == len(parameters)


def test_a_part_is_the_stretch_of_its_tensors() -> None:
    parameters = _parameters()
    assert parameters.part("encoder") == slice(0, 28)
    assert parameters.part("decoder") == slice(28, 58)


def test_a_part_is_not_mistaken_for_one_whose_name_begins_alike() -> None:
    named = {name: Parameter((2,), 2, 2, "flux") for name in ("head.W", "header.W")}
    assert Parameters(iter(named.items()), backend=backend("numpy"), dtype="float32", seed=0).part("head") == slice(0, 2)


def test_an_unknown_tensor_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"parameter 'encoder\.0\.V' is not in this model; did you mean 'encoder\.0\.[Wb]'\?"):
        _parameters()["encoder.0.V"]


def test_the_gradient_starts_at_zero_and_zero_grad_keeps_its_memory() -> None:
    parameters = _parameters()
    flat = parameters.grad
    assert not flat.any()
    parameters["decoder.0.W"].grad += 1
    parameters.zero_grad()
    assert parameters.grad is flat
    assert not flat.any()


@pytest.mark.parametrize("name", ["flux", "keras"])
def test_flux_and_keras_start_with_glorots_uniform_weights_and_zero_biases(name: str) -> None:
    W = _large(name, "W")
    limit = math.sqrt(6 / (300 + 200))
    assert stats.kstest(W.ravel(), "uniform", (-limit, 2 * limit)).pvalue > 1e-3
    assert 0.999 * limit < np.abs(W).max() <= limit
    assert not _large(name, "b").any()


def test_pytorch_starts_weights_and_biases_uniform_within_one_over_the_root_of_the_inputs() -> None:
    limit = 1 / math.sqrt(300)
    for tensor in ("W", "b"):
        values = _large("pytorch", tensor)
        assert stats.kstest(values.ravel(), "uniform", (-limit, 2 * limit)).pvalue > 1e-3, tensor
        assert np.abs(values).max() <= limit
    decoder = _parameters("pytorch", n_in=300, n_out=200)["decoder.0.b"].value
    assert 1 / math.sqrt(300) < np.abs(decoder).max() <= 1 / math.sqrt(200), "the fan is that of the tensor's own layer"


def test_he_starts_with_normal_weights_of_variance_two_over_the_inputs_and_zero_biases() -> None:
    assert stats.kstest(_large("he", "W").ravel(), "norm", (0, math.sqrt(2 / 300))).pvalue > 1e-3
    assert not _large("he", "b").any()


@pytest.mark.parametrize("initialiser", sorted(INITIALISERS))
def test_the_same_seed_gives_the_same_weights_on_every_backend_and_another_seed_others(initialiser: str) -> None:
    start = _parameters(initialiser, seed=3).value
    np.testing.assert_array_equal(_parameters(initialiser, seed=3, name="numba").value, start)
    weights = start[:24]
    assert (_parameters(initialiser, seed=4).value[:24] != weights).all()


@pytest.mark.parametrize("initialiser", sorted(INITIALISERS))
def test_float32_weights_are_the_rounded_float64_ones(initialiser: str) -> None:
    wide, narrow = _parameters(initialiser, dtype="float64"), _parameters(initialiser, dtype="float32")
    assert narrow.value.dtype == narrow.grad.dtype == np.float32
    np.testing.assert_array_equal(narrow.value, wide.value.astype(np.float32))


@pytest.mark.parametrize("initialiser", sorted(INITIALISERS))
def test_tensors_of_equal_shape_start_with_different_numbers(initialiser: str) -> None:
    parameters = _parameters(initialiser, n_in=5, n_out=5)
    assert (parameters["encoder.0.W"].value != parameters["decoder.0.W"].value).all()


def test_initialise_starts_again_in_the_same_memory() -> None:
    parameters = _parameters(seed=1)
    flat, start = parameters.value, parameters.value.copy()
    parameters.value += 1
    parameters.initialise(1)
    assert parameters.value is flat
    np.testing.assert_array_equal(flat, start)


def test_an_unknown_initialiser_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"initialiser 'kears' is not known; did you mean 'keras'\?"):
        check_initialiser("kears")
    with pytest.raises(InputError, match="initialiser 'glorot' is not known; known: flux, he, keras, pytorch"):
        check_initialiser("glorot")


@pytest.mark.parametrize("seed", [-1, 0.5])
def test_a_bad_seed_is_refused(seed: float) -> None:
    with pytest.raises(InputError, match=f"seed {seed} is not a whole number"):
        _parameters(seed=seed)  # type: ignore[arg-type]
