"""The bandwidth rules against a full sort of the distances, as their sources word them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from npae.backend import Array, Backend
from npae.errors import InputError
from npae.losses import RBFMMD, Bandwidth
from npae.losses.bandwidth import RULES, check_rule

SIZES = (2, 3, 4, 7, 20, 100)


def _samples(n: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return 0.5 * rng.standard_normal((n, 3)) + 1, rng.standard_normal((n, 3))


def _sorted(a: Array, b: Array) -> list[float]:
    """All squared distances between the rows of a and of b, ascending."""
    return sorted(sum((float(p) - float(q)) ** 2 for p, q in zip(x, y, strict=True)) for x in a for y in b)


@pytest.mark.parametrize("n", SIZES)
def test_flux_adds_the_h_th_smallest_of_both_matrices_counted_from_one(computing: Backend, n: int) -> None:
    z, w = _samples(n)
    h = (n**2 - n) // 2
    expected = _sorted(z, w)[h - 1] + _sorted(z, z)[h - 1]
    assert Bandwidth("flux").value(computing, z, w) == pytest.approx(expected, rel=1e-12)


def test_flux_with_a_batch_of_100_takes_entry_4949_counted_from_zero(computing: Backend) -> None:
    z, w = _samples(100)
    assert Bandwidth("flux").value(computing, z, w) == pytest.approx(_sorted(z, w)[4949] + _sorted(z, z)[4949], rel=1e-12)


@pytest.mark.parametrize("n", SIZES)
def test_tolstikhin_adds_the_h_th_largest_of_both_matrices(computing: Backend, n: int) -> None:
    z, w = _samples(n)
    h = (n**2 - n) // 2
    expected = sorted(_sorted(z, w), reverse=True)[h - 1] + sorted(_sorted(z, z), reverse=True)[h - 1]
    assert Bandwidth("tolstikhin").value(computing, z, w) == pytest.approx(expected, rel=1e-12)
    assert _sorted(z, w)[n * n - h] == sorted(_sorted(z, w), reverse=True)[h - 1]


@pytest.mark.parametrize("n", SIZES)
def test_median_is_the_lower_median_over_distinct_pairs_of_both_samples_together(computing: Backend, n: int) -> None:
    z, w = _samples(n)
    pool = np.concatenate([z, w])
    pairs = sorted(float(((pool[i] - pool[j]) ** 2).sum()) for i in range(2 * n) for j in range(i))
    assert Bandwidth("median").value(computing, z, w) == pytest.approx(pairs[(len(pairs) - 1) // 2], rel=1e-12)


@pytest.mark.parametrize("prior_variance", [1.0, 3.0])
def test_prior_is_the_mean_squared_distance_of_two_draws_of_the_prior(computing: Backend, prior_variance: float) -> None:
    z, w = _samples(4)
    rule = Bandwidth("prior", prior_variance=prior_variance)
    a, b = math.sqrt(prior_variance) * np.random.default_rng(1).standard_normal((2, 100_000, 3))
    d2 = ((a - b) ** 2).sum(axis=1)
    assert rule.value(computing, z, w) == pytest.approx(d2.mean(), abs=4 * d2.std() / math.sqrt(100_000))
    assert rule.value(computing, z, w) == 2 * 3 * prior_variance


@pytest.mark.parametrize("rule", [0.5, 3, "2.5"])
def test_a_number_is_itself(computing: Backend, rule: str | float) -> None:
    assert Bandwidth(rule).value(computing, *_samples(4)) == float(rule)


def test_only_the_rules_that_look_at_the_codes_have_a_gradient() -> None:
    every: tuple[str | float, ...] = (*RULES, 2.0)
    assert [rule for rule in every if Bandwidth(rule).depends_on_z] == ["flux", "tolstikhin", "median"]
    assert not RBFMMD("prior", stop_gradient=False).through_bandwidth
    assert not RBFMMD("flux").through_bandwidth
    assert RBFMMD("flux", stop_gradient=False).through_bandwidth


@pytest.mark.parametrize("rule", ["flux", "tolstikhin", "median"])
def test_the_gradient_of_a_rule_is_the_slope_of_the_sorted_distances(computing: Backend, rule: str) -> None:
    for seed in range(5):  # the picked pair of the pool lies in z, in w, and across them
        z, w = _samples(6, seed)
        bandwidth = Bandwidth(rule)
        bandwidth.value(computing, z, w)
        dz = np.full_like(z, 0.25)
        bandwidth.backward(computing, z, w, 3.0, dz)
        for place in np.ndindex(z.shape):
            ends = []
            for h in (1e-6, -1e-6):
                moved = z.copy()
                moved[place] += h
                ends.append(Bandwidth(rule).value(computing, moved, w))
            assert dz[place] == pytest.approx(0.25 + 3 * (ends[0] - ends[1]) / 2e-6, abs=1e-6), (seed, place)


@pytest.mark.parametrize("rule", ["flux", "tolstikhin", "median"])
def test_float32_takes_the_same_entry(computing: Backend, rule: str) -> None:
    z, w = (sample.astype(np.float32) for sample in _samples(30))
    wide = Bandwidth(rule).value(computing, z.astype(float), w.astype(float))
    assert Bandwidth(rule).value(computing, z, w) == pytest.approx(wide, rel=1e-5)


@pytest.mark.parametrize("rule", ["flux", "tolstikhin", "median"])
def test_collapsed_codes_are_refused_with_a_way_out(computing: Backend, rule: str) -> None:
    same = np.ones((5, 2))
    with pytest.raises(InputError, match=rf"bandwidth '{rule}': the chosen distances between codes are all 0 .*give a number or 'prior'"):
        Bandwidth(rule).value(computing, same, same)


@pytest.mark.parametrize("rule", [-1, 0, 0.0, math.inf, math.nan, "-1", "nan"])
def test_a_number_that_is_no_squared_length_is_refused(rule: str | float) -> None:
    with pytest.raises(
        InputError, match="is not a squared length: it must be finite and above 0, or one of flux, tolstikhin, median, prior"
    ):
        check_rule(rule)


def test_an_unknown_rule_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"bandwidth 'tolstikin' is neither a number nor a rule; did you mean 'tolstikhin'\?"):
        check_rule("tolstikin")
