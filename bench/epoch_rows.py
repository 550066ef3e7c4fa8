"""MNIST's training images as bytes, for the scripts that stand beside `npae train`: NumPy and gzip alone, nothing of npae."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np

HEADER = 16  # bytes of an IDX file of images


def rows(path: Path) -> Any:
    """(N, 784) uint8"""
    packed = path.read_bytes()
    content = gzip.decompress(packed) if path.suffix == ".gz" else packed
    return np.frombuffer(content, np.uint8, offset=HEADER).reshape(-1, 784)


def arguments() -> tuple[str, Path, int]:
    """PRESET FILE EPOCHS, the first three of the command line."""
    preset, path, epochs = sys.argv[1:4]
    return preset, Path(path), int(epochs)


def form() -> str:
    """A word more on the command line; cpu without one."""
    return sys.argv[4] if len(sys.argv) > 4 else "cpu"


def say(epoch: int, loss: float, seconds: float | None = None) -> None:
    """The mean of an epoch's batch losses, and how long it took with the data where they are trained on."""
    taken = "" if seconds is None else f"seconds {seconds:.6g}  "
    print(f"epoch {epoch + 1}  {taken}loss {loss:.6g}", flush=True)
