"""The unbiased MMD against a double loop, its closed-form expectation, central differences and its own definition; and its memory."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.kernels import mmd_imq, mmd_rbf
from npae.kernels.registry import resolve

FORMS = ["reference", "cpu"]
Array = np.ndarray[Any, Any]
SCALES = np.array([0.5, 3.0, 10.0])
SIGMA2 = 2.5


def gaussian(d2: float) -> float:
    return math.exp(-d2 / (2 * SIGMA2))


def inverse_multiquadratic(d2: float) -> float:
    return math.fsum(c / (c + d2) for c in SCALES.tolist())


def by_double_loop(z: Array, w: Array, k: Callable[[float], float]) -> float:
    def mean(x: Array, y: Array, same: bool) -> float:
        pairs = [
            k(sum((a - b) ** 2 for a, b in zip(p, q, strict=True))) for i, p in enumerate(x) for j, q in enumerate(y) if not same or i != j
        ]
        return math.fsum(pairs) / len(pairs)

    return mean(z, z, True) + mean(w, w, True) - 2 * mean(z, w, False)


def call(form: str, name: str, z: Array, w: Array, shape: Any) -> tuple[float, float, Array]:
    """The value, the derivative with respect to sigma2 (NaN where there is none) and the gradient."""
    dz = np.full_like(z, np.nan)
    returned = resolve(name, form)(z, w, shape, dz)
    value, slope = returned if isinstance(returned, tuple) else (returned, math.nan)
    return value, slope, dz


KERNELS = [("mmd_rbf", gaussian, SIGMA2), ("mmd_imq", inverse_multiquadratic, SCALES)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("name", "k", "shape"), KERNELS)
@pytest.mark.parametrize(("n", "m"), [(2, 2), (5, 9), (70, 66)])
def test_the_value_is_the_double_loop_without_the_diagonals(form: str, name: str, k: Any, shape: Any, n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    z, w = rng.standard_normal((n, 3)) + 0.5, rng.standard_normal((m, 3))
    value, _, _ = call(form, name, z, w, shape)
    assert value == pytest.approx(by_double_loop(z, w, k), abs=1e-14)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("name", "k", "shape"), KERNELS)
def test_the_gradient_is_the_central_difference_of_the_double_loop(form: str, name: str, k: Any, shape: Any) -> None:
    rng = np.random.default_rng(3)
    z, w, h = rng.standard_normal((4, 2)), rng.standard_normal((6, 2)), 1e-5
    _, _, dz = call(form, name, z, w, shape)
    for index in np.ndindex(z.shape):
        above, below = z.copy(), z.copy()
        above[index] += h
        below[index] -= h
        slope = (by_double_loop(above, w, k) - by_double_loop(below, w, k)) / (2 * h)
        assert dz[index] == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_the_derivative_with_respect_to_the_bandwidth_is_the_central_difference(form: str) -> None:
    rng = np.random.default_rng(4)
    z, w, h = rng.standard_normal((70, 3)) + 1, rng.standard_normal((50, 3)), 1e-5
    _, slope, _ = call(form, "mmd_rbf", z, w, SIGMA2)
    above, below = (call(form, "mmd_rbf", z, w, SIGMA2 + step)[0] for step in (h, -h))
    assert slope == pytest.approx((above - below) / (2 * h), rel=1e-8)


@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_the_mean_over_many_samples_is_the_closed_form(shift: float) -> None:
    """E k(x, y) of two independent normals is (s/(s+2))^(d/2) exp(-|shift|^2 / (2 (s+2))), s = sigma2: unbiased, so 0 without a shift."""
    d, sigma2, rng = 3, 4.0, np.random.default_rng(5)
    own = (sigma2 / (sigma2 + 2)) ** (d / 2)
    expected = 2 * own * (1 - math.exp(-d * shift**2 / (2 * (sigma2 + 2))))
    values = [mmd_rbf(rng.standard_normal((12, d)) + shift, rng.standard_normal((17, d)), sigma2)[0] for _ in range(3000)]
    assert abs(np.mean(values) - expected) < 4 * np.std(values) / math.sqrt(len(values))
    if shift == 0:
        assert min(values) < 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["mmd_rbf", "mmd_imq"])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_float32_keeps_its_digits_at_any_offset(form: str, name: str, offset: float) -> None:
    rng = np.random.default_rng(6)
    z, w = (rng.standard_normal((100, 8)) + offset).astype(np.float32), (rng.standard_normal((100, 8)) + offset).astype(np.float32)
    shape = 16.0 if name == "mmd_rbf" else 16.0 * SCALES
    value, _, dz = call(form, name, z, w, shape)
    truth, _, gradient = call("reference", name, z.astype(np.float64), w.astype(np.float64), shape)
    assert value == pytest.approx(truth, abs=1e-6)
    assert np.abs(dz - gradient).max() <= 1e-5 * np.abs(gradient).max()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["mmd_rbf", "mmd_imq"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_sample_that_is_not_finite_gives_no_finite_value(form: str, name: str, bad: float, sample: int) -> None:
    pair = [np.ones((4, 2)), np.zeros((5, 2))]
    pair[sample][1, 1] = bad
    value, _, _ = call(form, name, pair[0], pair[1], SIGMA2 if name == "mmd_rbf" else SCALES)
    assert math.isnan(value)


def test_the_public_constants_of_the_multiquadratic_are_twice_d_times_the_scale() -> None:
    rng = np.random.default_rng(7)
    z, w = rng.standard_normal((5, 4)), rng.standard_normal((6, 4))
    value, dz = mmd_imq(z, w, scales=(0.1, 2.0), prior_variance=1.5)
    want, _, gradient = call("reference", "mmd_imq", z, w, 2 * 4 * 1.5 * np.array([0.1, 2.0]))
    assert value == pytest.approx(want, rel=1e-13)
    np.testing.assert_allclose(dz, gradient, rtol=1e-10, atol=1e-15)


NEEDS = """
import resource, sys, numpy as np
from npae.kernels.registry import resolve
name, form, budget = sys.argv[1], sys.argv[2], int(sys.argv[3])
def call(n):
    z, w = np.random.default_rng(0).standard_normal((2, n, 4)).astype("float32")
    last = () if name == "distance_order_statistic" else (np.empty_like(z),)
    middle = {"mmd_rbf": 2.0, "mmd_imq": np.ones(2), "distance_order_statistic": n * n // 2}[name]
    resolve(name, form)(z, w, middle, *last)
call(200)
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + budget, now + budget))
try:
    call(4000)
except MemoryError:
    print("out of memory")
else:
    print("fits")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own address space through /proc")
@pytest.mark.parametrize("name", ["mmd_rbf", "mmd_imq", "distance_order_statistic"])
def test_the_compiled_form_works_where_a_matrix_of_distances_does_not_fit(name: str) -> None:
    def run(form: str) -> str:
        command = [sys.executable, "-c", NEEDS, name, form, str(16 * 2**20)]  # one 4000 x 4000 matrix of float32 takes 61 MiB
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert run("cpu") == "fits"
    if name == "mmd_rbf":
        assert run("reference") == "out of memory"
