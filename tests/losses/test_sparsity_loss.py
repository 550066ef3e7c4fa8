"""The sparsity penalties: against a double loop, against scipy's divergence, at their minimum, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from npae.backend import Array, backend
from npae.errors import InputError
from npae.losses.sparsity import L1, TargetRate, make_penalty

BACKENDS = ["numpy", "numba"]


def _bound(loss: L1 | TargetRate, name: str) -> L1 | TargetRate:
    loss.bind(backend(name), np.dtype("float64"))
    return loss


@pytest.fixture
def z() -> Array:
    """Codes in (0, 1)."""
    return np.random.default_rng(0).uniform(0.02, 0.98, (7, 3))


@pytest.mark.parametrize("name", BACKENDS)
def test_l1_is_the_sum_of_absolute_values_per_row(name: str, z: Array) -> None:
    z = z - 0.5
    z[2, 1] = 0.0
    loss = _bound(L1(), name)
    assert loss.forward(z) == pytest.approx(sum(abs(float(z[i, j])) for i in range(7) for j in range(3)) / 7, rel=1e-13)
    dz = loss.backward(2.0)
    assert dz.tolist() == [[2 / 7 * (1 if value > 0 else -1 if value < 0 else 0) for value in row] for row in z.tolist()]


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("rate", [0.05, 0.6])
def test_the_target_rate_is_the_divergence_of_two_coins_summed_over_units(name: str, rate: float, z: Array) -> None:
    loss = _bound(TargetRate(rate), name)
    expected = 0.0
    for unit in range(3):
        mean = sum(float(z[i, unit]) for i in range(7)) / 7
        expected += float(stats.entropy([rate, 1 - rate], [mean, 1 - mean]))
    assert loss.forward(z) == pytest.approx(expected, rel=1e-12)


def test_the_gradient_of_the_target_rate_is_the_same_for_every_row_and_points_at_the_rate() -> None:
    z = np.array([[0.9, 0.01], [0.7, 0.03], [0.2, 0.02]])  # unit 0 is active too often, unit 1 too rarely
    loss = _bound(TargetRate(0.1), "numpy")
    loss.forward(z)
    dz = loss.backward()
    assert (dz == dz[0]).all()
    assert dz[0, 0] > 0 > dz[0, 1]
    assert dz[0, 0] == pytest.approx((0.9 / 0.4 - 0.1 / 0.6) / 3)


def test_at_the_rate_itself_there_is_neither_penalty_nor_gradient() -> None:
    loss = _bound(TargetRate(0.25), "numpy")
    assert loss.forward(np.array([[0.0, 0.5], [0.5, 0.0]])) == pytest.approx(0.0, abs=1e-15)
    assert abs(loss.backward()).max() < 1e-15


def test_a_unit_that_is_always_silent_costs_without_bound() -> None:
    loss = _bound(TargetRate(0.1), "numpy")
    with np.errstate(divide="ignore"):
        assert loss.forward(np.zeros((3, 2))) == math.inf


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, math.nan])
def test_a_rate_that_is_none_is_refused_for_either_penalty(rate: float) -> None:
    for penalty in ("l1", "kl"):
        with pytest.raises(InputError, match=f"target_rate {rate} is not between 0 and 1"):
            make_penalty(penalty, rate)


def test_an_unknown_penalty_is_refused() -> None:
    with pytest.raises(InputError, match="penalty 'l2' is not known"):
        make_penalty("l2", 0.1)
