"""Sounds before and after: a row of panels a sound, what went in at the left, what came out at the right, the clean one behind both.

    noisy, denoised (N, F)      clean (N, F) or None      rate: samples a second, for a time axis

Where the clean sounds are known each panel says its signal-to-noise ratio, 10 log10( var(clean) / mean (panel - clean)^2 ), in decibels.
Raises InputError for arrays of different shape, or a rate that is not positive; NonFiniteError for NaN and infinity.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from npae.errors import InputError
from npae.figures.rows import Array, few_rows
from npae.figures.style import BLUE, INK, VERMILION, WIDTH, house_style, new_figure, number

MOST = 12  # sounds in one figure


def waveforms(
    noisy: ArrayLike, denoised: ArrayLike, clean: ArrayLike | None = None, *, rate: float | None = None, note: str = ""
) -> Figure:
    """Noisy and denoised sounds side by side, all panels at one scale; `note` stands below."""
    given = {"noisy": noisy, "denoised": denoised} | ({} if clean is None else {"clean": clean})
    sounds = {name: few_rows(name, values) for name, values in given.items()}
    shape = sounds["noisy"].shape
    for name, values in sounds.items():
        if values.shape != shape:
            raise InputError(f"{name}: shape {values.shape}, but noisy has {shape}; give the same sounds in each")
    if len(sounds["noisy"]) > MOST:
        raise InputError(f"noisy: {shape[0]} sounds, at most {MOST} fit in a figure; draw a part, for example noisy[:{MOST}]")
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise InputError(f"rate: {rate}, expected a positive number of samples a second")
    time = np.arange(shape[1], dtype=np.float64) * (1.0 if rate is None else 1000.0 / rate)
    low, high = min(values.min() for values in sounds.values()), max(values.max() for values in sounds.values())
    margin = 0.05 * (high - low) or 0.05
    with house_style():
        figure = new_figure(WIDTH, 0.8 + 1.3 * shape[0], note)
        panels = figure.subplots(shape[0], 2, squeeze=False, sharex=True, sharey=True)
        panels[0, 0].set(ylim=(low - margin, high + margin))
        panels[0, 0].yaxis.set_major_locator(MaxNLocator(3))
        for row, pair in zip(range(shape[0]), panels, strict=True):
            for axes, name, colour in zip(pair, ("noisy", "denoised"), (VERMILION, BLUE), strict=True):
                _panel(axes, time, sounds[name][row], sounds["clean"][row] if "clean" in sounds else None, colour)
        _legend(figure, panels[0])
        for axes in panels[-1]:
            axes.set_xlabel("sample" if rate is None else "milliseconds")
    return figure


def _panel(axes: Axes, time: Array, sound: Array, clean: Array | None, colour: str) -> None:
    axes.plot(time, sound, color=colour, linewidth=0.9)
    if clean is not None:
        axes.plot(time, clean, color=INK, linewidth=0.7, linestyle="--")
        axes.set_title(_decibels(sound, clean), fontsize=8.0, fontweight="normal", loc="right", pad=2)


def _decibels(sound: Array, clean: Array) -> str:
    error, power = float(np.mean((sound - clean) ** 2)), float(np.var(clean))
    if error == 0:
        return "no noise"
    return "no signal" if power == 0 else f"{number(10 * math.log10(power / error), '.1f')} dB"


def _legend(figure: Figure, first: Array) -> None:
    lines = [first[0].get_lines()[0], first[1].get_lines()[0], *first[0].get_lines()[1:]]
    figure.legend(lines, ["noisy", "denoised", "clean"][: len(lines)], loc="outside upper center", ncols=3)
