"""A folder of IDX files under MNIST's names.

    train-images-idx3-ubyte    (N, H, W)    needed
    train-labels-idx1-ubyte    (N,)         may be missing
    t10k-images-idx3-ubyte     (M, H, W)    may be missing
    t10k-labels-idx1-ubyte     (M,)         may be missing

each packed as .gz or not. Raises InputError for a file that is not what its name says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from npae.backend import Array
from npae.data.find import locate
from npae.data.idx import read_idx
from npae.data.raw import Raw

TRAIN, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def is_idx_folder(folder: Path) -> bool:
    """Whether training images lie here under MNIST's name."""
    return locate(folder, TRAIN) is not None


def read_idx_folder(folder: Path, read: Callable[[Path], Array] = read_idx) -> Raw:
    """The four arrays of the folder; `read` reads one file."""

    def part(name: str) -> Array | None:
        path = locate(folder, name)
        return None if path is None else read(path)

    train = part(TRAIN)
    assert train is not None  # is_idx_folder, or find(), was asked first
    return Raw(str(folder), train, part(TRAIN_LABELS), part(TEST), part(TEST_LABELS))
