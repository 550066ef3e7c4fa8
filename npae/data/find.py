"""Where the data sets of the catalogue lie on this machine.

    $NPAE_DATA_DIR/<name>                              the user's own copies; an incomplete one is refused, not passed over
    ${XDG_CACHE_HOME:-~/.cache}/npae/data/<name>       what fetch.py downloaded

Every file may be packed (.gz) or unpacked; where both lie side by side, the unpacked one is read.
Raises InputError when NPAE_DATA_DIR is not a folder, or holds some but not all files of a data set, and where there is no home folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from npae.data.catalogue import CATALOGUE, Entry
from npae.errors import InputError, nearest


class Row(NamedTuple):
    """One line of `npae data list`; `where` is a folder, "scikit-learn", "generated", or None for what is not here yet."""

    name: str
    shape: str
    licence: str
    where: str | None


def entry_of(name: str) -> Entry:
    """The catalogue's entry of that name."""
    if name not in CATALOGUE:
        raise InputError(f"data set '{name}' is not in the catalogue{nearest(name, CATALOGUE)}")
    return CATALOGUE[name]


def npae_cache() -> Path:
    """What npae keeps of data lies below it."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "npae"
    except RuntimeError:  # a user whom the system does not know, as in a container
        raise InputError("no home folder to keep data sets in; set XDG_CACHE_HOME, or NPAE_DATA_DIR to a folder that holds them") from None


def cache_folder(name: str) -> Path:
    """Where a download of that data set goes."""
    return npae_cache() / "data" / name


def locate(folder: Path, name: str) -> Path | None:
    """The file of that name in the folder, unpacked before packed, or None."""
    raw = folder / name.removesuffix(".gz")
    candidates = (raw, raw.with_name(raw.name + ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def find(name: str) -> Path | None:
    """The folder that holds all files of that data set, or None; their content is checked when they are read."""
    entry = entry_of(name)
    if not entry.files:
        return None
    own = _own_folder(name)
    if own is not None:
        missing = _missing(own, entry)
        if missing:
            raise InputError(f"{own}: no {', '.join(missing)}; add what is missing, or take the folder away to use npae data fetch {name}")
        return own
    cached = cache_folder(name)
    return cached if cached.is_dir() and not _missing(cached, entry) else None


def list_catalogue() -> list[Row]:
    """Every data set that has a name, and where it lies."""
    rows = []
    for name, entry in CATALOGUE.items():
        folder = find(name)
        where = entry.origin or (str(folder) if folder else None)
        rows.append(Row(name, entry.shape, entry.licence, where))
    return rows


def _own_folder(name: str) -> Path | None:
    """$NPAE_DATA_DIR/<name>, where there is one."""
    chosen = os.environ.get("NPAE_DATA_DIR")
    if not chosen:
        return None
    folder = Path(chosen).expanduser()
    if not folder.is_dir():
        raise InputError(f"NPAE_DATA_DIR={chosen} is not a folder; point it at the folder that holds {', '.join(CATALOGUE)}, or unset it")
    return folder / name if (folder / name).is_dir() else None


def _missing(folder: Path, entry: Entry) -> list[str]:
    """The files of the data set that the folder lacks."""
    if entry.packed and (folder / entry.packed).is_file():
        return []
    return [file.name for file in entry.files if locate(folder, file.name) is None]
