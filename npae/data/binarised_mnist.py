"""Larochelle's fixed binarisation of MNIST: 50000 training, 10000 validation and 10000 test images of 784 pixels, no labels.

    binarized_mnist_{train,valid,test}.amat     text, one image a line: 784 digits 0 or 1 with one space between, 1568 bytes a line
    binarized_mnist_packed.npz                  the same pixels as np.packbits(axis=1), (N, 98) uint8 under train, valid, test

The checksum of a split is that of its packed pixels, so both forms are held to the same one.
Source: Larochelle & Murray 2011, "The neural autoregressive distribution estimator"; the draw is that of Salakhutdinov & Murray 2008.
Raises InputError for a file that is not exactly that.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from npae.backend import Array
from npae.data.arrays import read_npz_members
from npae.data.catalogue import Entry, File
from npae.data.raw import Raw
from npae.errors import InputError

SPLITS = ("train", "valid", "test")  # the order of the catalogue's files
PIXELS = 784
LINE = 2 * PIXELS


def read_binarised_mnist(folder: Path, entry: Entry) -> Raw:
    """The three splits as booleans (N, 28, 28), whichever form the folder holds."""
    packed = folder / str(entry.packed)
    if packed.is_file():
        members = read_npz_members(packed)
        splits = [_checked(_unpacked(members, split, packed), file, packed) for split, file in zip(SPLITS, entry.files, strict=True)]
    else:
        splits = [_checked(read_amat(folder / file.name), file, folder / file.name) for file in entry.files]
    train, validation, test = (pixels.reshape(-1, 28, 28) for pixels in splits)
    return replace(Raw(str(folder), train), test=test, validation=validation)


def read_amat(path: Path) -> Array:
    """The pixels of a text file (N, 784) bool."""
    text = np.fromfile(path, dtype=np.uint8)
    if text.size == 0 or text.size % LINE:
        raise InputError(f"{path}: {text.size} bytes; expected lines of {LINE} bytes: delete it and run npae data fetch binarized-mnist")
    pixels: Array = text.reshape(-1, LINE)[:, ::2] == ord("1")
    return pixels


def _unpacked(members: dict[str, Array], split: str, path: Path) -> Array:
    bits = members.get(split)
    if bits is None or bits.dtype != np.uint8 or bits.ndim != 2 or bits.shape[1] != PIXELS // 8:
        found = "missing" if bits is None else f"{bits.dtype} {bits.shape}"
        raise InputError(f"{path}: '{split}' is {found}; expected uint8 (N, {PIXELS // 8}), np.packbits(axis=1) of the pixels: replace it")
    return np.unpackbits(bits, axis=1).view(bool)


def _checked(pixels: Array, file: File, path: Path) -> Array:
    digest = hashlib.sha256(np.packbits(pixels, axis=1).data).hexdigest()
    if digest != file.content_sha256:
        raise InputError(
            f"{path}: not Larochelle's pixels of {file.name} (SHA-256 {digest}); delete it and run npae data fetch binarized-mnist"
        )
    return pixels
