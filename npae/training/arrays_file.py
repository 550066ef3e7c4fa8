"""Named arrays in one .npz file, complete or not there at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from npae.backend import Array


def save_npz(path: Path, **arrays: Array) -> Path:
    """Write under a temporary name, then rename."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
