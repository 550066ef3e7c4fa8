"""Signal-to-noise ratios worked by hand, and against noise of a known size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from npae.errors import InputError
from npae.evaluation.decibels import psnr, snr


def test_an_error_of_a_tenth_is_twenty_decibels_below_the_peak() -> None:
    clean = np.array([[0.0, 1.0, 0.5, 0.25]])
    assert psnr(clean + 0.1, clean) == pytest.approx(20)
    assert psnr(255 * (clean + 0.1), 255 * clean) == pytest.approx(20)  # the unit is nothing to it


def test_the_power_of_a_sound_does_not_count_its_constant() -> None:
    tone = np.sin(np.linspace(0, 20 * np.pi, 1000, endpoint=False))[None]
    noise = np.random.default_rng(0).standard_normal((1, 1000))
    noise *= math.sqrt(0.005 / np.mean(noise**2))  # a hundredth of the power 1/2
    assert snr(tone + noise, tone) == pytest.approx(20)
    assert snr(tone + noise + 3, tone + 3) == pytest.approx(20)


def test_powers_and_errors_are_summed_over_rows_before_they_are_compared() -> None:
    clean = np.array([[-1.0, 1.0], [-3.0, 3.0]])
    y = clean + np.array([[0.5, -0.5], [0.0, 0.0]])
    assert snr(y, clean) == pytest.approx(10 * math.log10(5 / 0.125))


def test_no_error_is_infinitely_clean() -> None:
    clean = np.array([[0.0, 1.0]])
    assert psnr(clean, clean) == math.inf


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(InputError, match="constant"):
        snr(np.ones((2, 3)), np.zeros((2, 3)))
    with pytest.raises(InputError, match="the same rows"):
        psnr(np.ones((2, 3)), np.zeros((2, 4)))
