"""The synthetic tones: what they sound like, that they are the same everywhere, and that they are a data set like the others."""

from __future__ import annotations

import numpy as np

from npae.data import load
from npae.data.catalogue import NOTES
from npae.data.tones import LOWEST, RATE, SAMPLES, make_tones


def test_they_are_a_data_set_of_short_sounds_in_the_unit_interval() -> None:
    data = load("tones")
    assert data.train.shape == (6000, SAMPLES)
    assert data.test is not None
    assert data.test.shape == (1000, SAMPLES)
    assert data.train.min() >= 0
    assert data.train.max() <= 1
    assert abs(data.train.mean() - 0.5) < 1e-3  # silence is one half
    assert (data.source, data.image_shape, data.label_names) == ("generated", None, list(NOTES))
    assert set(np.unique(data.train_labels)) == set(range(12))


def test_the_same_seed_gives_the_same_samples_and_another_gives_others() -> None:
    (samples, notes), (again, same), (other, _) = (make_tones(50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(samples, again)
    np.testing.assert_array_equal(notes, same)
    assert samples.dtype == np.uint16
    assert (samples != other).any()
    assert load("tones").fingerprint == load("tones").fingerprint


def test_the_label_is_the_note_that_is_heard() -> None:
    """The peak of the spectrum lies at one of the first three multiples of the note's frequency."""
    samples, notes = make_tones(300, seed=3)
    sound = samples / 65535 - 0.5
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(SAMPLES), 16 * SAMPLES, axis=1))
    heard = np.fft.rfftfreq(16 * SAMPLES, 1 / RATE)[spectrum.argmax(axis=1)]
    frequency = LOWEST * 2 ** (notes / 12)
    off = np.abs(12 * np.log2(heard[:, None] / (frequency[:, None] * np.array([1, 2, 3])))).min(axis=1)
    assert np.median(off) < 0.3  # semitones; the tones themselves are detuned by up to 0.2
    assert (off < 0.8).mean() > 0.95


def test_a_tone_begins_in_silence_and_reaches_between_half_and_nearly_all_of_the_range() -> None:
    samples, _ = make_tones(300, seed=3)
    sound = np.abs(samples / 65535 - 0.5)
    assert sound[:, 0].max() < 1e-4
    assert sound.max(axis=1).min() > 0.249
    assert sound.max() < 0.476
