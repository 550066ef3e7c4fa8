"""Folders of PNG images: order, classes, kinds of image, and what is refused."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from npae.data import load
from npae.errors import InputError

Array = NDArray[Any]


def _save(path: Path, pixels: Array, mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path)


def _grey(value: int, height: int = 3, width: int = 4) -> Array:
    return np.full((height, width), value, dtype=np.uint8)


def test_images_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, value in (("b.png", 51), ("a.PNG", 255), ("c.png", 0)):
        _save(tmp_path / name, _grey(value))
    (tmp_path / ".hidden.png").write_bytes(b"not an image")
    (tmp_path / "notes.txt").write_text("left alone")
    data = load(str(tmp_path))
    np.testing.assert_array_equal(data.train[:, 0], np.array([1, 0.2, 0], dtype=np.float32))
    assert data.train.shape == (3, 12)
    assert data.image_shape == (3, 4)
    assert data.train_labels is None
    assert data.scaling == {"kind": "divide", "by": 255.0}


def test_sub_folders_are_classes_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, value in (("dog/1.png", 3), ("cat/2.png", 2), ("cat/1.png", 1), (".cache/1.png", 9)):
        _save(tmp_path / name, _grey(value))
    data = load(str(tmp_path), scale="none")
    assert data.train[:, 0].tolist() == [1, 2, 3]
    assert data.train_labels is not None
    assert data.train_labels.tolist() == [0, 0, 1]
    assert data.label_names == ["cat", "dog"]


def test_colour_keeps_its_channels_last(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    _save(tmp_path / "a.png", pixels)
    data = load(str(tmp_path), scale="none")
    assert data.image_shape == (3, 4, 3)
    np.testing.assert_array_equal(data.train[0], pixels.reshape(-1))


def test_one_bit_grey_and_palettes_are_read_as_what_they_show(tmp_path: Path) -> None:
    pattern = _grey(0)
    pattern[1, 2] = 255
    _save(tmp_path / "bits" / "a.png", pattern, "1")
    _save(tmp_path / "palette" / "a.png", np.repeat(pattern[..., None], 3, axis=2), "P")
    bits = load(str(tmp_path / "bits"), scale="none")
    np.testing.assert_array_equal(bits.train[0], pattern.reshape(-1))
    palette = load(str(tmp_path / "palette"), scale="none")
    assert palette.image_shape == (3, 4, 3)
    np.testing.assert_array_equal(palette.train[0].reshape(3, 4, 3)[..., 1], pattern)


def test_two_sizes_are_refused_with_both_files_and_sizes(tmp_path: Path) -> None:
    _save(tmp_path / "a.png", _grey(1))
    _save(tmp_path / "b.png", _grey(1, 5, 4))
    with pytest.raises(InputError, match=r"b\.png is 5 x 4 grey and .*a\.png is 3 x 4 grey"):
        load(str(tmp_path))


def test_grey_beside_colour_is_refused_with_both_files(tmp_path: Path) -> None:
    _save(tmp_path / "a.png", _grey(1))
    _save(tmp_path / "b.png", np.zeros((3, 4, 3), dtype=np.uint8))
    with pytest.raises(InputError, match=r"b\.png is 3 x 4 colour and .*a\.png is 3 x 4 grey"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("pixels", "complaint"),
    [
        (np.zeros((3, 4), dtype=np.uint16), "mode 'I;16'"),
        (np.zeros((3, 4, 4), dtype=np.uint8), "mode 'RGBA'"),
        (np.zeros((3, 4, 2), dtype=np.uint8), "mode 'LA'"),
    ],
)
def test_sixteen_bits_and_transparency_are_refused(tmp_path: Path, pixels: Array, complaint: str) -> None:
    _save(tmp_path / "a.png", pixels)
    with pytest.raises(InputError, match=rf"a\.png: PNG with {complaint}; expected 8-bit grey or RGB"):
        load(str(tmp_path))


def test_a_transparent_colour_is_refused(tmp_path: Path) -> None:
    Image.fromarray(_grey(1)).save(tmp_path / "a.png", transparency=1)
    with pytest.raises(InputError, match=r"a\.png: PNG with transparency"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "no PNG image .*it is empty"),
        (["a.jpg", "b.jpg"], r"no PNG image .*it has a\.jpg, b\.jpg: convert"),
        (["a.txt", "b.txt", "c.txt", "d.txt"], r"it has a\.txt, b\.txt, c\.txt, \.\.\."),
    ],
)
def test_a_folder_without_a_png_says_what_is_there(tmp_path: Path, names: list[str], complaint: str) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=complaint):
        load(str(tmp_path))


def test_images_both_here_and_in_classes_are_refused(tmp_path: Path) -> None:
    _save(tmp_path / "a.png", _grey(1))
    _save(tmp_path / "cat" / "a.png", _grey(1))
    with pytest.raises(InputError, match=r"both here \(a\.png\) and in sub-folders \(cat/\)"):
        load(str(tmp_path))


def test_a_class_without_an_image_is_refused_by_name(tmp_path: Path) -> None:
    _save(tmp_path / "cat" / "a.png", _grey(1))
    (tmp_path / "dog").mkdir()
    with pytest.raises(InputError, match="dog: no PNG image in this class's folder"):
        load(str(tmp_path))


def test_another_format_under_the_name_of_a_png_is_refused(tmp_path: Path) -> None:
    Image.fromarray(_grey(1)).save(tmp_path / "a.png", format="BMP")
    with pytest.raises(InputError, match=r"a\.png: not a whole PNG image"):
        load(str(tmp_path))


def test_an_image_cut_off_anywhere_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    _save(path, np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8))
    whole = path.read_bytes()
    for length in range(len(whole) - 4):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"a\.png: not a whole PNG image"):
            load(str(tmp_path))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("side", [10_000, 100_000])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, side: int) -> None:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    body = b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", zlib.compress(bytes(100))) + _chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(body)
    with pytest.raises(InputError, match=r"a\.png: too large"):
        load(str(tmp_path))


def test_more_images_than_fit_are_refused_before_they_are_allocated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npae.data.png_folder.MAX_UNPACKED", 20)
    for name in ("a.png", "b.png"):
        _save(tmp_path / name, _grey(1))
    with pytest.raises(InputError, match=r"2 images of \(3, 4\) are 24 bytes; expected at most 20"):
        load(str(tmp_path))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_image_is_refused_or_reads_the_same(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    _save(folder / "whole.png", np.arange(64, dtype=np.uint8).reshape(8, 8))
    (folder / "whole.png").rename(folder / "a.png")
    body = bytearray((folder / "a.png").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        index = data.draw(st.integers(8, len(body) - 1))
        body[index] = data.draw(st.integers(0, 255))
    (folder / "a.png").write_bytes(body)
    try:
        loaded = load(str(folder), scale="none")
    except InputError as error:
        assert "a.png" in str(error)  # noqa: PT017 - the other outcome is checked too
    else:
        assert loaded.train.tolist() == [list(range(64))]  # every change was none
