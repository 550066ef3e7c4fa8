"""exp, 2^-x, e^-x, log and log1p against NumPy in float64, at ordinary and at special arguments; and that loops made of them vectorise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from npae.kernels import elementary
from npae.kernels.jit import FAST, jit
from npae.kernels.registry import resolve

Array = np.ndarray[Any, Any]


@jit(FAST)
def exp_of(x: Array, out: Array) -> None:
    for i in range(len(x)):
        out[i] = elementary.exp(x[i])


@jit(FAST)
def exp2_minus_of(x: Array, out: Array) -> None:
    for i in range(len(x)):
        out[i] = elementary.exp2_minus(x[i])


@jit(FAST)
def exp_minus_of(x: Array, out: Array) -> None:
    for i in range(len(x)):
        out[i] = elementary.exp_minus(x[i])


@jit(FAST)
def log_of(x: Array, out: Array) -> None:
    for i in range(len(x)):
        out[i] = elementary.log(x[i])


@jit(FAST)
def log1p_of(x: Array, out: Array) -> None:
    for i in range(len(x)):
        out[i] = elementary.log1p(x[i])


def evaluate(function: Callable[..., None], x: Array) -> Array:
    out = np.full_like(x, 7)
    function(x, out)
    return out


ORDINARY = np.linspace(0, 1, 100_001)
RANGES = {
    "exp": (exp_of, np.exp, ORDINARY * 175.6 - 87.3),
    "exp2_minus": (exp2_minus_of, lambda x: np.exp2(-x), ORDINARY * 126),
    "exp2_minus of small numbers": (exp2_minus_of, lambda x: np.exp2(-x), ORDINARY),
    "log over all magnitudes": (log_of, np.log, np.exp(ORDINARY * 175 - 87)),
    "log near one": (log_of, np.log, 0.5 + ORDINARY * 1.5),
    "log1p": (log1p_of, np.log1p, ORDINARY),
    "log1p of small numbers": (log1p_of, np.log1p, 1e-3 * ORDINARY),
}


@pytest.mark.parametrize("name", RANGES)
def test_float32_is_within_its_stated_relative_error(name: str) -> None:
    function, truth, x = RANGES[name]
    x = x.astype(np.float32)
    want = truth(x.astype(np.float64))
    assert np.abs(evaluate(function, x) - want).max() > 0  # not the float64 form
    assert (np.abs(evaluate(function, x) - want) <= 1.8e-7 * np.abs(want)).all()


@pytest.mark.parametrize(("dtype", "allowed"), [("float32", 1e-7), ("float64", 4.5e-16)])
def test_e_to_the_minus_x_is_within_an_error_that_grows_with_x(dtype: str, allowed: float) -> None:
    x = (87 * ORDINARY).astype(dtype)
    want = np.exp(-x.astype(np.float64))
    error = np.abs(evaluate(exp_minus_of, x) - want)
    assert error.max() > 0
    assert (error <= allowed * (1 + x) * want).all()
    assert (evaluate(exp_minus_of, np.array([88, 1e3, 1e30, np.inf], dtype)) <= 1.2e-38).all()
    assert evaluate(exp_minus_of, np.zeros(1, dtype)) == 1


@pytest.mark.parametrize("name", RANGES)
def test_float64_is_within_two_units_in_the_last_place(name: str) -> None:
    function, truth, x = RANGES[name]
    want = truth(x)
    assert (np.abs(evaluate(function, x) - want) <= 4.5e-16 * np.abs(want)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_arguments_keep_their_meaning(dtype: str) -> None:
    def values(function: Callable[..., None], *x: float) -> list[float]:
        return [float(y) for y in evaluate(function, np.array(x, dtype))]

    inf, nan = np.inf, np.nan
    assert values(exp_of, 0.0, -inf, inf, -1e9, 1e9) == [1.0, 0.0, inf, 0.0, inf]
    assert values(exp2_minus_of, 0.0, 1.0, 126.0) == [1.0, 0.5, 2.0**-126]
    assert values(log_of, 1.0, 0.0, inf) == [0.0, -inf, inf]
    assert values(log1p_of, 0.0) == [0.0]
    assert np.isnan(values(exp_of, nan) + values(log_of, nan, -1.0, -inf) + values(log1p_of, nan)).all()


def test_plain_python_calls_the_float64_forms() -> None:
    assert elementary.exp(1.0) == np.e
    assert elementary.exp2_minus(3.0) == 0.125
    assert elementary.exp_minus(1.0) == np.exp(-1.0)
    assert elementary.log(np.e) == 1.0
    assert elementary.log1p(1.0) == np.log(2.0)


@pytest.mark.parametrize("name", ["adam", "bernoulli_logits", "bernoulli_probabilities", "squared_error"])
def test_the_float32_loop_of_a_kernel_vectorises(name: str) -> None:
    kernel = resolve(name, "cpu")
    fresh = numba.njit(error_model="numpy", fastmath=set(FAST))(kernel.py_func)  # type: ignore[attr-defined]
    scalars = {"adam": 6, "bernoulli_logits": 1, "bernoulli_probabilities": 2, "squared_error": 1}[name]
    vector = numba.types.float32[::1] if name == "adam" else numba.types.float32[:, ::1]
    arrays = 4 if name == "adam" else 2
    gradient = () if name == "adam" else (vector,)
    fresh.compile((vector,) * arrays + (numba.types.float64,) * scalars + gradient)
    (code,) = fresh.inspect_llvm().values()
    assert " x float>" in code
