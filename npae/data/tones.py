"""Short synthetic tones: 256 samples at 8 kHz (32 ms), made from a seed, the same on every machine.

    s(t) = envelope(t) sum_{k=1}^{K} a_k sin(2 pi k f t + phi_k)         t in seconds, K in 1 2 3
    f = 220 2^(c/12) Hz, detuned by at most 20 cents                      c in 0 .. 11, the label: a note from A to G sharp
    envelope(t) = (1 - e^(-t/attack)) e^(-t/decay)                        attack 1 to 4 ms, decay 10 to 60 ms

Each tone is scaled to a peak between 0.5 and 0.95 and kept as 16-bit samples of 1/2 + s/2, as a sound file holds them: silence is 1/2, and
dividing by 65535 gives numbers in [0, 1]. Labels are drawn uniformly; the first 6000 tones train, the last 1000 test.
"""

from __future__ import annotations

import numpy as np

from npae.backend import Array
from npae.data.catalogue import NOTES
from npae.data.raw import Raw

RATE = 8000  # samples a second
SAMPLES = 256
TRAIN, TEST = 6000, 1000
LOWEST = 220.0  # Hz
LARGEST = 65535
SEED = 8000  # of the one set of tones that has the name


def read_tones() -> Raw:
    """The data set `tones`."""
    samples, notes = make_tones(TRAIN + TEST, seed=SEED)
    return Raw("generated", samples[:TRAIN], notes[:TRAIN], samples[TRAIN:], notes[TRAIN:], divisor=float(LARGEST))


def make_tones(rows: int, *, seed: int) -> tuple[Array, Array]:
    """Samples (rows, 256) uint16 and the note of each (rows,), a number from 0 to 11."""
    rng = np.random.Generator(np.random.Philox(seed))
    notes = rng.integers(len(NOTES), size=rows)
    frequency = LOWEST * 2 ** ((notes + rng.uniform(-0.2, 0.2, rows)) / len(NOTES))
    partials, attack, decay, peak = (
        rng.integers(1, 4, size=rows),
        rng.uniform(0.001, 0.004, rows),
        rng.uniform(0.010, 0.060, rows),
        rng.uniform(0.5, 0.95, rows),
    )
    time = np.arange(SAMPLES) / RATE
    s = np.zeros((rows, SAMPLES))
    for k in (1, 2, 3):
        amplitude = np.where(k <= partials, rng.uniform(0.3, 1.0, rows) / k, 0.0)
        phase = rng.uniform(0, 2 * np.pi, rows)
        s += amplitude[:, None] * np.sin(2 * np.pi * k * frequency[:, None] * time + phase[:, None])
    s *= -np.expm1(-time / attack[:, None]) * np.exp(-time / decay[:, None])
    s *= (peak / np.abs(s).max(axis=1))[:, None]
    return np.rint(LARGEST * (0.5 + 0.5 * s)).astype(np.uint16), notes.astype(np.int64)
