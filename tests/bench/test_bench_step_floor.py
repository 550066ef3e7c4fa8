"""The work of a step, counted by hand; and the least time that it takes."""

from __future__ import annotations

import pytest

from bench.catalogue import settings_of
from bench.describe import describe
from bench.network import Network
from bench.problem import make_model
from bench.step_floor import floor, work

RATES = {"gemm_flops": 1e9, "exponentials": 1e6, "copy_bytes": 1e9}


def network(name: str) -> Network:
    return describe(*make_model(settings_of(name, "numpy"), {}), 100)


def test_products_are_counted_for_forward_weights_and_inputs_but_never_for_the_datas_gradient() -> None:
    done = work(network("flux-ae"), 100, "float32")
    first, rest = 784 * 128, 128 * 8 + 8 * 128 + 128 * 784
    assert done["gemm_flops"] == 2 * 100 * (2 * first + 3 * rest)
    assert done["exponentials"] == 0


def test_adam_reads_and_writes_three_numbers_for_each_parameter() -> None:
    chosen = network("flux-ae")
    parameters = 784 * 128 + 128 + 128 * 8 + 8 + 8 * 128 + 128 + 128 * 784 + 784
    assert work(chosen, 100, "float32")["copy_bytes"] == 6 * 4 * parameters
    assert work(chosen, 100, "float64")["copy_bytes"] == 6 * 8 * parameters


def test_exponentials_are_those_of_the_likelihood_the_code_and_the_kernel() -> None:
    assert work(network("flux-vae"), 100, "float32")["exponentials"] == 100 * (2 * 784 + 8 + 8)
    assert work(network("flux-wae"), 100, "float32")["exponentials"] == 100 * 8 + 2 * 100 * 100
    adcme = 100 * (4 * 500 + 20 + 784 + 2 * 784 + 20 + 20)  # elu and tanh, softplus, sigmoid, two logarithms a pixel, sigma, its logarithm
    assert work(network("adcme-vae"), 100, "float32")["exponentials"] == adcme


def test_arithmetic_adds_up_and_memory_runs_beside_it() -> None:
    chosen = network("flux-vae")
    found = floor(chosen, 100, "float32", RATES, 0.2)
    done = found["work"]
    arithmetic = 1e3 * (done["gemm_flops"] / 1e9 + done["exponentials"] / 1e6)
    assert found["milliseconds"] == pytest.approx(arithmetic)
    slow_memory = floor(chosen, 100, "float32", RATES | {"copy_bytes": 1e3}, 0.2)
    assert slow_memory["milliseconds"] == pytest.approx(1e3 * done["copy_bytes"] / 1e3)


def test_a_first_layer_that_skips_zeros_has_less_to_multiply() -> None:
    found = floor(network("flux-ae"), 100, "float32", RATES, 0.2)
    skipped = 0.8 * 2 * 100 * 2 * 784 * 128
    assert found["milliseconds"] - found["sparse_milliseconds"] == pytest.approx(1e3 * skipped / 1e9)


def test_float64_halves_the_rates_of_arithmetic() -> None:
    single, double = (floor(network("flux-vae"), 100, dtype, RATES, 0.2)["milliseconds"] for dtype in ("float32", "float64"))
    assert double == pytest.approx(2 * single)
