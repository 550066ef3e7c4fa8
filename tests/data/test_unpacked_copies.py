"""Unpacked copies of packed files: used only for the very file that the catalogue knows, never believed unseen, and done without."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.data import Dataset, load, unpacked
from npae.data.catalogue import CATALOGUE, File
from npae.data.unpacked import content_of

IDX = bytes([0, 0, 8, 1, 0, 0, 0, 3]) + b"abc"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies go; no file is too small for one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(unpacked, "WORTH", 0)
    return tmp_path / "cache" / "npae" / "unpacked"


@pytest.fixture
def packed(tmp_path: Path) -> tuple[Path, File]:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(IDX))
    content = path.read_bytes()
    return path, File(path.name, len(content), hashlib.sha256(content).hexdigest(), hashlib.sha256(IDX).hexdigest())


def never(path: Path) -> bytes:
    raise AssertionError("it was unpacked again")


def test_the_second_time_nothing_is_unpacked(home: Path, packed: tuple[Path, File], monkeypatch: pytest.MonkeyPatch) -> None:
    content, digest = content_of(*packed)
    assert (bytes(content), digest) == (IDX, packed[1].content_sha256)
    assert [path.name for path in home.iterdir()] == [packed[1].content_sha256]
    monkeypatch.setattr(unpacked, "read_content", never)
    content, digest = content_of(*packed)
    assert (bytes(content), digest) == (IDX, packed[1].content_sha256)


@pytest.mark.parametrize("damaged", [b"", IDX[:-1], IDX[:-1] + b"d"])
def test_a_copy_that_is_damaged_is_made_again(damaged: bytes, home: Path, packed: tuple[Path, File]) -> None:
    content_of(*packed)
    (copy,) = home.iterdir()
    copy.write_bytes(damaged)
    content, digest = content_of(*packed)
    assert (bytes(content), digest) == (IDX, packed[1].content_sha256)
    assert copy.read_bytes() == IDX


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_what_is_no_file_in_a_copys_place_is_not_waited_for(home: Path, packed: tuple[Path, File]) -> None:
    content_of(*packed)
    (copy,) = home.iterdir()
    copy.unlink()
    os.mkfifo(copy)
    content, digest = content_of(*packed)
    assert (bytes(content), digest) == (IDX, packed[1].content_sha256)
    assert copy.read_bytes() == IDX


def test_no_copy_stands_for_a_packed_file_that_changed(home: Path, packed: tuple[Path, File]) -> None:
    content_of(*packed)
    other = IDX[:-1] + b"x"
    packed[0].write_bytes(gzip.compress(other))
    content, digest = content_of(*packed)
    assert (bytes(content), digest) == (other, hashlib.sha256(other).hexdigest())
    assert len(list(home.iterdir())) == 1


def test_a_file_that_is_unpacked_or_small_has_no_copy(home: Path, packed: tuple[Path, File], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = packed[0].with_suffix("")
    plain.write_bytes(IDX)
    assert bytes(content_of(plain, packed[1])[0]) == IDX
    monkeypatch.setattr(unpacked, "WORTH", 1000)
    assert bytes(content_of(*packed)[0]) == IDX
    assert not home.exists()


def test_where_nothing_can_be_written_files_are_unpacked_each_time(tmp_path: Path, packed: tuple[Path, File]) -> None:
    (tmp_path / "cache").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        patch.setattr(unpacked, "WORTH", 0)
        assert bytes(content_of(*packed)[0]) == IDX
    assert (tmp_path / "cache").read_bytes() == b""


@pytest.mark.parametrize("failing", ["write_bytes", "replace"])
def test_a_disk_that_fills_up_leaves_neither_half_a_copy_nor_a_whole_one(
    failing: str, home: Path, packed: tuple[Path, File], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def half(path: Path, content: Any) -> int:
        write(path, bytes(content)[:5])
        raise OSError(28, "No space left on device")

    def no_name(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((Path, failing, half) if failing == "write_bytes" else (os, failing, no_name)))
    assert bytes(content_of(*packed)[0]) == IDX
    assert list(home.iterdir()) == []


def test_a_copy_is_never_seen_half_written_by_another_process(
    home: Path, packed: tuple[Path, File], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, seen = Path.write_bytes, list[str]()

    def watched(path: Path, content: Any) -> int:
        seen.append(path.name)
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", watched)
    content_of(*packed)
    assert len(seen) == 1
    assert seen != [packed[1].content_sha256] == [path.name for path in home.iterdir()]


def test_a_user_without_a_home_folder_gets_the_data_without_copies(packed: tuple[Path, File], monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(unpacked, "WORTH", 0)
    content, digest = content_of(*packed)
    assert (bytes(content), digest) == (IDX, packed[1].content_sha256)


def test_mnist_is_unpacked_once_and_its_images_are_read_from_copies_from_then_on(
    mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = [file for file in CATALOGUE["mnist"].files if (Path(mnist.source) / file.name).is_file() and "images" in file.name]
    if len(packed) != 2:
        pytest.skip(f"needs MNIST's images packed, as they are downloaded; {mnist.source} holds them unpacked")
    monkeypatch.setenv("NPAE_DATA_DIR", str(Path(mnist.source).parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    read, opened = unpacked.read_content, list[str]()

    def noted(path: Path) -> Any:
        opened.append(path.name)
        return read(path)

    monkeypatch.setattr(unpacked, "read_content", noted)
    load("mnist")
    assert {file.name for file in packed} <= set(opened)
    assert {path.name for path in (tmp_path / "npae" / "unpacked").iterdir()} == {file.content_sha256 for file in packed}
    opened.clear()
    again = load("mnist")
    assert not {file.name for file in packed} & set(opened)
    np.testing.assert_array_equal(again.train, mnist.train)
    assert again.fingerprint == mnist.fingerprint
