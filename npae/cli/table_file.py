"""A table of arrays in a file that other programs read: .npz, or .csv with a heading and a line a row.

    write_table(path, {"row": (N,), "label": (N,), "code": (N, Z)})        .csv: row,label,code1,code2,...

Numbers in a .csv have as many digits as make them come back bit for bit.
`check_table_path` raises InputError for another suffix, before anything is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from npae.backend import Array
from npae.errors import InputError
from npae.training.files import write_npz, write_text

FORMATS = {"f4": "%.9g", "f8": "%.17g"}


def check_table_path(path: Path, option: str = "--out") -> Path:
    """The path, if its suffix is one that can be written."""
    if path.suffix not in (".npz", ".csv"):
        raise InputError(f"{option} {path}: expected a name that ends in .npz or .csv")
    return path


def write_table(path: Path, columns: Mapping[str, Array]) -> Path:
    """All columns, by the suffix of the path."""
    if path.suffix == ".npz":
        return write_npz(path, **columns)
    names, texts = [], []
    for name, values in columns.items():
        several = values.ndim == 2
        table = values if several else values[:, None]
        names += [f"{name}{number}" for number in range(1, table.shape[1] + 1)] if several else [name]
        form = FORMATS.get(values.dtype.str[1:], "%d")
        texts += [[form % value for value in column] for column in table.T]
    lines = [",".join(names), *(",".join(row) for row in zip(*texts, strict=True))]
    return write_text(path, "\n".join(lines) + "\n")
