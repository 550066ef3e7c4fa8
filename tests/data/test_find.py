"""Where data sets are looked for, and that a damaged or incomplete one is refused instead of passed over."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from npae.data import list_catalogue, load
from npae.data.catalogue import CATALOGUE, Entry
from npae.data.find import cache_folder, find
from npae.errors import InputError


def _fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return folder


def test_the_user_s_folder_goes_before_the_cache(
    tiny: Entry, tiny_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find("tiny") is None
    cached = _fill(cache_folder("tiny"), tiny_files)
    assert find("tiny") == cached
    own = _fill(tmp_path / "own" / "tiny", tiny_files)
    monkeypatch.setenv("NPAE_DATA_DIR", str(tmp_path / "own"))
    assert find("tiny") == own


def test_the_cache_follows_xdg_and_otherwise_lies_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("mnist") == tmp_path / "npae" / "data" / "mnist"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder("mnist") == tmp_path / "home" / ".cache" / "npae" / "data" / "mnist"


def test_a_user_without_a_home_folder_is_told_where_data_can_lie(
    tiny: Entry, tiny_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(InputError, match=r"^no home folder to keep data sets in; set XDG_CACHE_HOME, or NPAE_DATA_DIR to a folder"):
        find("tiny")
    own = _fill(tmp_path / "own" / "tiny", tiny_files)
    monkeypatch.setenv("NPAE_DATA_DIR", str(tmp_path / "own"))
    assert find("tiny") == own


def test_a_genuine_copy_under_another_gzip_header_or_unpacked_is_accepted(
    tiny: Entry, tiny_files: dict[str, bytes], tmp_path: Path
) -> None:
    first, *others = tiny_files
    repacked = gzip.compress(gzip.decompress(tiny_files[first]), compresslevel=1, mtime=12345)
    assert repacked != tiny_files[first]
    unpacked = {name.removesuffix(".gz"): gzip.decompress(tiny_files[name]) for name in others}
    _fill(cache_folder("tiny"), {first: repacked, **unpacked})
    data = load("tiny")
    assert data.train.shape == (20, 12)
    assert data.source == str(cache_folder("tiny"))


@pytest.mark.parametrize("index", range(4))
def test_a_file_with_one_changed_pixel_is_refused_by_name_with_the_fix(tiny: Entry, tiny_files: dict[str, bytes], index: int) -> None:
    name = list(tiny_files)[index]
    content = bytearray(gzip.decompress(tiny_files[name]))
    content[-1] ^= 1
    _fill(cache_folder("tiny"), {**tiny_files, name: gzip.compress(bytes(content))})
    with pytest.raises(InputError, match=rf"{name}: unpacked SHA-256 .* expected .* delete it .*npae data fetch tiny"):
        load("tiny")


def test_a_damaged_copy_of_the_user_s_is_not_passed_over_for_the_cache(
    tiny: Entry, tiny_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(cache_folder("tiny"), tiny_files)
    name = "train-images-idx3-ubyte.gz"
    _fill(tmp_path / "own" / "tiny", {**tiny_files, name: tiny_files[name][:-9]})
    monkeypatch.setenv("NPAE_DATA_DIR", str(tmp_path / "own"))
    with pytest.raises(InputError, match=rf"own/tiny/{name}: cut off"):
        load("tiny")


def test_an_incomplete_folder_of_the_user_s_is_refused_with_what_it_lacks(
    tiny: Entry, tiny_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(tmp_path / "own" / "tiny", {name: body for name, body in tiny_files.items() if "labels" in name})
    monkeypatch.setenv("NPAE_DATA_DIR", str(tmp_path / "own"))
    with pytest.raises(InputError, match=r"no train-images-idx3-ubyte\.gz, t10k-images-idx3-ubyte\.gz; add what is missing"):
        find("tiny")


def test_a_data_folder_that_does_not_exist_is_refused(tiny: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPAE_DATA_DIR", "no/such/folder")
    with pytest.raises(InputError, match="NPAE_DATA_DIR=no/such/folder is not a folder"):
        find("tiny")


def test_a_data_folder_without_that_data_set_leaves_the_cache(
    tiny: Entry, tiny_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(cache_folder("tiny"), tiny_files)
    monkeypatch.setenv("NPAE_DATA_DIR", str(tmp_path))
    assert find("tiny") == cache_folder("tiny")


def test_the_list_says_where_each_data_set_is(tiny: Entry, tiny_files: dict[str, bytes]) -> None:
    before = {row.name: row for row in list_catalogue()}
    assert before["digits"].where == "scikit-learn"
    assert before["tiny"].where is None
    assert before["mnist"].licence == "CC BY-SA 3.0, as commonly stated"
    _fill(cache_folder("tiny"), tiny_files)
    after = {row.name: row for row in list_catalogue()}
    assert after["tiny"] == ("tiny", "20 + 6 test, 3 x 4", "none", str(cache_folder("tiny")))


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="data set 'fashion' is not in the catalogue; did you mean 'fashion-mnist'"):
        find("fashion")


def test_every_entry_of_the_catalogue_can_be_fetched_and_checked() -> None:
    for entry in CATALOGUE.values():
        assert bool(entry.files) == bool(entry.mirrors) == (entry.origin is None)
        assert all(mirror.endswith("/") for mirror in entry.mirrors)
        for file in entry.files:
            assert {len(file.sha256), len(file.content_sha256)} == {64}
            assert int(file.sha256, 16)
            assert int(file.content_sha256, 16)
    assert len({file.sha256 for entry in CATALOGUE.values() for file in entry.files}) == 11


def test_binarised_pixels_are_read_from_text_and_from_packed_bits_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib
    from dataclasses import replace

    numbers = np.random.default_rng(0)
    splits = {name: numbers.integers(0, 2, (n, 784), dtype=np.uint8) for name, n in (("train", 5), ("valid", 3), ("test", 2))}
    packed = {name: np.packbits(pixels, axis=1) for name, pixels in splits.items()}
    files = tuple(
        replace(file, content_sha256=hashlib.sha256(bits.tobytes()).hexdigest())
        for file, bits in zip(CATALOGUE["binarized-mnist"].files, packed.values(), strict=True)
    )
    monkeypatch.setitem(CATALOGUE, "binarized-mnist", replace(CATALOGUE["binarized-mnist"], files=files))
    monkeypatch.setenv("NPAE_DATA_DIR", str(tmp_path))
    folder = tmp_path / "binarized-mnist"
    folder.mkdir()
    for name, pixels in splits.items():
        np.savetxt(folder / f"binarized_mnist_{name}.amat", pixels, fmt="%d")
    text = load("binarized-mnist")
    np.testing.assert_array_equal(text.train, splits["train"])
    assert text.validation is not None
    np.testing.assert_array_equal(text.validation, splits["valid"])
    assert text.test is not None
    np.testing.assert_array_equal(text.test, splits["test"])
    assert (text.image_shape, text.train_labels) == ((28, 28), None)

    np.savez(folder / "binarized_mnist_packed.npz", **packed)  # type: ignore[arg-type]
    assert load("binarized-mnist").fingerprint == text.fingerprint

    packed["valid"][0, 0] ^= 1
    np.savez(folder / "binarized_mnist_packed.npz", **packed)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"packed\.npz: not Larochelle's pixels of binarized_mnist_valid\.amat"):
        load("binarized-mnist")

    np.savez(folder / "binarized_mnist_packed.npz", train=splits["train"])
    with pytest.raises(InputError, match=r"'train' is uint8 \(5, 784\); expected uint8 \(N, 98\)"):
        load("binarized-mnist")

    (folder / "binarized_mnist_packed.npz").unlink()
    (folder / "binarized_mnist_test.amat").write_bytes(b"0 1\n")
    with pytest.raises(InputError, match=r"test\.amat: 4 bytes; expected lines of 1568 bytes"):
        load("binarized-mnist")
