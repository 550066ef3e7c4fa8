"""Corruption: what each kind does to a number, with what share and what moments, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from npae.backend import Array, backend
from npae.corruption import CORRUPTIONS, check_corruptible, check_corruption, check_likelihood, corrupt, draw_corrupted
from npae.errors import InputError

X = np.array([[0.2, 0.4, 0.6, 0.8]])
ROWS = np.random.default_rng(0).uniform(0.1, 0.9, (200, 50))


def _corrupted(kind: str, level: float, numbers: list[float], name: str = "numpy") -> list[float]:
    numbers_ = np.array([numbers])
    found: list[float] = corrupt(backend(name), kind, level, X, numbers_, np.empty_like(X), np.empty(X.shape, bool))[0].tolist()
    return found


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_each_kind_does_what_its_formula_says(name: str) -> None:
    assert _corrupted("gaussian", 0.5, [-1.0, 0.0, 1.0, 2.0], name) == pytest.approx([-0.3, 0.4, 1.1, 1.8])
    assert _corrupted("clipped_gaussian", 0.5, [-1.0, 0.0, 1.0, 2.0], name) == pytest.approx([0.0, 0.4, 1.0, 1.0])
    assert _corrupted("masking", 0.5, [0.0, 0.49, 0.5, 0.9], name) == [0.0, 0.0, 0.6, 0.8]
    assert _corrupted("salt_and_pepper", 0.5, [0.0, 0.249, 0.25, 0.5], name) == [0.0, 0.0, 1.0, 0.8]


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_level_zero_leaves_the_data_and_data_and_numbers_are_not_written_to(kind: str) -> None:
    before = ROWS.copy()
    np.testing.assert_array_equal(draw_corrupted(kind, 0.0, ROWS, seed=1), ROWS)
    draw_corrupted(kind, 0.4, ROWS, seed=1)
    np.testing.assert_array_equal(ROWS, before)
    u = np.full_like(X, 0.1)
    corrupt(backend("numpy"), kind, 0.4, X, u, np.empty_like(X), np.empty(X.shape, bool))
    assert (u == 0.1).all()


def _is_near(found: float, expected: float, trials: int) -> bool:
    """A share of so many trials, within five standard deviations."""
    return abs(found - expected) < 5 * np.sqrt(expected * (1 - expected) / trials)


def test_masking_sets_the_asked_share_to_zero_and_leaves_the_others() -> None:
    out = draw_corrupted("masking", 0.3, ROWS, seed=2)
    assert _is_near(float((out == 0).mean()), 0.3, out.size)
    np.testing.assert_array_equal(out[out != 0], ROWS[out != 0])


def test_salt_and_pepper_are_half_of_the_share_each() -> None:
    out = draw_corrupted("salt_and_pepper", 0.3, ROWS, seed=2)
    assert _is_near(float((out == 0).mean()), 0.15, out.size)
    assert _is_near(float((out == 1).mean()), 0.15, out.size)
    rest = (out != 0) & (out != 1)
    np.testing.assert_array_equal(out[rest], ROWS[rest])


def test_gaussian_noise_has_mean_zero_and_the_level_as_its_deviation() -> None:
    noise = draw_corrupted("gaussian", 0.7, ROWS, seed=2) - ROWS
    assert abs(noise.mean()) < 5 * 0.7 / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(0.7, rel=0.04)
    clipped = draw_corrupted("clipped_gaussian", 0.7, ROWS, seed=2)
    np.testing.assert_array_equal(clipped, np.clip(ROWS + noise, 0, 1))


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_seed_and_the_step_decide_and_the_numbers_of_a_row_do_not_depend_on_the_others(kind: str) -> None:
    out = draw_corrupted(kind, 0.4, ROWS, seed=5)
    np.testing.assert_array_equal(draw_corrupted(kind, 0.4, ROWS, seed=5), out)
    np.testing.assert_array_equal(draw_corrupted(kind, 0.4, ROWS[:7], seed=5), out[:7])
    assert (draw_corrupted(kind, 0.4, ROWS, seed=6) != out).any()
    assert (draw_corrupted(kind, 0.4, ROWS, seed=5, step=1) != out).any()


@pytest.mark.parametrize("kind", CORRUPTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(kind: str, dtype: str) -> None:
    assert draw_corrupted(kind, 0.4, ROWS.astype(dtype), seed=1).dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("kind", "level", "said"),
    [
        ("masked", 0.3, r"corruption 'masked' is not known; did you mean 'masking'\?"),
        ("masking", 1.2, r"level 1.2 does not fit corruption 'masking', where it is a share of the numbers, from 0 to 1"),
        ("salt_and_pepper", -0.1, r"level -0.1 does not fit corruption 'salt_and_pepper'"),
        ("gaussian", float("nan"), r"level nan does not fit corruption 'gaussian', where it is a standard deviation"),
        ("clipped_gaussian", -1.0, r"level -1.0 .* a finite number of at least 0"),
    ],
)
def test_an_unknown_kind_and_an_unfit_level_are_refused(kind: str, level: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_corruption(kind, level)
    with pytest.raises(InputError, match=said):
        draw_corrupted(kind, level, X, seed=0)


@pytest.mark.parametrize("kind", ["clipped_gaussian", "salt_and_pepper"])
@pytest.mark.parametrize("x", [np.array([[-0.1, 0.5]]), np.array([[0.5, 2.0]])])
def test_kinds_that_know_black_and_white_refuse_data_outside_the_unit_interval(kind: str, x: Array) -> None:
    with pytest.raises(InputError, match=rf"corruption '{kind}' is for data in \[0, 1\]; scale them"):
        check_corruptible(kind, x)
    assert check_corruptible(kind, X) is X


@pytest.mark.parametrize("kind", ["gaussian", "masking"])
def test_the_other_kinds_take_any_data(kind: str) -> None:
    x = np.array([[-3.0, 7.0]])
    assert check_corruptible(kind, x) is x


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_only_a_kind_that_keeps_to_the_unit_interval_goes_with_a_likelihood_that_needs_it(kind: str) -> None:
    out = draw_corrupted(kind, 0.9, ROWS, seed=3)
    check_likelihood(kind, "squared_error", unit_interval=False)
    if out.min() < 0 or out.max() > 1:
        with pytest.raises(InputError, match=rf"corruption '{kind}' leaves \[0, 1\], where .* 'bernoulli' .* take clipped_gaussian"):
            check_likelihood(kind, "bernoulli", unit_interval=True)
    else:
        check_likelihood(kind, "bernoulli", unit_interval=True)
