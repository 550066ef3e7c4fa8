"""How much noise is left, in decibels: larger is cleaner, 10 more is a tenth of the squared error.        y clean (N, F)

    PSNR = 10 log10( peak^2 / mean (y - clean)^2 )             peak: the range of the clean data, 1 for images in [0, 1]
    SNR  = 10 log10( mean_n var(clean_n) / mean (y - clean)^2 )      a sound's power is its variance: a constant is no sound

Means are over all rows and features, so one perfect row does not make the whole infinite. Without any error the value is infinite.
"""

from __future__ import annotations

import math

import numpy as np

from npae.backend import Array
from npae.errors import InputError


def psnr(y: Array, clean: Array) -> float:
    """Peak signal-to-noise ratio."""
    return _decibels(float(np.ptp(clean)) ** 2, y, clean)


def snr(y: Array, clean: Array) -> float:
    """Signal-to-noise ratio."""
    return _decibels(float(clean.astype(np.float64).var(axis=1).mean()), y, clean)


def _decibels(power: float, y: Array, clean: Array) -> float:
    if y.shape != clean.shape:
        raise InputError(f"rows of shape {y.shape} beside clean rows of shape {clean.shape}: expected the same rows")
    if power == 0:
        raise InputError("the clean rows are constant: there is no signal to measure noise against")
    error = float(np.mean((y.astype(np.float64) - clean) ** 2))
    return math.inf if error == 0 else 10 * math.log10(power / error)
