"""What moves the parameters in a compiled step: by the gradient of their rows and columns and Adam's reference, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from npae.kernels.adam.reference import adam
from npae.kernels.step.codes import BLOCK, HEAD, PART_ROWS, WORD
from npae.kernels.step.entries import HAND_BACK, MAKE_READY
from npae.kernels.step.marks import mark, words_of
from npae.kernels.step.nonzeros import summed_together
from npae.kernels.step.product import panel_width
from npae.kernels.step.sparse import sparse_weights
from npae.kernels.step.update import update_bias, update_part

TOLERANCE = {"float32": 3e-6, "float64": 1e-14}
SHAPES = [(1, 1, 1), (5, 3, 2), (7, 70, 20), (64, 64, 100), (130, 33, 9), (67, 128, 3), (11, 15, 200)]
RATES = np.array([0.01, 1.3, 0.9, 0.999, 0.1, 1.0])  # an epsilon that counts
GUARD = 64  # numbers behind an array, which nobody may write


def _guarded(matrix: np.ndarray) -> np.ndarray:
    return np.concatenate([matrix.ravel(), np.full(GUARD, np.nan, matrix.dtype)])


def _panels(matrix: np.ndarray, width: int) -> np.ndarray:
    rows, columns = matrix.shape
    made = _guarded(np.zeros_like(matrix))
    copies = np.array([(matrix.ctypes.data, made.ctypes.data, rows, columns, columns, width)])
    MAKE_READY(matrix.dtype.name, copies.ctypes.data, 1, 0, 0, 0, 0, 0, 0)
    return made


def _matrix(panels: np.ndarray, shape: tuple[int, int], width: int) -> np.ndarray:
    made = np.empty(shape, panels.dtype)
    copies = np.array([(made.ctypes.data, panels.ctypes.data, *shape, shape[1], width)])
    HAND_BACK(panels.dtype.name, copies.ctypes.data, 1)
    return made


def _moved(w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, decay: float) -> list[np.ndarray]:
    made = [array.astype(np.float64) for array in (w, m, v)]
    adam(made[0], g + decay * made[0], made[1], made[2], *(RATES[k] for k in (0, 2, 3, 1, 4)), 1.0)
    return made


def _parameters(shape: tuple[int, ...], dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape).astype(dtype), rng.random(shape).astype(dtype)]


def _close(found: list[np.ndarray], expected: list[np.ndarray], dtype: str) -> None:
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one - other).max() <= TOLERANCE[dtype] * max(1.0, np.abs(other).max())


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize(("n_in", "n_out", "batch"), SHAPES)
def test_parts_of_w_move_by_their_gradient_and_w_turned_with_them(n_in: int, n_out: int, batch: int, decay: float, dtype: str) -> None:
    rng, kind = np.random.default_rng(1), np.dtype(dtype).type(0)
    x, dy = rng.standard_normal((batch, n_in)).astype(dtype), rng.standard_normal((batch, n_out + 3)).astype(dtype)
    parameters, width, read = _parameters((n_in, n_out), dtype), panel_width(kind), _guarded(x)  # what is read behind x moves nothing
    panels, turned = [_panels(one, width) for one in parameters], _guarded(np.zeros((n_out, n_in), dtype))
    scratch, squares = np.zeros(HEAD + PART_ROWS * width * x.itemsize, np.uint8), 0.0
    places = [array.ctypes.data for array in panels]
    for j in range(0, n_out, width):
        for i in range(0, n_in, PART_ROWS):
            squares += update_part(
                kind, read.ctypes.data, n_in, dy.ctypes.data, n_out + 3, batch, *places, n_in, n_out, turned.ctypes.data, n_out, 0, i, j,
                scratch.ctypes.data, RATES, decay,
            )  # fmt: skip
    found = [_matrix(array, (n_in, n_out), width) for array in panels]
    gradient = x.T.astype(np.float64) @ dy[:, :n_out].astype(np.float64)
    _close(found, _moved(parameters[0], gradient, *parameters[1:], decay), dtype)
    assert _matrix(turned, (n_out, n_in), width).tobytes() == np.ascontiguousarray(found[0].T).tobytes()
    assert all(np.isnan(array[-GUARD:]).all() for array in (*panels, turned))
    assert squares == pytest.approx(np.square(found[0], dtype=np.float64).sum() if decay else 0.0, rel=1e-5)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n", [1, 16, 37, 200])
def test_a_bias_moves_by_the_sum_of_its_columns(n: int, dtype: str) -> None:
    rng, kind = np.random.default_rng(1), np.dtype(dtype).type(0)
    dy, parameters = rng.standard_normal((9, n + 1)).astype(dtype), _parameters((n,), dtype)
    kept, scratch = [_guarded(one) for one in parameters], np.zeros(HEAD + 8 * n, np.uint8)
    squares = update_bias(kind, dy.ctypes.data, n + 1, 9, *(one.ctypes.data for one in kept), n, scratch.ctypes.data, RATES, 0.1)
    _close([one[:n] for one in kept], _moved(parameters[0], dy[:, :n].sum(axis=0, dtype=np.float64), *parameters[1:], 0.1), dtype)
    assert all(np.isnan(one[n:]).all() for one in kept)
    assert squares == pytest.approx(np.square(kept[0][:n], dtype=np.float64).sum(), rel=1e-5)


BATCHES = [1, 31, 32, 33, 64, 65, 100]
WIDTHS = [1, 16, 17, 33, 49, 64, 70, 128]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch", BATCHES)
def test_marks_say_which_rows_of_a_column_are_not_zero(batch: int, dtype: str) -> None:
    rng, kind = np.random.default_rng(1), np.dtype(dtype).type(0)
    for columns in (1, 15, 16, 17, BLOCK):
        x = (rng.standard_normal((batch, columns + 3)) * (rng.random((batch, columns + 3)) < 0.3)).astype(dtype)
        x[-1, 0], x[0, columns - 1], x[batch // 2, columns // 2] = np.nan, -0.0, np.nextafter(np.zeros(1, dtype), 1)[0]
        words = words_of(batch)
        marks = np.full(2 * words * BLOCK + GUARD, 77, np.uint32)
        mark(kind, x.ctypes.data, columns + 3, batch, columns, marks.ctypes.data)
        halves = marks[:-GUARD].reshape(words, 2, BLOCK)[:, :, :columns].astype(np.uint64)
        found = halves[:, 0] | halves[:, 1] << np.uint64(32)
        bits = found[np.arange(batch) // WORD] >> (np.arange(batch, dtype=np.uint64) % WORD)[:, None] & np.uint64(1)
        np.testing.assert_array_equal(bits, x[:, :columns] != 0)
        assert np.bitwise_count(found).sum() == np.count_nonzero(x[:, :columns])  # and no row behind the last
        assert (marks[-GUARD:] == 77).all()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("features", "batch"), [(1, 1), (BLOCK, 5), (BLOCK + 5, 20), (2 * BLOCK + 1, 3), *((21, batch) for batch in BATCHES)]
)
@pytest.mark.parametrize("n_out", WIDTHS)
def test_blocks_of_a_first_layer_move_by_the_nonzeros_of_their_columns(features: int, batch: int, n_out: int, dtype: str) -> None:
    rng, kind = np.random.default_rng(1), np.dtype(dtype).type(0)
    x = (rng.standard_normal((batch, features + 2)) * (rng.random((batch, features + 2)) < 0.3)).astype(dtype)
    x[:, features // 2] = 0
    dy, parameters = rng.standard_normal((batch, n_out + 3)).astype(dtype), _parameters((features, n_out), dtype)
    width, whole, read = summed_together(kind), panel_width(kind), _guarded(x)
    panels, dense = ([_panels(one, columns) for one in parameters] for columns in (width, whole))
    marked, scratch = (np.zeros(HEAD + room, np.uint8) for room in (BLOCK * WORD // 8 * words_of(batch), PART_ROWS * whole * x.itemsize))
    for block in range(-(-features // BLOCK)):
        sparse_weights(
            kind, x.ctypes.data, features + 2, features, dy.ctypes.data, n_out + 3, n_out, *(one.ctypes.data for one in panels),
            block, batch, marked.ctypes.data, RATES,
        )  # fmt: skip
    for j in range(0, n_out, whole):
        for i in range(0, features, PART_ROWS):
            update_part(
                kind, read.ctypes.data, features + 2, dy.ctypes.data, n_out + 3, batch, *(one.ctypes.data for one in dense),
                features, n_out, 0, n_out, 0, i, j, scratch.ctypes.data, RATES, 0.0,
            )  # fmt: skip
    found = [_matrix(one, (features, n_out), width) for one in panels]
    gradient = x[:, :features].T.astype(np.float64) @ dy[:, :n_out].astype(np.float64)
    _close(found, _moved(parameters[0], gradient, *parameters[1:], 0.0), dtype)
    for one, other in zip(found, dense, strict=True):  # zeros left out change nothing, to the last bit
        assert one.tobytes() == _matrix(other, (features, n_out), whole).tobytes()
    assert all(np.isnan(one[-GUARD:]).all() for one in panels)
