""".npy and .npz: which shapes and keys are understood, and that nothing is believed or unpickled."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from npae.data import load
from npae.errors import InputError

Array = NDArray[Any]

ROWS = np.random.default_rng(0).random((7, 12))


def _save(path: Path, array: Array) -> str:
    np.save(path, array)
    return str(path)


def _npy(array: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _headed(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header.encode("latin1") + data


@pytest.mark.parametrize(
    ("shape", "image_shape"),
    [((7, 12), None), ((7, 3, 4), (3, 4)), ((7, 2, 2, 3), (2, 2, 3)), ((7, 3, 4, 1), (3, 4))],
)
def test_images_are_flattened_and_their_shape_is_kept(tmp_path: Path, shape: tuple[int, ...], image_shape: tuple[int, ...] | None) -> None:
    data = load(_save(tmp_path / "own.npy", ROWS.reshape(shape)), dtype="float64")
    np.testing.assert_array_equal(data.train, ROWS)
    assert data.image_shape == image_shape
    assert (data.name, data.source) == ("own", str(tmp_path / "own.npy"))
    assert data.test is None
    assert data.validation is None
    assert data.train_labels is None


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8", "<f2", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_byte_order_and_memory_order_do_not_change_the_rows(tmp_path: Path, dtype: str, order: Any) -> None:
    array = np.asarray(np.round(ROWS), dtype=dtype, order=order)
    data = load(_save(tmp_path / "own.npy", array))
    np.testing.assert_array_equal(data.train, np.round(ROWS).astype(np.float32))
    assert data.train.flags.c_contiguous
    assert data.train.dtype == np.dtype("float32")
    assert data.train.dtype.isnative


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (5,), (), (2, 2, 2, 2, 2)])
def test_a_shape_that_is_not_rows_is_quoted(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"shape \(.*expected"):
        load(_save(tmp_path / "own.npy", np.zeros(shape)))


def test_channels_first_are_refused_with_the_command_that_moves_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"28 channels.*moveaxis"):
        load(_save(tmp_path / "own.npy", np.zeros((5, 3, 28, 28))))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named_by_row_and_column(tmp_path: Path, value: float) -> None:
    array = np.zeros((40000, 5))
    array[39999, 3] = value
    with pytest.raises(InputError, match=rf"own\.npy: training rows: row 39999, column 3 .* is {value}"):
        load(_save(tmp_path / "own.npy", array))


@pytest.mark.parametrize(
    "array", [np.array([{}, []], dtype=object), np.array(["a", "b"]), np.zeros(2, dtype=[("a", "f4")]), np.zeros(2, "c16")]
)
def test_objects_text_and_records_are_refused(tmp_path: Path, array: Array) -> None:
    with pytest.raises(InputError, match="expected plain numbers"):
        load(_save(tmp_path / "own.npy", array))
    np.savez(tmp_path / "own.npz", x=array)
    with pytest.raises(InputError, match=r"own\.npz: array 'x': holds .*expected plain numbers"):
        load(str(tmp_path / "own.npz"))


def test_a_file_cut_off_anywhere_is_refused_by_name(tmp_path: Path) -> None:
    whole = _npy(ROWS)
    path = tmp_path / "own.npy"
    for length in (*range(0, 140), len(whole) - 8, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"own\.npy"):
            load(str(path))


def test_bytes_after_the_numbers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own.npy").write_bytes(_npy(ROWS) + b"\0")
    with pytest.raises(InputError, match="describes 800 "):
        load(str(tmp_path / "own.npy"))


@pytest.mark.parametrize("name", ["own.npy", "own.npz"])
def test_a_header_that_claims_terabytes_is_refused_without_allocating(tmp_path: Path, name: str) -> None:
    lie = _headed("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000)}", bytes(64))
    path = tmp_path / name
    if name.endswith("npz"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", lie)
    else:
        path.write_bytes(lie)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="its header describes 8000000000"):
            load(str(path))
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "{'descr': '<f8'}",
        "[1, 2]",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1.0, 3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1)",
        "(" * 5000,
        "-" * 9000 + "1",
        "{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (1, 1)}",
    ],
)
def test_a_header_that_no_array_has_is_refused(tmp_path: Path, header: str) -> None:
    (tmp_path / "own.npy").write_bytes(_headed(header, bytes(8)))
    with pytest.raises(InputError, match=r"own\.npy: "):
        load(str(tmp_path / "own.npy"))


@pytest.mark.parametrize("prefix", ["", "x_"])
def test_an_npz_gives_each_array_its_role(tmp_path: Path, prefix: str) -> None:
    arrays: dict[str, Array] = {f"{prefix}train": ROWS, f"{prefix}test": ROWS[:2] / 2}
    arrays |= {"y_train": np.arange(7), "y_test": np.arange(2)} if prefix else {"train_labels": np.arange(7), "test_labels": np.arange(2)}
    np.savez_compressed(tmp_path / "own.npz", **arrays)  # type: ignore[arg-type]
    data = load(str(tmp_path / "own.npz"), dtype="float64")
    np.testing.assert_array_equal(data.train, ROWS)
    assert data.test is not None
    np.testing.assert_array_equal(data.test, ROWS[:2] / 2)
    assert data.train_labels is not None
    assert data.train_labels.tolist() == list(range(7))
    assert data.test_labels is not None
    assert data.test_labels.tolist() == [0, 1]


def test_an_npz_of_one_array_needs_no_particular_key(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", spectra=np.asfortranarray(ROWS))
    np.testing.assert_array_equal(load(str(tmp_path / "own.npz"), dtype="float64").train, ROWS)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"x": ROWS, "Y": np.arange(7)}, "array 'Y' has no meaning"),
        ({"x": ROWS, "train": ROWS}, "array 'train' repeats"),
        ({"y": np.arange(7)}, "no training rows; save them under 'x'"),
        ({}, "no array but no training rows"),
        ({"x": ROWS, "y": np.arange(6)}, "6 labels for 7 rows"),
        ({"x": ROWS, "y": np.eye(7)}, r"labels of shape \(7, 7\).*argmax"),
        ({"x": ROWS, "y": np.arange(7.0)}, "labels of dtype float64"),
        ({"x": ROWS, "y_test": np.arange(7)}, "labels without rows"),
        ({"x": ROWS, "test": ROWS[:, :5]}, "test rows are .* expected the same"),
        ({"x": ROWS, "test": ROWS.astype(np.float32)}, "expected the same dtype"),
        ({"x": ROWS, "test": np.full((1, 12), np.nan)}, "test rows: row 0, column 0"),
    ],
)
def test_an_npz_that_does_not_fit_together_is_refused(tmp_path: Path, arrays: dict[str, Array], complaint: str) -> None:
    np.savez(tmp_path / "own.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=complaint):
        load(str(tmp_path / "own.npz"))


def test_an_npz_cut_off_or_changed_anywhere_is_refused_or_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x=ROWS[:2])
    whole = path.read_bytes()
    for length in range(0, len(whole), 5):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"own\.npz"):
            load(str(path))
    for index in range(len(whole)):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 0x55]) + whole[index + 1 :])
        try:
            read = load(str(path), dtype="float64").train
        except InputError as error:
            assert "own.npz" in str(error)  # noqa: PT017 - the other outcome is checked too
        else:
            np.testing.assert_array_equal(read, ROWS[:2])  # a time stamp, or a name nobody needs


def test_an_npz_bomb_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npae.data.arrays.MAX_UNPACKED", 1000)
    np.savez_compressed(tmp_path / "own.npz", x=np.zeros((100, 100)))
    with pytest.raises(InputError, match="would unpack to 80128 bytes; expected at most 1000"):
        load(str(tmp_path / "own.npz"))


@settings(deadline=None, max_examples=200)
@given(
    prefix=st.sampled_from(
        [b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00", b"\x93NUMPY\x01\x00\x20\x00{'descr':", b"PK\x03\x04", b"PK\x05\x06"]
    ),
    body=st.binary(max_size=120),
    name=st.sampled_from(["random.npy", "random.npz"]),
)
def test_random_bytes_are_refused_and_never_crash(tmp_path_factory: pytest.TempPathFactory, prefix: bytes, body: bytes, name: str) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(prefix + body)
    with pytest.raises(InputError, match=r"random\.np[yz]"):
        load(str(path))


@settings(deadline=None, max_examples=200)
@given(header=st.text(alphabet="{}[]()'\"<>|fiubO:,0123456789 shapedcrotn_FTlu\\\n#", max_size=80))
def test_random_headers_are_refused_and_never_crash(tmp_path_factory: pytest.TempPathFactory, header: str) -> None:
    path = tmp_path_factory.getbasetemp() / "random.npy"
    path.write_bytes(_headed(header, bytes(8)))
    with pytest.raises(InputError, match=r"random\.npy"):
        load(str(path))
