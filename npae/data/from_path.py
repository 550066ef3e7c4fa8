"""A user's own data as raw values: which reader a path goes to.

| path                                    | reader            |
|-----------------------------------------|-------------------|
| FILE.npy, FILE.npz                      | arrays.py         |
| FILE.csv                                | comma_separated.py|
| FOLDER with train-images-idx3-ubyte[.gz]| idx_folder.py     |
| FOLDER of PNG images                    | png_folder.py     |

Raises InputError for a path that does not exist, with the nearest name of the catalogue, and for any other kind of file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from npae.data.arrays import read_npy_file, read_npz_file
from npae.data.catalogue import CATALOGUE
from npae.data.comma_separated import read_csv
from npae.data.idx_folder import is_idx_folder, read_idx_folder
from npae.data.png_folder import read_png_folder
from npae.data.raw import Raw
from npae.errors import InputError, nearest

READERS: dict[str, Callable[[Path], Raw]] = {".npy": read_npy_file, ".npz": read_npz_file, ".csv": read_csv}


def path_of(given: str) -> Path:
    """The path that is meant: ~ is the home folder."""
    try:
        path = Path(given).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long a name, nobody's home, a zero byte
        raise InputError(f"data '{given}': no path ({error}); expected a file, a folder, or one of {', '.join(CATALOGUE)}") from None
    return path


def read_path(given: str) -> Raw:
    """What lies at that path."""
    path = path_of(given)
    if path.is_dir():
        return read_idx_folder(path) if is_idx_folder(path) else read_png_folder(path)
    if not path.exists():
        names = ", ".join(CATALOGUE)
        hint = nearest(given, CATALOGUE)
        close = hint if "did you mean" in hint else ""
        raise InputError(f"--data {given}: no such file or folder, and not one of {names}{close}")
    suffix = path.suffix.lower()
    if suffix not in READERS or not path.is_file():
        raise InputError(
            f"--data {given}: not a kind of file that npae reads; expected {', '.join(READERS)}, or a folder of PNG images or IDX files"
        )
    return READERS[suffix](path)
