"""The sweep over latent sizes, and sounds before and after: which numbers are drawn where, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from npae.errors import InputError, NonFiniteError
from npae.figures.sweep import sweep
from npae.figures.waveforms import waveforms

SIZES = [2, 4, 8, 16, 32]


def test_the_models_line_and_pcas_are_drawn_against_the_size_on_a_logarithmic_axis_from_zero() -> None:
    figure = sweep(SIZES, [5, 4, 3, 2, 1], [6, 5.5, 5, 4, 3], name="ae")
    axes = figure.axes[0]
    lines: dict[Any, Any] = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["ae"], list(zip(SIZES, [5, 4, 3, 2, 1], strict=True)))
    np.testing.assert_array_equal(lines["PCA"], list(zip(SIZES, [6, 5.5, 5, 4, 3], strict=True)))
    assert axes.get_xscale() == "log"
    assert axes.get_ylim()[0] == 0
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "4", "8", "16", "32"]


def test_sizes_that_lie_close_are_written_only_where_there_is_room(overlapping_texts: Callable[[Figure], object]) -> None:
    sizes = list(range(1, 65))
    figure = sweep(sizes, np.full(64, 0.1), np.full(64, 0.2))
    assert overlapping_texts(figure) == []
    written = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert written[-1] == "64"
    assert len(written) < 30


def test_a_single_size_and_errors_of_zero_can_be_drawn(overlapping_texts: Callable[[Figure], object]) -> None:
    assert overlapping_texts(sweep([8], [0.0], [0.0])) == []


@pytest.mark.parametrize(
    ("latents", "errors", "pca", "message"),
    [
        ([], [], [], "latents: "),
        ([4, 2], [1, 1], [1, 1], r"latents: \[4, 2\], expected increasing"),
        ([2, 2], [1, 1], [1, 1], "expected increasing"),
        ([0, 2], [1, 1], [1, 1], "at least 1"),
        ([2, 4], [1], [1, 1], r"errors: shape \(1,\), expected \(2,\)"),
        ([2, 4], [1, 1], [1, -1], "pca_errors: -1 is below 0"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(latents: Any, errors: Any, pca: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sweep(latents, errors, pca)


T = np.arange(64) / 8000
CLEAN = np.stack([0.5 + 0.4 * np.sin(2 * np.pi * f * T) for f in (250, 500, 1000)])


def test_each_sound_has_two_panels_with_the_clean_one_behind() -> None:
    noisy, denoised = CLEAN + 0.1, CLEAN + 0.01
    figure = waveforms(noisy, denoised, CLEAN, rate=8000)
    assert len(figure.axes) == 6
    for i in range(3):
        for axes, sound in zip(figure.axes[2 * i : 2 * i + 2], (noisy[i], denoised[i]), strict=True):
            drawn, behind = axes.get_lines()
            np.testing.assert_array_equal(drawn.get_ydata(), sound)
            np.testing.assert_array_equal(behind.get_ydata(), CLEAN[i])
            np.testing.assert_allclose(np.asarray(drawn.get_xdata(), dtype=float), 1000 * T)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["noisy", "denoised", "clean"]
    assert figure.axes[-1].get_xlabel() == "milliseconds"


def test_the_signal_to_noise_ratio_stands_above_each_panel() -> None:
    figure = waveforms(CLEAN[1:2] + 0.4, CLEAN[1:2], CLEAN[1:2])  # a whole period: its variance is 0.4^2 / 2
    said = [axes.get_title(loc="right") for axes in figure.axes]
    assert said == ["−3.0 dB", "no noise"]  # 10 log10(1/2)
    assert waveforms([[1.0, 2.0]], [[1.0, 2.0]], [[0.5, 0.5]]).axes[0].get_title(loc="right") == "no signal"


def test_without_clean_sounds_nothing_is_claimed(texts: Callable[[Figure], list[str]]) -> None:
    figure = waveforms(CLEAN, CLEAN)
    assert not any("dB" in text for text in texts(figure))
    assert figure.axes[-1].get_xlabel() == "sample"


def test_the_words_of_sounds_do_not_collide(overlapping_texts: Callable[[Figure], object]) -> None:
    assert overlapping_texts(waveforms(CLEAN + 0.3, CLEAN, CLEAN, rate=8000, note="noise: gaussian 0.3")) == []


def test_sounds_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"denoised: shape \(2, 64\), but noisy has \(3, 64\)"):
        waveforms(CLEAN, CLEAN[:2])
    with pytest.raises(InputError, match="noisy: 13 sounds, at most 12"):
        waveforms(np.zeros((13, 4)), np.zeros((13, 4)))
    with pytest.raises(InputError, match=r"rate: 0\.0, expected a positive number"):
        waveforms(CLEAN, CLEAN, rate=0.0)
    with pytest.raises(NonFiniteError, match="clean: nan in row 0"):
        waveforms(CLEAN, CLEAN, CLEAN * np.nan)
