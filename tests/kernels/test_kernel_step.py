"""The parts of a compiled step on their own: products at every edge of a tile, transposes, tanh and elu, order statistics, nonzeros."""

from __future__ import annotations

import numpy as np
import pytest

from npae.kernels.step.activation import activate, by_slope
from npae.kernels.step.codes import ACTIVATIONS, PART_ROWS
from npae.kernels.step.discrepancy import order_statistic
from npae.kernels.step.entries import COUNT_NONZEROS, LEVELS_OF, MAKE_READY, NONZEROS_OF_ROWS
from npae.kernels.step.levels import written_out
from npae.kernels.step.nonzeros import gathered, summed_together
from npae.kernels.step.operations import KINDS, Bias, Rank
from npae.kernels.step.panels import from_panels, to_panels, turn_part
from npae.kernels.step.product import panel_width, product, product_in_panels
from npae.kernels.step.table import FLOATS, INTS, encode
from npae.kernels.step.transpose import transpose

SIZES = [(1, 1, 1), (7, 13, 5), (25, 200, 50), (11, 37, 3), (3, 65, 2), (5, 64, 9), (100, 63, 17), (4, 16, 1), (13, 129, 33)]
SIZES += [(17, 8, 6), (9, 4, 3)]  # half a vector wide
TOLERANCE = {"float32": 2e-6, "float64": 1e-14}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("M", "N", "K"), SIZES)
def test_a_product_is_numpys_and_writes_nothing_else(M: int, N: int, K: int, turned: bool, dtype: str) -> None:
    rng, kind = np.random.default_rng(M), np.dtype(dtype).type
    a = rng.standard_normal((K, M) if turned else (M, K)).astype(dtype)
    b, c = rng.standard_normal((K, N)).astype(dtype), np.full((M + 1, N + 3), np.nan, dtype)
    strides = (1, M) if turned else (K, 1)
    product(kind(0), a.ctypes.data, b.ctypes.data, c.ctypes.data, M, N, K, *strides, N, N + 3)
    expected = (a.T if turned else a).astype(np.float64) @ b.astype(np.float64)
    assert np.abs(c[:M, :N] - expected).max() <= TOLERANCE[dtype] * np.abs(expected).max()
    assert np.isnan(c[M]).all()
    assert np.isnan(c[:, N:]).all()


def test_an_element_of_a_product_does_not_depend_on_its_tile() -> None:
    rng = np.random.default_rng(0)
    a, b, c = (rng.standard_normal(shape).astype(np.float32) for shape in ((23, 31), (31, 150), (23, 150)))
    product(np.float32(0), a.ctypes.data, b.ctypes.data, c.ctypes.data, 23, 150, 31, 31, 1, 150, 150)
    for i, j in ((0, 0), (5, 63), (22, 149), (17, 128)):
        alone = np.empty((1, 1), np.float32)
        product(np.float32(0), a[i:].ctypes.data, b[:, j:].ctypes.data, alone.ctypes.data, 1, 1, 31, 31, 1, 150, 1)
        assert alone[0, 0] == c[i, j]


SHAPES = [(1, 1), (5, 3), (33, 130), (130, 33), (64, 64), (200, 784)]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_a_product_with_panels_is_that_with_the_matrix(n_in: int, n_out: int, dtype: str) -> None:
    rng, kind, m = np.random.default_rng(0), np.dtype(dtype).type(0), 9
    w, a = rng.standard_normal((n_in, n_out)).astype(dtype), rng.standard_normal((m, n_in)).astype(dtype)
    panels, back, c, expected = np.empty(w.size, dtype), np.empty_like(w), np.empty((m, n_out), dtype), np.empty((m, n_out), dtype)
    to_panels(kind, w.ctypes.data, panels.ctypes.data, n_in, n_out, n_out, panel_width(kind))
    product(kind, a.ctypes.data, w.ctypes.data, expected.ctypes.data, m, n_out, n_in, n_in, 1, n_out, n_out)
    product_in_panels(kind, a.ctypes.data, panels.ctypes.data, c.ctypes.data, m, n_out, n_in, n_in, n_out, 0)
    assert c.tobytes() == expected.tobytes()
    b = rng.standard_normal(n_out).astype(dtype)  # each sum begins with it: as with one more row of W, and of ones in x
    with_b, with_ones = np.concatenate([b[None], w]), np.concatenate([np.ones((m, 1), dtype), a], axis=1)
    product(kind, with_ones.ctypes.data, with_b.ctypes.data, expected.ctypes.data, m, n_out, n_in + 1, n_in + 1, 1, n_out, n_out)
    product_in_panels(kind, a.ctypes.data, panels.ctypes.data, c.ctypes.data, m, n_out, n_in, n_in, n_out, b.ctypes.data)
    assert c.tobytes() == expected.tobytes()
    from_panels(kind, back.ctypes.data, panels.ctypes.data, n_in, n_out, n_out, panel_width(kind))
    assert back.tobytes() == w.tobytes()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_parts_of_two_heads_in_panels_make_the_panels_of_both_turned(n_in: int, n_out: int, dtype: str) -> None:
    rng, kind = np.random.default_rng(0), np.dtype(dtype).type(0)
    heads, width = rng.standard_normal((2, n_in, n_out)).astype(dtype), panel_width(kind)
    turned, expected = np.full(heads.size, np.nan, dtype), np.empty(heads.size, dtype)
    for above, w in zip((0, n_out), heads, strict=True):
        panels = np.empty(w.size, dtype)
        to_panels(kind, w.ctypes.data, panels.ctypes.data, n_in, n_out, n_out, panel_width(kind))
        for j in range(0, n_out, width):
            n = min(width, n_out - j)
            for i in range(0, n_in, PART_ROWS):
                part = panels[j * n_in + i * n :].ctypes.data
                turn_part(kind, part, turned.ctypes.data, i, j, min(PART_ROWS, n_in - i), n, n_in, 2 * n_out, above)
    both = np.ascontiguousarray(np.concatenate([w.T for w in heads]))
    to_panels(kind, both.ctypes.data, expected.ctypes.data, 2 * n_out, n_in, n_in, width)
    assert turned.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (5, 3), (16, 16), (17, 33), (48, 64), (8, 40)])
