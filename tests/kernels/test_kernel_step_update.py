"""What moves the parameters in a compiled step: by the gradient of their rows and columns and Adam's reference, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from npae.kernels.adam.reference import adam
from npae.kernels.step.codes import BLOCK, HEAD, PART_ROWS
from npae.kernels.step.entries import COUNT_NONZEROS, HAND_BACK, MAKE_READY, NONZEROS_OF_ROWS
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


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("features", "n_out", "batch"), [(1, 1, 1), (BLOCK, 16, 5), (BLOCK + 5, 70, 20), (2 * BLOCK + 1, 128, 3)])
def test_blocks_of_a_first_layer_move_by_the_nonzeros_of_their_columns(features: int, n_out: int, batch: int, dtype: str) -> None:
    rng, kind = np.random.default_rng(1), np.dtype(dtype).type(0)
    x = (rng.standard_normal((batch, features)) * (rng.random((batch, features)) < 0.3)).astype(dtype)
    dy, parameters = rng.standard_normal((batch, n_out)).astype(dtype), _parameters((features, n_out), dtype)
    width, blocks, bounds = summed_together(kind), -(-features // BLOCK), np.zeros(batch + 1, np.int64)
    COUNT_NONZEROS(dtype, x.ctypes.data, features, bounds[1:].ctypes.data, 0, batch)
    bounds = np.cumsum(bounds)
    indices, values, starts = np.zeros(bounds[-1], np.int32), np.zeros(bounds[-1], dtype), np.zeros((batch, blocks + 1), np.int64)
    nonzeros = (bounds, indices, values, starts)
    NONZEROS_OF_ROWS(dtype, x.ctypes.data, features, BLOCK, *(one.ctypes.data for one in nonzeros), 0, batch)
    starts += bounds[:-1, None]
    panels = [_panels(one, width) for one in parameters]
    scratch = np.zeros(HEAD + BLOCK * (width * x.itemsize + 8 + (4 + x.itemsize) * batch), np.uint8)
    for block in range(blocks):
        sparse_weights(
            kind, indices.ctypes.data, values.ctypes.data, starts.ctypes.data, blocks, features, dy.ctypes.data, n_out, n_out,
            *(one.ctypes.data for one in panels), block, batch, scratch.ctypes.data, RATES,
        )  # fmt: skip
    gradient = x.T.astype(np.float64) @ dy.astype(np.float64)
    _close([_matrix(one, (features, n_out), width) for one in panels], _moved(parameters[0], gradient, *parameters[1:], 0.0), dtype)
    assert all(np.isnan(one[-GUARD:]).all() for one in panels)
