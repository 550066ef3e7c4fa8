"""IDX files, packed and not: what is read, and what is refused before it costs memory."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from npae.data import load
from npae.data.idx import read_idx
from npae.errors import InputError

Array = NDArray[Any]
IdxBytes = Callable[[Array], bytes]

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(5,), (3, 2), (2, 3, 4), (2, 2, 2, 3)])
def test_every_number_type_and_shape_is_read_back(
    idx_bytes: IdxBytes, tmp_path: Path, suffix: str, dtype: str, shape: tuple[int, ...]
) -> None:
    array = (np.arange(np.prod(shape)) * 3 - 7).reshape(shape).astype(dtype)
    read = read_idx(_write(tmp_path / f"a{suffix}", idx_bytes(array)))
    assert read.dtype.newbyteorder("=") == array.dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("length", range(16 + 24))
def test_a_file_cut_off_anywhere_is_refused_by_name(idx_bytes: IdxBytes, tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut-idx3-ubyte"
    path.write_bytes(idx_bytes(IMAGES)[:length])
    with pytest.raises(InputError, match="cut-idx3-ubyte"):
        read_idx(path)


def test_a_packed_file_cut_off_anywhere_is_refused_by_name(idx_bytes: IdxBytes, tmp_path: Path) -> None:
    packed = gzip.compress(idx_bytes(IMAGES))
    path = tmp_path / "cut-idx3-ubyte.gz"
    for length in range(len(packed)):
        path.write_bytes(packed[:length])
        with pytest.raises(InputError, match=r"cut-idx3-ubyte\.gz"):
            read_idx(path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_bytes_after_the_last_number_are_refused(idx_bytes: IdxBytes, tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match="describes"):
        read_idx(_write(tmp_path / f"a{suffix}", idx_bytes(IMAGES) + b"\0"))


def test_bytes_after_the_gzip_stream_are_refused(idx_bytes: IdxBytes, tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES)) + b"more")
    with pytest.raises(InputError, match="goes on after the 40 bytes"):
        read_idx(path)


def test_a_flipped_bit_in_a_packed_file_is_refused(idx_bytes: IdxBytes, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(idx_bytes(IMAGES)))
    packed[-6] ^= 1  # in the CRC
    (tmp_path / "a.gz").write_bytes(packed)
    with pytest.raises(InputError, match=r"a\.gz: not a whole gzip file"):
        read_idx(tmp_path / "a.gz")


def test_an_unpacked_file_that_is_still_named_gz_is_told_apart(idx_bytes: IdxBytes, tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(idx_bytes(IMAGES))
    with pytest.raises(InputError, match=r"take \.gz off its name"):
        read_idx(tmp_path / "a.gz")


@pytest.mark.parametrize(
    ("start", "complaint"),
    [
        (b"\x01\x00\x08\x01", "starts with 01 00 08 01"),
        (b"\x00\x01\x08\x01", "starts with 00 01 08 01"),
        (b"\x00\x00\x0a\x01", "expected an IDX file"),
        (b"\x00\x00\x08\x00", "0 dimensions"),
        (b"\x00\x00\x08\x05", "5 dimensions"),
    ],
)
def test_a_wrong_magic_number_is_quoted(tmp_path: Path, start: bytes, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_idx(_write(tmp_path / "a", start + bytes(40)))


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("shape", [(10**6, 10**3, 10**3), (2**32 - 1,) * 4])
def test_a_header_that_claims_terabytes_is_refused_without_allocating(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    header = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    path = _write(tmp_path / f"a{suffix}", header + bytes(100))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"describes|claims"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_a_packed_bomb_is_unpacked_no_further_than_its_header_says(idx_bytes: IdxBytes, tmp_path: Path) -> None:
    squeeze = zlib.compressobj(9, wbits=31)
    body = squeeze.compress(idx_bytes(IMAGES)) + b"".join(squeeze.compress(bytes(2**20)) for _ in range(64)) + squeeze.flush()
    path = tmp_path / "bomb.gz"
    path.write_bytes(body)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="goes on after the 40 bytes"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


@settings(deadline=None, max_examples=300)
@given(
    prefix=st.sampled_from([b"", b"\0\0\x08\x01", b"\0\0\x08\x03\0\0\0\x01\0\0\0\x02", b"\0\0\x0e\x04"]),
    body=st.binary(max_size=80),
    packed=st.sampled_from(["raw", "gzip", "named gz"]),
)
def test_random_bytes_are_read_or_refused_and_never_crash(
    tmp_path_factory: pytest.TempPathFactory, prefix: bytes, body: bytes, packed: str
) -> None:
    path = tmp_path_factory.getbasetemp() / ("random" if packed == "raw" else "random.gz")
    path.write_bytes(gzip.compress(prefix + body) if packed == "gzip" else prefix + body)
    try:
        array = read_idx(path)
    except InputError as refusal:
        message = str(refusal)
    else:
        message = "random"
        assert array.nbytes <= len(body)
    assert "random" in message
    assert "\n" not in message


def test_a_folder_of_idx_files_is_loaded_packed_or_not(tiny_files: dict[str, bytes], tmp_path: Path) -> None:
    for name, body in tiny_files.items():
        if name.startswith("train"):
            (tmp_path / name).write_bytes(body)
        else:
            (tmp_path / name.removesuffix(".gz")).write_bytes(gzip.decompress(body))
    data = load(str(tmp_path))
    raw = np.frombuffer(gzip.decompress(tiny_files["t10k-images-idx3-ubyte.gz"]), dtype=np.uint8, offset=16).reshape(6, 12)
    assert data.train.shape == (20, 12)
    assert data.image_shape == (3, 4)
    assert data.test is not None
    np.testing.assert_array_equal(data.test, raw.astype(np.float32) / np.float32(255))
    assert data.test_labels is not None
    assert data.test_labels.dtype == np.int64


def test_training_images_are_enough_for_a_folder(tiny_files: dict[str, bytes], tmp_path: Path) -> None:
    name = "train-images-idx3-ubyte.gz"
    (tmp_path / name).write_bytes(tiny_files[name])
    data = load(str(tmp_path))
    assert data.train_labels is None
    assert data.test is None


def test_labels_that_are_too_few_are_counted(tiny_files: dict[str, bytes], idx_bytes: IdxBytes, tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(tiny_files["train-images-idx3-ubyte.gz"])
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(19, dtype=np.uint8)))
    with pytest.raises(InputError, match="19 labels for 20 rows"):
        load(str(tmp_path))
