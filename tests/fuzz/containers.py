"""Spoiling what lies inside of a container, and making the container good again: its checksums hold, and the reader goes on to the inside.

gzip, zip, PNG, safetensors; and bombs: small files that unpack to BOMB bytes, while their headers claim less
"""

from __future__ import annotations

import functools
import gzip
import io
import json
import random
import struct
import warnings
import zipfile
import zlib

import numpy as np

from tests.fuzz.mutations import NUMBERS, spoiled, spoiled_value

BOMB = 600 * 2**20  # bytes: more than a worker may allocate
CHUNKS = (b"tRNS", b"PLTE", b"gAMA", b"cHRM", b"pHYs", b"eXIf", b"acTL", b"fcTL", b"iTXt", b"sBIT")
NAMES = ("x", "y", "test", "test_labels", "target", "x_train", "../../x", "/etc/passwd", "\x1b[2J", "x" * 3000, "", "x/y", "n\nx")


@functools.cache
def _squeezed_zeros(wbits: int) -> bytes:
    squeeze = zlib.compressobj(9, wbits=wbits)
    return b"".join(squeeze.compress(bytes(2**20)) for _ in range(BOMB // 2**20)) + squeeze.flush()


def spoiled_gzip(content: bytes, dice: random.Random) -> bytes:
    """What is packed, spoiled; a second member; or zeros without end after a header."""
    inside = gzip.decompress(content)
    kind = dice.randrange(10)
    if kind == 0:
        return content + content
    if kind == 1:
        squeeze = zlib.compressobj(9, wbits=31)
        header = squeeze.compress(inside[:16]) + squeeze.flush(zlib.Z_FULL_FLUSH)
        return header + _squeezed_zeros(-15) + bytes(8)
    return gzip.compress(spoiled(inside, dice), 1, mtime=0)


def npy(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    """The content of a .npy file."""
    memory = io.BytesIO()
    np.lib.format.write_array(memory, array)
    return memory.getvalue()


def spoiled_zip(content: bytes, dice: random.Random) -> bytes:
    """Members spoiled, renamed, doubled, packed in another way; a claim about sizes; or zeros without end."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    if dice.random() < 0.03:
        return lying_zip(npy(np.zeros((100, 100))), dice)
    place = dice.randrange(len(members))
    kind = dice.randrange(4)
    if kind == 0:
        members[place] = (dice.choice(NAMES) + ".npy", members[place][1])
    elif kind == 1:
        members.append((dice.choice((members[place][0], dice.choice(NAMES))), members[place][1]))
    else:
        members[place] = (members[place][0], spoiled(members[place][1], dice, [other for _, other in members]))
    memory = io.BytesIO()
    way = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(), zipfile.ZipFile(memory, "w", way) as archive:
        warnings.simplefilter("ignore")  # a name given twice is meant
        for name, inside in members:
            archive.writestr(zipfile.ZipInfo(name), inside, way)
    return memory.getvalue()


def lying_zip(member: bytes, dice: random.Random) -> bytes:
    """One member that goes on for BOMB bytes and says that it does not; or says that it is larger than anything."""
    squeeze = zlib.compressobj(9, wbits=-15)
    packed = squeeze.compress(member) + squeeze.flush(zlib.Z_FULL_FLUSH) + _squeezed_zeros(-15)
    size = dice.choice((len(member), len(member), len(member) + 1, 2**32 - 2, 0))
    name = b"x.npy"
    both = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, zlib.crc32(member), len(packed), size, len(name), 0)
    local = b"PK\x03\x04" + both + name + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + both + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def spoiled_png(content: bytes, dice: random.Random) -> bytes:
    """A chunk spoiled, doubled, removed or added; the picture's size; or zeros without end."""
    chunks, place = [], 8
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    index = dice.randrange(len(chunks))
    kind, body = chunks[index]
    what = dice.randrange(12)
    if what == 0:
        chunks.insert(index, chunks[index])
    elif what == 1:
        del chunks[index]
    elif what == 2:
        chunks.insert(
            1,
            (
                dice.choice(CHUNKS),
                dice.randbytes(dice.randrange(40)),
            ),
        )
    elif what == 3 and dice.random() < 0.3:
        name = dice.choice((b"zTXt", b"iCCP"))
        chunks.insert(1, (name, b"a\0\0" + _squeezed_zeros(15)))
    elif what == 4 and dice.random() < 0.3:
        chunks = [(kind, _squeezed_zeros(15) if kind == b"IDAT" else body) for kind, body in chunks]
    elif what == 5:
        chunks = [(kind, zlib.compress(spoiled(zlib.decompress(body), dice), 1) if kind == b"IDAT" else body) for kind, body in chunks]
    elif what in (6, 7, 8):
        side = struct.pack(">I", dice.choice(NUMBERS) % 2**32)
        head = chunks[0][1]
        chunks[0] = (b"IHDR", dice.choice((side + head[4:], head[:4] + side + head[8:], side + side + head[8:])))
    elif what == 9:
        head = bytearray(chunks[0][1])
        head[dice.randrange(8, 13)] = dice.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        chunks[0] = (b"IHDR", bytes(head))
    else:
        chunks[index] = (kind, spoiled(body, dice))
    return content[:8] + b"".join(chunk(kind, body) for kind, body in chunks)


def spoiled_safetensors(content: bytes, dice: random.Random) -> bytes:
    """The header's values, or those inside of its metadata; the length fits."""
    length = int.from_bytes(content[:8], "little")
    header, tensors = json.loads(content[8 : 8 + length]), content[8 + length :]
    metadata = header["__metadata__"]
    if dice.random() < 0.3:
        header = spoiled_value(header, dice)
    else:
        key = dice.choice(sorted(metadata))
        if key in ("spec", "step") and dice.random() < 0.8:
            metadata[key] = json.dumps(spoiled_value(json.loads(metadata[key]), dice))
        else:
            metadata[key] = spoiled(metadata[key].encode(), dice).decode("utf-8", "replace")
    if dice.random() < 0.1:
        tensors = spoiled(tensors, dice)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + tensors
