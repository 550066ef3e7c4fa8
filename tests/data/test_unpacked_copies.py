"""Unpacked copies of packed files: used only for the very file that the catalogue knows, never believed unseen, and done without."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from npae.data import unpacked
from npae.data.catalogue import File
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
