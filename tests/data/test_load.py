"""load: names, paths, image shapes, dtypes and fingerprints."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from npae.data import load
from npae.errors import InputError


def test_digits_are_scikit_learn_s_with_a_fixed_split() -> None:
    from sklearn.datasets import load_digits

    data, original = load("digits"), load_digits()
    np.testing.assert_array_equal(data.train, (original.data[:1500] / 16).astype(np.float32))
    assert data.test is not None
    np.testing.assert_array_equal(data.test, (original.data[1500:] / 16).astype(np.float32))
    assert data.train_labels is not None
    assert data.test_labels is not None
    np.testing.assert_array_equal(np.concatenate([data.train_labels, data.test_labels]), original.target)
    assert (data.name, data.source, data.image_shape) == ("digits", "scikit-learn", (8, 8))
    assert data.scaling == {"kind": "divide", "by": 16.0}
    assert data.label_names == list("0123456789")
    assert data.validation is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_contiguous_in_the_asked_dtype_and_writable(dtype: str) -> None:
    data = load("digits", dtype=dtype)
    assert data.train.dtype == np.dtype(dtype)
    assert data.train.flags.c_contiguous
    assert data.train.flags.writeable


def test_the_fingerprint_is_of_the_training_and_test_bytes(tmp_path: Path) -> None:
    x, test = np.arange(6, dtype=np.float32).reshape(3, 2), np.ones((1, 2), dtype=np.float32)
    np.savez(tmp_path / "a.npz", x=x, test=test)
    np.savez(tmp_path / "b.npz", x=x, test=test * 2)
    a, b = load(str(tmp_path / "a.npz")), load(str(tmp_path / "b.npz"))
    assert a.fingerprint == hashlib.sha256(x.tobytes() + test.tobytes()).hexdigest()
    assert a.fingerprint != b.fingerprint


def test_the_fingerprint_is_of_the_values_as_they_were_read_whatever_their_dtype_and_scale(tmp_path: Path) -> None:
    grey = np.arange(6, dtype=np.uint8).reshape(3, 2)
    np.save(tmp_path / "grey.npy", grey)
    every = [load(str(tmp_path / "grey.npy"), dtype=dtype, scale=scale) for dtype in ("float32", "float64") for scale in ("auto", "minmax")]
    assert {data.fingerprint for data in every} == {hashlib.sha256(grey.tobytes()).hexdigest()}


def test_an_image_shape_can_be_given_for_flat_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 12)))
    assert load(str(tmp_path / "a.npy"), image_shape=(3, 4)).image_shape == (3, 4)
    assert load(str(tmp_path / "a.npy"), image_shape=(2, 2, 3)).image_shape == (2, 2, 3)


@pytest.mark.parametrize("shape", [(3, 5), (12,), (-3, -4), (3.0, 4)])
def test_an_image_shape_that_does_not_fit_is_refused(tmp_path: Path, shape: tuple[int, int]) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 12)))
    with pytest.raises(InputError, match=r"image shape .* does not fit rows of 12 numbers"):
        load(str(tmp_path / "a.npy"), image_shape=shape)


def test_a_path_that_does_not_exist_names_the_nearest_data_set() -> None:
    with pytest.raises(InputError, match=r"--data mnst: no such file or folder, and not one of digits, .*; did you mean 'mnist'\?"):
        load("mnst")


def test_a_path_that_is_like_no_data_set_lists_them_once() -> None:
    with pytest.raises(InputError) as caught:
        load("./qqqqqqqq.npy")
    assert str(caught.value).count("fashion-mnist") == 1


@pytest.mark.parametrize("name", ["a.txt", "a.pkl", "a"])
def test_another_kind_of_file_is_refused_with_the_kinds_that_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=r"expected \.npy, \.npz, \.csv, or a folder"):
        load(str(tmp_path / name))


def test_a_name_goes_before_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load("digits").source == "scikit-learn"
    with pytest.raises(InputError, match="no PNG image"):
        load("./digits")


def test_an_unknown_dtype_is_refused_before_anything_is_read() -> None:
    with pytest.raises(InputError, match="dtype 'float16' is not one of"):
        load("digits", dtype="float16")


def test_importing_the_data_floor_loads_no_compiler_and_no_plotting() -> None:
    heavy = ["numba", "matplotlib", "PIL", "sklearn", "scipy", "cupy"]
    code = f"import sys, npae.data; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
