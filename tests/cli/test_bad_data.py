"""Data that cannot be used: one line that names the file, the place in it and the fix, and no run is begun."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def idx(array: Any) -> bytes:
    """A file of unsigned bytes in the IDX format."""
    header = bytes([0, 0, 8, array.ndim])
    return header + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array.astype(np.uint8).tobytes())


def csv_with_text() -> None:
    """A word among numbers."""
    Path("d.csv").write_text("0.1,0.2\n0.3,red\n")


def csv_with_a_hole() -> None:
    """An empty cell."""
    Path("d.csv").write_text("0.1,0.2\n0.3,\n")


def mixed_sizes() -> None:
    """Images of 8 x 8, and one of 9 x 8."""
    Path("d").mkdir()
    for place, height in enumerate((8, 8, 9)):
        Image.fromarray(np.zeros((height, 8), np.uint8)).save(f"d/{place}.png")


def truncated_gz() -> None:
    """A packed IDX file that ends early."""
    Path("d").mkdir()
    whole = gzip.compress(idx(np.random.default_rng(0).integers(0, 256, (50, 8, 8))))
    Path("d/train-images-idx3-ubyte.gz").write_bytes(whole[: len(whole) // 2])


def empty_folder() -> None:
    """Nothing in it."""
    Path("d").mkdir()


def not_finite() -> None:
    """A NaN in row 7, column 3."""
    x = np.random.default_rng(0).random((20, 6))
    x[7, 3] = np.nan
    np.save("d.npy", x)


def beyond_one() -> None:
    """Values up to 3."""
    np.save("d.npy", np.linspace(0, 3, 120).reshape(20, 6))


def one_row() -> None:
    """A single row."""
    np.save("d.npy", np.random.default_rng(0).random((1, 6)))


def small() -> None:
    """Nothing wrong with it, and no test rows."""
    np.save("d.npy", np.random.default_rng(0).random((20, 6)))


def pickled() -> None:
    """Objects, which only unpickling could read."""
    np.save("d.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def text_file() -> None:
    """A kind of file that is not read."""
    Path("d.txt").write_text("1 2 3")


BAD_DATA: dict[str, tuple[Callable[[], None], str, list[str]]] = {
    "text in a table": (csv_with_text, "train vae --data d.csv", ["d.csv", "row 2, column 2", "'red'"]),
    "a hole in a table": (csv_with_a_hole, "train vae --data d.csv", ["d.csv", "row 2, column 2", "finite number"]),
    "images of two sizes": (mixed_sizes, "train vae --data d", ["2.png", "9 x 8", "8 x 8"]),
    "a truncated gz": (truncated_gz, "train vae --data d", ["train-images-idx3-ubyte.gz"]),
    "an empty folder": (empty_folder, "train vae --data d", ["d", "empty"]),
    "a NaN": (not_finite, "train vae --data d.npy", ["d.npy", "row 7, column 3", "nan"]),
    "values above one for a vae": (beyond_one, "train vae --data d.npy", ["[0, 3]", "[0, 1]", "scale=minmax"]),
    "one row": (one_row, "train ae --data d.npy", ["1"]),
    "one row and no validation": (one_row, "train ae --data d.npy --validation none", ["1", "at least 2"]),
    "test rows that are not there": (small, "train vae --data d.npy --validation test", ["'test'", "no test rows", "0.1"]),
    "a share that leaves nothing": (small, "train vae --data d.npy --validation 0.01", ["0.01 of 20 rows", "0 to validate"]),
    "pickled objects": (pickled, "train vae --data d.npy", ["d.npy", "plain numbers"]),
    "another kind of file": (text_file, "train vae --data d.txt", ["d.txt", ".npy, .npz, .csv"]),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_data_that_cannot_be_used_are_refused_in_one_line(name: str, refused: Any) -> None:
    make, command, fragments = BAD_DATA[name]
    make()
    refused(command.split(), fragments)
    assert not Path("runs").exists()


def test_data_that_would_have_to_be_downloaded_offline_are_refused(npae: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NPAE_OFFLINE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NPAE_DATA_DIR", raising=False)
    said = npae("train", "vae", "--data", "mnist")
    assert said.status == 2
    assert "mnist" in said.err
    assert "NPAE_OFFLINE" in said.err.splitlines()[-1]
    assert "Traceback" not in said.err
