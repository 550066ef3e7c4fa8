"""Random streams: a number depends on seed, stream, step, row and column alone, and the numbers have the distribution they claim."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from npae import noise as streams
from npae.backend import Array, backend
from npae.errors import InputError
from npae.noise import Noise, check_seed, row_numbers

CPU = ("numpy", "numba")
Draw = Callable[..., Array]


def _normal(name: str, seed: int, stream: int, step: int, rows: int | range | Array, columns: int, dtype: str = "float64") -> Array:
    numbers = row_numbers(rows)
    return streams.normal(backend(name), seed, stream, step, numbers, np.empty((len(numbers), columns), dtype))


def _uniform(name: str, seed: int, stream: int, step: int, rows: int | range | Array, columns: int, dtype: str = "float64") -> Array:
    numbers = row_numbers(rows)
    return streams.uniform(backend(name), seed, stream, step, numbers, np.empty((len(numbers), columns), dtype))


def test_no_two_uses_share_a_stream() -> None:
    names = ("INITIALISE", "SHUFFLE", "BINARISE", "POSTERIOR", "PRIOR", "SAMPLE", "CODES", "EVALUATE")
    numbers = [getattr(streams, name) for name in names]
    assert numbers == sorted(set(numbers))
    assert max(numbers) < streams.DROPOUT


@pytest.mark.parametrize("draw", [_normal, _uniform])
def test_each_of_seed_stream_step_and_row_changes_the_numbers(draw: Draw) -> None:
    first = draw("numpy", 1, 2, 3, 50, 6)
    for seed, stream, step in [(2, 2, 3), (1, 3, 3), (1, 2, 4), (1 + 2**32, 2, 3)]:
        assert (draw("numpy", seed, stream, step, 50, 6) != first).all(axis=1).all(), (seed, stream, step)
    assert len(np.unique(first)) == first.size, "rows or columns repeat one another"


@pytest.mark.parametrize("draw", [_normal, _uniform])
@pytest.mark.parametrize("name", CPU)
def test_rows_drawn_in_parts_or_in_another_order_are_the_rows_of_the_whole(name: str, draw: Draw) -> None:
    whole = draw(name, 5, 0, 9, 100, 7)
    np.testing.assert_array_equal(draw(name, 5, 0, 9, range(50, 100), 7), whole[50:])
    order = np.random.default_rng(0).permutation(100)
    np.testing.assert_array_equal(draw(name, 5, 0, 9, order, 7), whole[order])
    np.testing.assert_array_equal(draw(name, 5, 0, 9, 100, 5), whole[:, :5])


def test_both_backends_and_both_dtypes_draw_the_same_numbers() -> None:
    wide = _normal("numpy", 8, 1, 2, 300, 5)
    np.testing.assert_allclose(_normal("numba", 8, 1, 2, 300, 5), wide, rtol=0, atol=1e-14)
    for name in CPU:
        np.testing.assert_allclose(_normal(name, 8, 1, 2, 300, 5, "float32"), wide, rtol=1e-7, atol=0)
    even = _uniform("numpy", 8, 1, 2, 300, 5)
    for name in CPU:
        np.testing.assert_array_equal(_uniform(name, 8, 1, 2, 300, 5, "float32"), even)


def test_normal_numbers_are_standard_normal_and_uncorrelated() -> None:
    z = _normal("numba", 0, streams.POSTERIOR, 0, 50_000, 4)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(z, rowvar=False) - np.eye(4)).max() < 4 / np.sqrt(50_000)
    assert abs(np.corrcoef(z[:-1, 0], z[1:, 0])[0, 1]) < 4 / np.sqrt(50_000)


def test_uniform_numbers_are_uniform_on_the_half_open_interval() -> None:
    u = _uniform("numba", 0, streams.DROPOUT, 0, 50_000, 4)
    assert 0 <= u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-3


def test_the_step_to_come_is_not_correlated_with_this_one() -> None:
    now, next_ = (_normal("numba", 0, streams.POSTERIOR, step, 20_000, 2).ravel() for step in (0, 1))
    assert abs(np.corrcoef(now, next_)[0, 1]) < 4 / np.sqrt(40_000)


def test_a_count_means_the_first_rows_and_a_list_means_itself() -> None:
    np.testing.assert_array_equal(row_numbers(3), [0, 1, 2])
    np.testing.assert_array_equal(row_numbers(range(5, 8)), [5, 6, 7])
    assert row_numbers(np.array([4, 2])).dtype == np.int64


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, None, "7"])
def test_a_seed_that_is_no_whole_number_of_64_bits_is_refused(seed: object) -> None:
    with pytest.raises(InputError, match=r"is not a whole number from 0 to 2\^64 - 1"):
        check_seed(seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [0, 2**64 - 1, np.int64(3)])
def test_every_whole_number_of_64_bits_is_a_seed(seed: int) -> None:
    assert check_seed(seed) == seed
    assert type(check_seed(seed)) is int


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_evaluation_draws_with_a_seed_that_is_not_the_training_one(seed: int) -> None:
    other = streams.evaluation_seed(seed)
    assert check_seed(other) != seed
    assert streams.evaluation_seed(other) == seed, "two training seeds never share an evaluation seed"


def test_noise_is_read_by_name_and_a_missing_name_says_how_to_draw_it() -> None:
    noise = Noise(eps=np.zeros((2, 3)), prior=np.ones((2, 3)))
    assert list(noise) == ["eps", "prior"]
    assert len(noise) == 2
    assert noise.prior is noise["prior"]
    with pytest.raises(InputError, match=r"noise has no 'dropout0' \(it has: eps, prior\); draw it with model\.draw\(seed, step, rows\)"):
        _ = noise.dropout0
    with pytest.raises(InputError, match=r"noise has no 'eps' \(it has: nothing\)"):
        _ = Noise().eps


def test_some_rows_of_noise_are_those_rows_of_each_array() -> None:
    noise = Noise(eps=np.arange(6.0).reshape(3, 2), dropout0=np.arange(3.0)[:, None])
    part = noise.rows(slice(1, 3))
    np.testing.assert_array_equal(part.eps, [[2, 3], [4, 5]])
    np.testing.assert_array_equal(part.dropout0, [[1], [2]])
    np.testing.assert_array_equal(noise.rows(np.array([2, 0])).dropout0, [[2], [0]])


def test_noise_can_be_copied() -> None:
    noise = Noise(eps=np.zeros(2))
    twin = copy.deepcopy(noise)
    twin.eps[:] = 1
    np.testing.assert_array_equal(noise.eps, [0, 0])
