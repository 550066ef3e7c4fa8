"""Small generated data sets: IDX bytes, and a catalogue entry of four little IDX files."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npae.data import catalogue
from npae.data.catalogue import Entry, File

Array = NDArray[Any]
CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def idx_bytes(array: Array) -> bytes:
    """The IDX file of an array, written here from the format's description and not with the reader's tables."""
    header = bytes([0, 0, CODES[array.dtype.name], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(name="idx_bytes", scope="session")
def idx_bytes_fixture() -> Callable[[Array], bytes]:
    return idx_bytes


@pytest.fixture
def tiny_files() -> dict[str, bytes]:
    """Four packed IDX files under MNIST's names: 20 training and 6 test images of 3 x 4."""
    numbers = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte.gz": numbers.integers(0, 256, (20, 3, 4), dtype=np.uint8),
        "train-labels-idx1-ubyte.gz": numbers.integers(0, 10, 20, dtype=np.uint8),
        "t10k-images-idx3-ubyte.gz": numbers.integers(0, 256, (6, 3, 4), dtype=np.uint8),
        "t10k-labels-idx1-ubyte.gz": numbers.integers(0, 10, 6, dtype=np.uint8),
    }
    return {name: gzip.compress(idx_bytes(array), mtime=0) for name, array in arrays.items()}


@pytest.fixture
def tiny(tiny_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Entry:
    """The catalogue has a data set `tiny`, the cache is empty, and no data folder of the user is set."""
    files = tuple(
        File(name, len(body), hashlib.sha256(body).hexdigest(), hashlib.sha256(gzip.decompress(body)).hexdigest())
        for name, body in tiny_files.items()
    )
    entry = Entry(shape="20 + 6 test, 3 x 4", licence="none", files=files, label_names=tuple("0123456789"))
    monkeypatch.setitem(catalogue.CATALOGUE, "tiny", entry)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NPAE_DATA_DIR", raising=False)
    monkeypatch.delenv("NPAE_OFFLINE", raising=False)
    return entry