def test_a_transpose_is_exact(rows: int, columns: int, dtype: str) -> None:
    source = np.random.default_rng(0).standard_normal((rows, columns)).astype(dtype)
    target = np.full((columns, rows), np.nan, dtype)
    transpose(np.dtype(dtype).type(0), source.ctypes.data, columns, target.ctypes.data, rows, rows, columns)
    assert (target == source.T).all()


EXACT = {
    "linear": lambda x: x,
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.01 * x),
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": lambda x: 0.01 + np.logaddexp(x, 0),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_accurate_also_near_zero_and_its_slope_is_its_derivative(name: str, dtype: str) -> None:
    x = np.concatenate([np.linspace(-30, 30, 997), np.geomspace(1e-12, 1, 50), -np.geomspace(1e-12, 1, 50)])
    kind, code, given = np.dtype(dtype).type, ACTIVATIONS.index(name), 0.01
    y, bias = x.astype(dtype), np.zeros(len(x), dtype)
    start = y.astype(np.float64)
    activate(kind(0), code, given, y.ctypes.data, len(x), bias.ctypes.data, 0, 1, len(x))
    tolerance = 4e-7 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(y, EXACT[name](start), rtol=tolerance, atol=0 if name in ("tanh", "elu", "leaky_relu") else tolerance)
    slope, step = np.ones(len(x), dtype), 1e-6
    by_slope(kind(0), code, given, y.ctypes.data, len(x), slope.ctypes.data, len(x), 0, 1, len(x))
    smooth = np.abs(start) > 2 * step
    derivative = (EXACT[name](start + step) - EXACT[name](start - step)) / (2 * step)
    np.testing.assert_allclose(slope[smooth], derivative[smooth], atol=1e-5 if dtype == "float32" else 1e-7)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_an_order_statistic_is_exact_with_ties(dtype: str) -> None:
    distances = (np.random.default_rng(0).standard_normal(501) ** 2).astype(dtype)
    distances[::7] = distances[3]
    bits = distances.view(f"i{distances.itemsize}")
    for rank in (0, 1, 70, 250, 499, 500):
        found = np.array([order_statistic(bits, rank)], bits.dtype).view(dtype)[0]
        assert found == np.sort(distances)[rank]


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_the_nonzeros_of_rows_are_counted_and_found_block_by_block_and_nothing_else_is_written(dtype: str) -> None:
    x = np.array([[0, 1, 0, 0, 2], [0, 0, 0, 0, 0], [3, 0, np.nan, 4, 0], [9, 9, 9, 9, 9]], dtype)
    counts = np.full(4, -1)
    COUNT_NONZEROS(dtype, x.ctypes.data, 5, counts.ctypes.data, 0, 3)
    assert counts.tolist() == [2, 0, 3, -1]
    bounds = np.array([0, 2, 2, 5])
    indices, values, starts = np.full(6, -1, np.int32), np.full(6, -1, dtype), np.full((4, 4), -1, np.int64)
    for first, last in ((1, 3), (0, 1)):  # in any order, as on several threads
        places = (bounds.ctypes.data, indices.ctypes.data, values.ctypes.data, starts.ctypes.data)
        NONZEROS_OF_ROWS(dtype, x.ctypes.data, 5, 2, *places, first, last)
    assert indices.tolist() == [1, 4, 0, 2, 3, -1]
    np.testing.assert_array_equal(values, [1, 2, 3, np.nan, 4, -1])
    assert starts.tolist() == [[0, 1, 1, 2], [0, 0, 0, 0], [0, 1, 3, 3], [-1] * 4]


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_grey_level_comes_back_to_the_last_bit_and_what_is_none_is_noticed(dtype: str) -> None:
    grey = np.arange(1, 256, dtype=np.uint8)
    values = grey.astype(dtype) / np.dtype(dtype).type(255)
    levels, wrong = np.zeros(256, np.uint8), np.zeros(1, np.int64)
    for first, last in ((100, 255), (0, 100)):
        LEVELS_OF(dtype, values.ctypes.data, levels.ctypes.data, wrong.ctypes.data, first, last)
    assert not wrong[0]
    np.testing.assert_array_equal(levels, [*grey, 0])
    columns, indices, numbers = np.arange(65281, 65536, dtype=np.uint16), np.full(256, -1, np.int32), np.full(256, -1, dtype)
    written_out(values.dtype.type(0), columns.ctypes.data, levels.ctypes.data, 255, indices.ctypes.data, numbers.ctypes.data)
    assert numbers.tobytes() == np.append(values, values.dtype.type(-1)).tobytes()
    np.testing.assert_array_equal(indices, [*columns, -1])
    for other in (np.nextafter(values[7], 1), 0.5, 256 / 255, -1 / 255, np.nan, np.inf, -np.inf, 1e30):
        at, wrong[0] = np.array([1, other, 1], dtype), 0
        LEVELS_OF(dtype, at.ctypes.data, levels.ctypes.data, wrong.ctypes.data, 0, 3)
        assert wrong[0] == 1


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("more", [0, 1])
def test_a_row_from_its_nonzeros_is_that_of_the_product_also_where_there_is_none(more: int, dtype: str) -> None:
    rng, kind = np.random.default_rng(0), np.dtype(dtype).type(0)
    indices, values = np.array([1, 4, 5, 8], np.int32), rng.standard_normal(4).astype(dtype)
    for n in range(1, summed_together(kind) + 1):
        b = rng.standard_normal((9, n)).astype(dtype)
        for count in (0, 1, 4):
            c = rng.standard_normal(n + 1).astype(dtype)
            x, before, expected = np.zeros(9, dtype), c.copy(), np.empty(n, dtype)
            x[indices[:count]] = values[:count]
            addresses = (indices.ctypes.data, values.ctypes.data, count, b.ctypes.data, c.ctypes.data)
            gathered(kind, *addresses, n, n, c.ctypes.data if more else 0)
            with_start, rows = np.concatenate([[1 if more else 0], x]).astype(dtype), np.concatenate([before[None, :n], b])
            product(kind, with_start.ctypes.data, rows.ctypes.data, expected.ctypes.data, 1, n, 10, 10, 1, n, n)
            assert c[:n].tobytes() == expected.tobytes()
            assert c[n] == before[n]


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_squares_are_summed_part_by_part_of_the_panels(dtype: str) -> None:
    rng, (n_in, n_out) = np.random.default_rng(0), (PART_ROWS + 3, 130)
    w, width = rng.standard_normal((n_in, n_out)).astype(dtype), panel_width(np.dtype(dtype).type(0))
    edges = [(i, j) for j in range(0, n_out, width) for i in range(0, n_in, PART_ROWS)]
    panels, sums, total = np.empty(w.size, dtype), np.zeros(len(edges)), np.zeros(1)
    copies = np.array([(w.ctypes.data, panels.ctypes.data, n_in, n_out, n_out, width)])
    b = rng.standard_normal(n_out).astype(dtype)
    squares, biases = np.array([(panels.ctypes.data, n_in, n_out, sums.ctypes.data)]), np.array([(b.ctypes.data, n_out, total.ctypes.data)])
    MAKE_READY(dtype, copies.ctypes.data, 1, 0, 0, squares.ctypes.data, 1, biases.ctypes.data, 1)
    expected = [np.square(w[i : i + PART_ROWS, j : j + width], dtype=np.float64).sum() for i, j in edges]
    np.testing.assert_allclose(sums, expected, rtol=100 * TOLERANCE[dtype])
    np.testing.assert_allclose(total, np.square(b, dtype=np.float64).sum(), rtol=100 * TOLERANCE[dtype])


def test_operations_are_written_into_the_tables_in_the_order_of_their_fields() -> None:
    program, numbers = encode([Rank(11, 12, 13), Bias(1, 2, 3, 4, 5, 6, 7, 0.5)])
    assert (program.shape, numbers.shape) == ((2, INTS), (2, FLOATS))
    assert [KINDS[code] for code in program[:, 0]] == [Rank, Bias]
    assert program[0, 1:4].tolist() == [11, 12, 13]
    assert program[1, 1:8].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert numbers[1, 0] == 0.5
