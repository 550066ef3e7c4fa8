"""A data set of the catalogue as raw values, every file checked against its checksum before it is believed.

A data set that is not on this machine is downloaded, and stderr says so. A damaged file is refused by its name; no other copy is tried.
digits has a fixed split: the first 1500 of scikit-learn's 1797 images train, the last 297 test; values 0 to 16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from npae.backend import Array
from npae.data.binarised_mnist import read_binarised_mnist
from npae.data.catalogue import CATALOGUE
from npae.data.dates import read_dates, read_dates_reverse
from npae.data.find import cache_folder, find
from npae.data.idx import parse
from npae.data.idx_folder import read_idx_folder
from npae.data.raw import Raw
from npae.data.tones import read_tones
from npae.data.unpacked import content_of
from npae.errors import InputError

DIGITS_TRAIN = 1500
DIGITS_LARGEST = 16.0


def read_name(name: str) -> Raw:
    """The data set of that name."""
    entry = CATALOGUE[name]
    if not entry.files:
        raw = WITHOUT_FILES[name]()
    else:
        folder = find(name) or _fetched(name)
        raw = read_binarised_mnist(folder, entry) if entry.packed else read_idx_folder(folder, lambda path: _checked(path, name))
    return replace(raw, label_names=None if entry.label_names is None else list(entry.label_names))


def _fetched(name: str) -> Path:
    from npae.data.fetch import announce, fetch  # the network's modules: only who downloads waits for them

    return fetch(name, progress=announce)


def _digits() -> Raw:
    from sklearn.datasets import load_digits  # half a second, and only this data set needs it

    digits = load_digits()
    images, labels = digits.images, digits.target
    n = DIGITS_TRAIN
    return Raw("scikit-learn", images[:n], labels[:n], images[n:], labels[n:], divisor=DIGITS_LARGEST)


WITHOUT_FILES: dict[str, Callable[[], Raw]] = {
    "digits": _digits,
    "tones": read_tones,
    "dates": read_dates,
    "dates-reverse": read_dates_reverse,
}


def _checked(path: Path, name: str) -> Array:
    """The array of an IDX file whose unpacked bytes have the catalogue's checksum."""
    packed_name = path.name.removesuffix(".gz") + ".gz"
    file = next(file for file in CATALOGUE[name].files if file.name == packed_name)
    content, digest = content_of(path, file)
    if digest != file.content_sha256:
        raise InputError(
            f"{path}: unpacked SHA-256 {digest}, expected {file.content_sha256}; the file is damaged: delete it and put a good copy there "
            f"(npae data fetch {name} downloads to {cache_folder(name)})"
        )
    return parse(content, path)
