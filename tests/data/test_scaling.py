"""Scaling: the rule is fitted on the training rows, can be stored as JSON, and gives later rows the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npae.data import apply_scaling, load
from npae.data.scaling import fit_scaling, undo_scaling
from npae.errors import InputError

Array = NDArray[Any]


def _save(path: Path, **arrays: Array) -> str:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


def test_auto_divides_bytes_by_255_exactly_rounded(tmp_path: Path) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, 256)
    for dtype in ("float32", "float64"):
        data = load(_save(tmp_path / "a.npz", x=grey), dtype=dtype)
        np.testing.assert_array_equal(data.train, (grey / 255.0).astype(dtype))
        assert data.scaling == {"kind": "divide", "by": 255.0}


@pytest.mark.parametrize("kind", ["uint8", "uint16", "uint32"])
@pytest.mark.parametrize("divisor", [255.0, 3.0, 0.1, 65535.0])
def test_whole_numbers_are_divided_as_exactly_as_float64_would(kind: str, divisor: float) -> None:
    raw = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (500, 7), dtype=kind, endpoint=True)
    scaled = apply_scaling(raw, {"kind": "divide", "by": divisor}, "float32")
    np.testing.assert_array_equal(scaled, (raw / divisor).astype(np.float32))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bool"])
def test_auto_leaves_floats_and_booleans_as_they_are(tmp_path: Path, dtype: str) -> None:
    x = np.array([[0, 1, -3.5], [1, 0, 1e4]]).astype(dtype)
    data = load(_save(tmp_path / "a.npz", x=x), dtype="float64")
    np.testing.assert_array_equal(data.train, x.astype(np.float64))
    assert data.scaling == {"kind": "none"}


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64"])
def test_auto_refuses_integers_whose_range_is_not_known(tmp_path: Path, dtype: str) -> None:
    path = _save(tmp_path / "a.npz", x=np.array([[1, 2]], dtype=dtype))
    with pytest.raises(InputError, match=rf"dtype {dtype}.*--scale none, minmax or standard"):
        load(path)
    assert load(path, scale="none").train.tolist() == [[1, 2]]


def test_auto_refuses_bytes_of_0_and_1_which_it_would_shrink(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.npz", x=np.eye(3, dtype=np.uint8))
    with pytest.raises(InputError, match=r"0 and 1 only.*--scale none"):
        load(path)
    assert load(path, scale="none").train.max() == 1


def test_minmax_reaches_0_and_1_in_every_feature_that_varies(tmp_path: Path) -> None:
    x = np.array([[5.0, -1, 7], [6, 3, 7], [9, 1, 7]])
    test = np.array([[3.0, 1, 8]])
    data = load(_save(tmp_path / "a.npz", x=x, test=test), scale="minmax", dtype="float64")
    np.testing.assert_allclose(data.train, np.array([[0, 0, 0], [0.25, 1, 0], [1, 0.5, 0]]), rtol=0, atol=1e-15)
    assert data.test is not None
    np.testing.assert_allclose(data.test, np.array([[-0.5, 0.5, 1]]), rtol=0, atol=1e-15)  # from the training rows' limits


def test_standard_gives_mean_0_and_deviation_1_and_0_where_constant(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(3, 20, (50_000, 5))
    x[:, 2] = 0.1  # its mean is not exactly 0.1 in floating point
    data = load(_save(tmp_path / "a.npz", x=x), scale="standard", dtype="float64")
    varying = data.train[:, [0, 1, 3, 4]]
    np.testing.assert_allclose(varying.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(varying.std(axis=0), 1, rtol=1e-12)
    assert (data.train[:, 2] == 0).all()


@pytest.mark.parametrize("scale", ["minmax", "standard"])
def test_small_differences_far_from_the_origin_survive_float32(tmp_path: Path, scale: str) -> None:
    x = 1.7e9 + np.random.default_rng(0).random((200, 2))
    single = load(_save(tmp_path / "a.npz", x=x), scale=scale).train
    double = load(_save(tmp_path / "a.npz", x=x), scale=scale, dtype="float64").train
    np.testing.assert_allclose(single, double, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64"])
@pytest.mark.parametrize("scale", ["none", "minmax", "standard"])
def test_a_stored_rule_gives_new_rows_the_same_numbers(tmp_path: Path, scale: str, dtype: str) -> None:
    x = np.random.default_rng(1).integers(0, 200, (300, 7)).astype(dtype)
    data = load(_save(tmp_path / "a.npz", x=x), scale=scale)
    stored = json.loads(json.dumps(data.scaling))
    np.testing.assert_array_equal(apply_scaling(x[17:33], stored), data.train[17:33])


def test_a_number_that_the_dtype_cannot_hold_is_named(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.npz", x=np.array([[0, 1], [1e300, 0]]))
    with pytest.raises(InputError, match="scale 'none' to float32: row 1, column 0"):
        load(path)
    assert load(path, dtype="float64").train[1, 0] == 1e300


def test_a_range_that_overflows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="scale 'minmax' to float64: row"):
        load(_save(tmp_path / "a.npz", x=np.array([[-1.7e308], [1.7e308]])), scale="minmax", dtype="float64")


def test_the_caller_s_array_is_never_written_to() -> None:
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    before = x.copy()
    scaled = apply_scaling(x, {"kind": "none"}, dtype="float64")
    scaled += 1
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("scaling", "complaint"),
    [
        ({"kind": "min-max"}, "scaling 'min-max' is not one of.*did you mean 'minmax'"),
        ({}, "scaling 'None' is not one of"),
        ({"kind": "minmax", "low": [0, 0, 0], "high": [1, 1, 1]}, "2 features; this run was scaled by 'minmax' for 3"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(scaling: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        apply_scaling(np.zeros((4, 2)), scaling)


def test_an_unknown_scale_names_the_nearest() -> None:
    with pytest.raises(InputError, match="scale 'standart' is not one of auto, none, minmax, standard; did you mean 'standard'"):
        fit_scaling(np.zeros((1, 1)), "standart", None, "x")


def test_a_rule_fitted_before_is_applied_to_new_rows_as_it_is(tmp_path: Path) -> None:
    first = load(_save(tmp_path / "a.npz", x=np.array([[0.0, 10], [4, 30]])), scale="minmax", dtype="float64")
    new = load(_save(tmp_path / "b.npz", x=np.array([[8.0, 20]])), scaling=first.scaling, dtype="float64")
    assert new.train.tolist() == [[2, 0.5]]
    assert new.scaling == first.scaling


@pytest.mark.parametrize("scale", ["none", "minmax", "standard"])
def test_undone_scaling_gives_the_raw_values_back(tmp_path: Path, scale: str) -> None:
    x = np.random.default_rng(2).normal(50, 9, (30, 4))
    x[:, 1] = 7
    data = load(_save(tmp_path / "a.npz", x=x), scale=scale, dtype="float64")
    np.testing.assert_allclose(undo_scaling(data.train, data.scaling), x, rtol=1e-13)
