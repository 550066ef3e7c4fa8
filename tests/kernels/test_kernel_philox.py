"""Philox4x32-10 against the known answers of its authors; what a number depends on; moments, shape and independence of the streams."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from npae.kernels.philox.reference import philox4x32
from npae.kernels.registry import resolve

FORMS = ["reference", "cpu"]
DRAWS = ["philox_bits", "philox_uniform", "philox_normal"]
Array = np.ndarray[Any, Any]

KNOWN_ANSWERS = [  # counter, key, block: the file kat_vectors of Random123
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def draw(form: str, name: str, rows: Any, columns: int, *, seed: int = 11, stream: int = 2, step: int = 3, dtype: str = "float64") -> Array:
    out = np.empty((len(rows), columns), "uint32" if name == "philox_bits" else dtype)
    resolve(name, form)(seed, stream, step, np.asarray(rows, np.int64), out)
    return out


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN_ANSWERS)
def test_the_known_answers_come_out(counter: str, key: str, block: str) -> None:
    def words(text: str) -> list[int]:
        return [int(word, 16) for word in text.split()]

    c0, c1, c2, c3 = (np.array([word], np.uint64) for word in words(counter))
    k0, k1 = words(key)
    assert [int(word[0]) for word in philox4x32((c0, c1, c2, c3), (k0, k1))] == words(block)


@pytest.mark.parametrize("form", FORMS)
def test_counter_and_key_are_laid_out_as_documented(form: str) -> None:
    """Column c is word c mod 4 of block c div 4; the counter is (block, row, step, stream), the key the halves of the seed."""
    seed, stream, step, row = 0x299F31D0A4093822, 0x03707344, 0x13198A2E, 0x85A308D3
    bits = draw(form, "philox_bits", [row], 11, seed=seed, stream=stream, step=step)
    for block in range(3):
        counter = tuple(np.array([word], np.uint64) for word in (block, row, step, stream))
        words = [int(word[0]) for word in philox4x32(counter, (0xA4093822, 0x299F31D0))]  # type: ignore[arg-type]
        assert bits[0, 4 * block : 4 * block + 4].tolist() == words[: 11 - 4 * block]


@pytest.mark.parametrize("form", FORMS)
def test_the_first_known_answer_is_seed_zero(form: str) -> None:
    bits = draw(form, "philox_bits", [0], 4, seed=0, stream=0, step=0)
    assert [f"{word:08x}" for word in bits[0]] == KNOWN_ANSWERS[0][2].split()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", DRAWS)
def test_a_row_is_the_same_however_the_batch_is_split_or_ordered(form: str, name: str) -> None:
    rows = np.random.default_rng(0).permutation(1000)[:50]
    whole = draw(form, name, rows, 13)
    assert np.array_equal(whole, np.concatenate([draw(form, name, rows[:20], 13), draw(form, name, rows[20:], 13)]))
    assert np.array_equal(whole[::-1], draw(form, name, rows[::-1], 13))
    assert np.array_equal(whole[7:8], draw(form, name, rows[7:8], 13))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", DRAWS)
def test_a_longer_row_begins_with_the_shorter_one(form: str, name: str) -> None:
    longest = draw(form, name, range(6), 17)
    for columns in range(1, 17):
        assert np.array_equal(draw(form, name, range(6), columns), longest[:, :columns])


@pytest.mark.parametrize("form", FORMS)
def test_uniform_is_the_upper_24_bits_in_both_dtypes(form: str) -> None:
    bits = draw(form, "philox_bits", range(200), 30)
    u32, u64 = (draw(form, "philox_uniform", range(200), 30, dtype=dtype) for dtype in ("float32", "float64"))
    assert np.array_equal(u64, (bits >> 8) / 2**24)
    assert np.array_equal(u32, u64)
    assert u64.min() >= 0
    assert u64.max() < 1


@pytest.mark.parametrize("form", FORMS)
def test_normal_is_box_muller_on_pairs_of_columns(form: str) -> None:
    bits, normal = draw(form, "philox_bits", range(5), 8), draw(form, "philox_normal", range(5), 8)
    for row, column in np.ndindex(5, 4):
        u, t = ((int(bits[row, 2 * column + side]) + 0.5) / 2**32 for side in (0, 1))
        radius, angle = math.sqrt(-2 * math.log(u)), 2 * math.pi * t
        assert normal[row, 2 * column] == pytest.approx(radius * math.cos(angle), abs=1e-14)
        assert normal[row, 2 * column + 1] == pytest.approx(radius * math.sin(angle), abs=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_float32_noise_is_the_rounded_float64_noise(form: str) -> None:
    single, double = (draw(form, "philox_normal", range(300), 9, dtype=dtype) for dtype in ("float32", "float64"))
    assert np.array_equal(single, double.astype(np.float32))


def test_normal_numbers_have_the_moments_and_the_shape_of_the_normal_distribution() -> None:
    x = draw("cpu", "philox_normal", range(20_000), 50).ravel()
    n = len(x)
    errors = [x.mean() / math.sqrt(1 / n), (x.var() - 1) / math.sqrt(2 / n), (x**3).mean() / math.sqrt(15 / n)]
    errors.append(((x**4).mean() - 3) / math.sqrt(96 / n))
    assert np.abs(errors).max() < 4
    assert stats.kstest(x, "norm").pvalue > 1e-3
    assert np.abs(x).max() < 6.77


def test_uniform_numbers_fill_their_bins_evenly() -> None:
    u = draw("cpu", "philox_uniform", range(20_000), 50).ravel()
    assert stats.chisquare(np.bincount((u * 256).astype(int), minlength=256)).pvalue > 1e-3


def test_streams_steps_seeds_rows_and_columns_are_uncorrelated() -> None:
    first = draw("cpu", "philox_normal", range(5000), 20)
    others = [
        draw("cpu", "philox_normal", range(5000), 20, stream=3),
        draw("cpu", "philox_normal", range(5000), 20, step=4),
        draw("cpu", "philox_normal", range(5000), 20, seed=12),
        draw("cpu", "philox_normal", range(5000), 20, seed=11 + 2**32),
        draw("cpu", "philox_normal", range(1, 5001), 20),
        np.roll(first, 1, axis=1),
        np.roll(first, 4, axis=1),
    ]
    for other in others:
        assert abs((first * other).mean()) < 4 / math.sqrt(first.size)
        assert abs((first**2 * other**2).mean() - 1) < 4 * math.sqrt(8 / first.size)


@pytest.mark.parametrize("name", DRAWS)
def test_the_largest_seed_stream_step_and_row_agree_in_both_forms(name: str) -> None:
    top = 2**32 - 1
    ours, theirs = (draw(form, name, [top], 6, seed=2**64 - 1, stream=top, step=top) for form in FORMS)
    np.testing.assert_allclose(ours, theirs, rtol=4e-15)
