"""Interpolation and traversal: which codes are decoded, checked against formulas worked another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import geometric_slerp
from scipy.stats import norm

from npae.errors import InputError
from npae.figures.interpolation import interpolation, linear, spherical
from npae.figures.traverse import traverse

X = NDArray[np.float64]
T = np.linspace(0, 1, 7)


class Decoder:
    """Remembers the codes that it is asked for; pictures of 2 by 3 in grey."""

    def __init__(self) -> None:
        self.asked: list[X] = []

    def __call__(self, z: X) -> X:
        self.asked.append(z)
        return np.full((len(z), 6), 0.5)


def test_a_line_goes_in_equal_steps() -> None:
    np.testing.assert_allclose(linear(np.array([0.0, 6.0]), np.array([6.0, 0.0]), T), np.stack([6 * T, 6 - 6 * T], axis=1), atol=1e-12)


@given(seed=st.integers(0, 1000), size=st.integers(2, 20))
@settings(max_examples=30, deadline=None)
def test_on_a_sphere_the_arc_is_that_of_scipy(seed: int, size: int) -> None:
    a, b = (v / np.linalg.norm(v) for v in np.random.default_rng(seed).standard_normal((2, size)))
    np.testing.assert_allclose(spherical(a, b, T), geometric_slerp(a, b, T), atol=1e-9)


def test_between_two_draws_of_a_gaussian_the_arc_keeps_the_length_and_the_line_does_not() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 400))
    middle = np.array([0.5])
    ends = (np.linalg.norm(a) + np.linalg.norm(b)) / 2
    assert abs(np.linalg.norm(spherical(a, b, middle)) / ends - 1) < 0.01
    assert np.linalg.norm(linear(a, b, middle)) < 0.8 * ends


def test_the_ends_of_both_ways_are_the_two_codes() -> None:
    a, b = np.array([3.0, 1.0, 0.0]), np.array([0.0, -2.0, 5.0])
    for way in (linear, spherical):
        np.testing.assert_allclose(way(a, b, np.array([0.0, 1.0])), [a, b], atol=1e-12)


def test_codes_that_point_the_same_way_go_along_the_line() -> None:
    a = np.array([1.0, 2.0])
    np.testing.assert_allclose(spherical(a, 3 * a, T), linear(a, 3 * a, T), rtol=1e-9)
    np.testing.assert_array_equal(spherical(a, a, T), linear(a, a, T))


def test_an_arc_without_a_direction_is_refused() -> None:
    a = np.array([1.0, 2.0])
    with pytest.raises(InputError, match="exactly opposite ways"):
        spherical(a, -2 * a, T)
    with pytest.raises(InputError, match="length 0 has no direction"):
        spherical(a, 0 * a, T)


def test_the_figure_decodes_both_ways_in_rows_with_the_time_above() -> None:
    decode = Decoder()
    a, b = np.array([2.0, 0.0]), np.array([0.0, 2.0])
    axes = interpolation(decode, a, b, (2, 3), steps=5).axes[0]
    line, arc = decode.asked
    np.testing.assert_allclose(line[2], [1, 1])
    np.testing.assert_allclose(arc[2], [np.sqrt(2), np.sqrt(2)])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["linear", "spherical"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "0.25", "0.5", "0.75", "1"]


def test_codes_of_different_length_are_refused() -> None:
    with pytest.raises(InputError, match="two codes of the same length"):
        interpolation(Decoder(), np.zeros(2), np.zeros(3), (2, 3))


def test_only_the_two_units_leave_the_code_and_they_go_through_the_quantiles() -> None:
    decode, rest = Decoder(), np.array([9.0, 8.0, 7.0, 6.0])
    figure = traverse(decode, (2, 3), rest=rest, units=(3, 1), grid=5)
    z = decode.asked[0].reshape(5, 5, 4)
    assert (z[..., [0, 2]] == [9, 7]).all()
    quantiles = norm.ppf((np.arange(5) + 0.5) / 5)
    np.testing.assert_allclose(z[0, :, 3], quantiles, atol=1e-12)
    np.testing.assert_allclose(z[:, 0, 1], quantiles[::-1], atol=1e-12)
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("z₄", "z₂")


@pytest.mark.parametrize("units", [(0, 0), (0, 4), (-1, 2)])
def test_units_that_the_code_does_not_have_are_refused(units: Any) -> None:
    with pytest.raises(InputError, match="two different numbers from 0 to 3"):
        traverse(Decoder(), (2, 3), rest=np.zeros(4), units=units)
