"""Downloads a data set of the catalogue into the cache, checked by SHA-256 before a file gets its name.

Mirrors are tried in order; what went wrong at each is kept for the message. A file that is already there and whole is not downloaded again,
one that is damaged is replaced. NPAE_OFFLINE=1 refuses to download.
Raises InputError when no mirror gives the right bytes, when downloads are refused, or when the cache cannot be written.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from npae.data.catalogue import Entry, File
from npae.data.find import cache_folder, entry_of
from npae.errors import InputError

Progress: TypeAlias = Callable[[str, int, int], None]  # (file, bytes so far, bytes in all)

TIMEOUT = 30.0  # seconds without an answer
CHUNK = 2**18  # bytes between two calls of `progress`


class DownloadFailed(Exception):
    """Why one mirror did not give one file."""


def announce(file: str, done: int, total: int) -> None:
    """One line on stderr as each download starts."""
    if done == 0:
        print(f"npae: downloading {file} ({total / 1e6:.1f} MB)", file=sys.stderr, flush=True)


def fetch(name: str, *, progress: Progress | None = None) -> Path:
    """Download what is missing of that data set; the folder that now holds it."""
    entry = entry_of(name)
    if not entry.files:
        raise InputError(f"data set '{name}' is always here ({entry.origin}): there is nothing to fetch; use --data {name}")
    folder = cache_folder(name)
    wanted = [file for file in entry.files if not _whole(folder / file.name, file)]
    if wanted and os.environ.get("NPAE_OFFLINE", "0") not in ("", "0"):
        raise InputError(
            f"data set '{name}' is not on this machine and NPAE_OFFLINE={os.environ['NPAE_OFFLINE']} forbids downloads; "
            f"unset it, or set NPAE_DATA_DIR to a folder that holds {name}/"
        )
    for file in wanted:
        _write(folder / file.name, _from_any_mirror(name, entry, file, progress))
    return folder


def _from_any_mirror(name: str, entry: Entry, file: File, progress: Progress | None) -> bytes:
    """The file's bytes from the first mirror that has the right ones."""
    failures = []
    for mirror in entry.mirrors:
        try:
            return _download(mirror + file.name, file, progress)
        except DownloadFailed as failure:
            failures.append(f"{mirror + file.name}: {failure}")
    raise InputError(
        f"data set '{name}': {file.name} could not be downloaded ({'; '.join(failures)}); "
        f"without a network, set NPAE_DATA_DIR to a folder that holds {name}/, or pass a folder of your own as --data"
    )


def _download(url: str, file: File, progress: Progress | None) -> bytes:
    """The body behind a URL, never more than the catalogue says it holds, if its checksum is right."""
    body = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            while len(body) <= file.size:
                if progress is not None:
                    progress(file.name, len(body), file.size)
                chunk = answer.read(min(CHUNK, file.size + 1 - len(body)))
                if not chunk:
                    break
                body += chunk
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed(" ".join(str(error).split()) or type(error).__name__) from error
    if len(body) != file.size:
        size = f"only {len(body)}" if len(body) < file.size else "more"
        raise DownloadFailed(f"{size} bytes came, expected {file.size}")
    digest = hashlib.sha256(body).hexdigest()
    if digest != file.sha256:
        raise DownloadFailed(f"SHA-256 {digest}, expected {file.sha256}")
    return bytes(body)


def _whole(path: Path, file: File) -> bool:
    """Whether an earlier download is there with the right bytes."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _write(path: Path, body: bytes) -> None:
    """Write under a temporary name in the same folder, then rename: a file of this name is always whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as stream:
            temporary = Path(stream.name)
            try:
                stream.write(body)
                stream.flush()
                os.replace(temporary, path)
            except BaseException:
                temporary.unlink()
                raise
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); free the space or set XDG_CACHE_HOME to a folder that can"
        ) from error
