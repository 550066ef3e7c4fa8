"""The header of a .npy file, read without trusting it.

    6 bytes    \\x93NUMPY
    2 bytes    version: 1 0 (length in uint16) or 2 0 (length in uint32), little-endian
    header     a Python dictionary: 'descr' the dtype, 'fortran_order', 'shape'
    then       the numbers

NumPy's own reader allocates what the header claims before it looks at the file, and runs what a pickled array says. Here the claim is
compared with the bytes that are there, and only plain numbers (bool, integers, floats) have a dtype at all.
Source: NumPy Enhancement Proposal 1, and numpy.lib.format. Raises InputError with the file, what it holds and what was expected.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from typing import IO, Any, NamedTuple

import numpy as np

from npae.errors import InputError

MAGIC = b"\x93NUMPY"
LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4}
LONGEST_HEADER = 10_000  # characters, NumPy's own limit: a longer one is no plain array's
NUMBER = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")


class Header(NamedTuple):
    """What the numbers are, how they lie, and at which byte they start."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool
    offset: int


def read_header(stream: IO[bytes], size: int, what: str) -> Header:
    """The header of a .npy of `size` bytes, if exactly the numbers it describes follow."""
    start = stream.read(8)
    if start[:6] != MAGIC or start[6:] not in LENGTH_BYTES:
        raise InputError(f"{what}: starts with {start.hex(' ') or 'nothing'}; expected a .npy of version 1 or 2: write it with np.save")
    width = LENGTH_BYTES[start[6:]]
    length = int.from_bytes(stream.read(width), "little")
    if length > LONGEST_HEADER:
        raise InputError(
            f"{what}: a header of {length} bytes; expected at most {LONGEST_HEADER}: write it with np.save, plain numbers only"
        )
    text = stream.read(length)
    if len(text) < length:
        raise InputError(f"{what}: cut off inside its header; copy it again")
    dtype, fortran_order, shape = _described(text.decode("latin1"), what)
    header = Header(dtype, shape, fortran_order, 8 + width + length)
    expected = header.offset + math.prod(shape) * dtype.itemsize
    if size != expected:
        raise InputError(
            f"{what}: {size} bytes, but its header describes {expected} ({dtype} {shape}); the file is cut off or damaged: copy it again"
        )
    return header


def _described(text: str, what: str) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    """dtype, order and shape out of the header's dictionary."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python would warn of is no header of NumPy's
            header = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise InputError(
            f"{what}: its header is not a dictionary of 'descr', 'fortran_order' and 'shape'; write it with np.save"
        ) from error
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise InputError(f"{what}: its header is not a dictionary of 'descr', 'fortran_order' and 'shape'; write it with np.save")
    descr, shape = header["descr"], header["shape"]
    if not isinstance(descr, str) or not NUMBER.fullmatch(descr):
        raise InputError(
            f"{what}: holds {descr!r}; expected plain numbers (bool, integers, floats), not objects or text: use .astype(np.float32)"
        )
    if not isinstance(shape, tuple) or not all(type(size) is int and 0 <= size < 2**62 for size in shape):
        raise InputError(f"{what}: its header gives the shape {shape!r}; expected sizes of 0 or more: write it with np.save")
    return np.dtype(descr), bool(header["fortran_order"]), shape
