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
    """PRESET FILE EPOCHS, of the command line."""
    preset, path, epochs = sys.argv[1:]
    return preset, Path(path), int(epochs)


def say(epoch: int, loss: float) -> None:
    """The mean of an epoch's batch losses."""
    print(f"epoch {epoch + 1}  loss {loss:.6g}", flush=True)
