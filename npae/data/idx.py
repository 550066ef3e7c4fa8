"""IDX files, the format of MNIST: packed (.gz) or not.

    byte 0, 1    0
    byte 2       what a number is: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64, all big-endian
    byte 3       how many dimensions
    4 each       the size of each dimension, uint32 big-endian
    then         the numbers, the last dimension fastest, and nothing after them

    read_content(path)    the unpacked bytes, header included: what the catalogue's checksums are of
    parse(content, path)  the array

The header's claim is checked against the file's size before anything of that size is allocated; a packed file is unpacked to its claim
and one byte at most. Source: the format's description on the MNIST page, yann.lecun.com/exdb/mnist.
Raises InputError with the file, what it holds and what was expected.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np

from npae.backend import Array
from npae.data.raw import MAX_UNPACKED
from npae.errors import InputError

Content: TypeAlias = "bytes | memoryview[int]"
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 4
LONGEST_HEADER = 4 + 4 * MAX_DIMENSIONS
GZIP = 31  # zlib's name for "deflate inside a gzip header and a CRC"
MOST_DEFLATED = 1032  # no deflate stream unpacks to more than this many times its size


def read_idx(path: Path) -> Array:
    """The array in an IDX file."""
    return parse(read_content(path), path)


def parse(content: Content, path: Path) -> Array:
    """The array in the unpacked bytes of an IDX file: a view, in the file's own byte order."""
    dtype, shape = _header(bytes(content[:LONGEST_HEADER]), path)
    return np.frombuffer(content, dtype=dtype, offset=4 + 4 * len(shape)).reshape(shape)


def read_content(path: Path) -> bytes:
    """The unpacked bytes of an IDX file, as long as its header says, to the byte."""
    if path.suffix == ".gz":
        return _unpack(path.read_bytes(), path)
    size = path.stat().st_size
    with path.open("rb") as stream:
        expected = _length(stream.read(LONGEST_HEADER), path)
        if size != expected:
            raise InputError(f"{path}: {size} bytes, but its header describes {expected}; the file is cut off or damaged: replace it")
        stream.seek(0)
        return stream.read()


def _unpack(packed: bytes, path: Path) -> bytes:
    """The content of a gzip file, allocated no larger than the header's claim and no larger than could be packed in there."""
    try:
        expected = _length(zlib.decompressobj(GZIP).decompress(packed, LONGEST_HEADER), path)
        if expected > min(MAX_UNPACKED, MOST_DEFLATED * len(packed)):
            raise InputError(
                f"{path}: claims {expected} bytes, more than its {len(packed)} can unpack to, or than {MAX_UNPACKED}; replace it"
            )
        stream = zlib.decompressobj(GZIP)
        content = stream.decompress(packed, expected + 1)
    except zlib.error as error:
        raise InputError(f"{path}: not a whole gzip file ({error}); replace it, or take .gz off its name if it is unpacked") from error
    if len(content) > expected or stream.unused_data:
        raise InputError(f"{path}: goes on after the {expected} bytes that its header describes; the file is damaged: replace it")
    if not stream.eof:
        raise InputError(f"{path}: cut off after {len(content)} of {expected} unpacked bytes; download or copy it again")
    if len(content) < expected:
        raise InputError(f"{path}: {len(content)} unpacked bytes, but its header describes {expected}; the file is damaged: replace it")
    return content


def _length(start: bytes, path: Path) -> int:
    """How many bytes a file that starts so has in all."""
    dtype, shape = _header(start, path)
    return 4 + 4 * len(shape) + math.prod(shape) * dtype.itemsize


def _header(start: bytes, path: Path) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    """dtype and shape from the first bytes of a file."""
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in DTYPES:
        known = ", ".join(f"{code:02x}" for code in DTYPES)
        raise InputError(f"{path}: starts with {start[:4].hex(' ') or 'nothing'}; expected an IDX file: 00 00, one of {known}, dimensions")
    dimensions = start[3]
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise InputError(f"{path}: {dimensions} dimensions; expected 1 (labels) to {MAX_DIMENSIONS}: save it as .npy instead")
    end = 4 + 4 * dimensions
    if len(start) < end:
        raise InputError(f"{path}: cut off inside its header of {end} bytes; download or copy it again")
    sizes = np.frombuffer(start[4:end], dtype=">u4")
    return np.dtype(DTYPES[start[2]]), tuple(int(size) for size in sizes)
