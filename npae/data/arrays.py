"""A user's own arrays: .npy and .npz. Nothing is ever unpickled.

    .npy    (N, F) rows, or images (N, H, W) and (N, H, W, C)
    .npz    one array of any name, or

| role            | accepted keys           |
|-----------------|-------------------------|
| training rows   | x, train, x_train       |
| training labels | y, train_labels, y_train|
| test rows       | test, x_test            |
| test labels     | test_labels, y_test     |
| training targets| target, target_train    |
| test targets    | target_test             |

Raises InputError for other keys, for a role given twice, for objects and text, and for a file that does not hold what it claims.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Literal

import numpy as np

from npae.backend import Array
from npae.data.npy import read_header
from npae.data.raw import MAX_UNPACKED, Raw
from npae.errors import InputError

ROLES = {
    "train": ("x", "train", "x_train"),
    "train_labels": ("y", "train_labels", "y_train"),
    "test": ("test", "x_test"),
    "test_labels": ("test_labels", "y_test"),
    "train_targets": ("target", "target_train"),
    "test_targets": ("target_test",),
}
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def read_npy_file(path: Path) -> Raw:
    """One array, mapped rather than read: its values are copied once, when they are scaled."""
    with path.open("rb") as stream:
        header = read_header(stream, path.stat().st_size, str(path))
    if 0 in header.shape or not header.shape:
        raise InputError(f"{path}: shape {header.shape}; expected at least one row of at least one number, (N, F) or (N, H, W)")
    order: Literal["C", "F"] = "F" if header.fortran_order else "C"
    array = np.memmap(path, dtype=header.dtype, mode="r", offset=header.offset, shape=header.shape, order=order)
    return Raw(str(path), array)


def read_npz_file(path: Path) -> Raw:
    """Arrays by role; see the table above."""
    members = read_npz_members(path)
    known = {key: role for role, keys in ROLES.items() for key in keys}
    if len(members) == 1 and not known.keys() & members.keys():
        return Raw(str(path), next(iter(members.values())))
    parts: dict[str, Array] = {}
    for key, array in members.items():
        role = known.get(key)
        if role is None:
            raise InputError(f"{path}: array '{key}' has no meaning here; expected {', '.join(known)}: rename it or leave it out")
        if role in parts:
            raise InputError(f"{path}: array '{key}' repeats what another one gives; keep one of {', '.join(ROLES[role])}")
        parts[role] = array
    if "train" not in parts:
        raise InputError(f"{path}: has {', '.join(members) or 'no array'} but no training rows; save them under 'x'")
    return Raw(
        str(path),
        parts["train"],
        parts.get("train_labels"),
        parts.get("test"),
        parts.get("test_labels"),
        train_targets=parts.get("train_targets"),
        test_targets=parts.get("test_targets"),
    )


def read_npz_members(path: Path) -> dict[str, Array]:
    """Every array of a .npz by its key."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            total = sum(entry.file_size for entry in entries)
            if total > MAX_UNPACKED:
                raise InputError(f"{path}: would unpack to {total} bytes; expected at most {MAX_UNPACKED}: save the rows as .npy")
            if other := [entry for entry in entries if entry.compress_type not in PACKINGS]:  # others unpack without a limit
                raise InputError(f"{path}: '{other[0].filename}' is packed in a way that np.savez does not use; write it with np.savez")
            return {entry.filename.removesuffix(".npy"): _member(archive, entry, path) for entry in entries}
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"{path}: not a whole .npz ({error}); copy it again or write it with np.savez") from error


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Array:
    """One array, its claim checked against the unpacked size before it is read."""
    what = f"{path}: array '{entry.filename.removesuffix('.npy')}'"
    with archive.open(entry) as stream:
        header = read_header(stream, entry.file_size, what)
        content = stream.read(entry.file_size - header.offset)  # no more is unpacked than is claimed; at its end the CRC is compared
    numbers = np.frombuffer(content, dtype=header.dtype)
    return numbers.reshape(header.shape, order="F" if header.fortran_order else "C")
