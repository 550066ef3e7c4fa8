"""Files of a run: writing one so that it is either complete or not there: a temporary name in the same folder, then a rename.

`parse_json` reads what they hold, or what somebody put in their place. Raises InputError when the folder does not exist; an OSError (full
disk, read-only) leaves what was there before, and no rest.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError


def write_bytes(path: Path, content: bytes) -> Path:
    """The bytes, on the disk before the name is theirs."""
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; create it first")
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected the name of a file")
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def write_text(path: Path, content: str) -> Path:
    """The text, as UTF-8."""
    return write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> Path:
    """The content as JSON; a NaN, which JSON does not have, raises."""
    return write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def parse_json(content: bytes | str) -> Any:
    """A JSON text; ValueError for whatever is none, and for one that is nested deeper than Python reads."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write_npz(path: Path, **arrays: Array) -> Path:
    """Named arrays, compressed."""
    memory = io.BytesIO()
    np.savez_compressed(memory, **arrays)  # type: ignore[arg-type]
    return write_bytes(path, memory.getvalue())
