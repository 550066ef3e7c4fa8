"""The gradient-noise scale: how many rows a batch needs for its gradient to be more signal than noise.

    Sigma = covariance of the rows' gradients g_i,  G = their mean over all data         B_simple = tr(Sigma) / |G|^2

    S = ( sum_i |g_i|^2 - B |mean g_i|^2 ) / (B - 1)       without bias tr(Sigma)
    T = |gradient of the batch|^2 - S / B                  without bias |G|^2

S and T are averaged over batches before they are divided. Well below B_simple a batch of twice the rows is worth two steps; well above it,
more rows change little. T is a difference, and where noise rules, it can come out at or below 0: then more batches are needed.
Source: McCandlish, Kaplan, Amodei & OpenAI 2018, "An empirical model of large-batch training", section 2.2 and appendix A.1.
Raises InputError for batches of one row, which have no spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from npae.errors import InputError
from npae.inspection.per_sample import RowGradients


@dataclass(frozen=True)
class NoiseScale:
    """tr(Sigma), |G|^2 and their ratio; None where |G|^2 was not told from 0."""

    trace: float
    signal: float
    rows: float | None


def noise_scale(batches: Sequence[RowGradients]) -> NoiseScale:
    """From the gradients of the rows of some batches."""
    traces, signals = zip(*(_estimates(found) for found in batches), strict=True)
    trace, signal = float(np.mean(traces)), float(np.mean(signals))
    return NoiseScale(trace, signal, trace / signal if signal > 0 else None)


def _estimates(found: RowGradients) -> tuple[float, float]:
    """S and T of one batch."""
    squares = found.norms**2
    rows = len(squares)
    if rows < 2:
        raise InputError("a batch of 1 row has no spread: the gradient-noise scale needs at least 2; take a larger --batch-size")
    of_mean = sum(float((mean * mean).sum()) for mean in found.mean.values())
    trace = (float(squares.sum()) - rows * of_mean) / (rows - 1)
    return trace, float(found.whole @ found.whole) - trace / rows
