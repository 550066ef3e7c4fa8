"""One training at a time in a run folder.

RUN/training.lock holds {"pid": ..., "host": ...} while a training runs, and is locked by the system (flock) for as long as that process
lives: a process that was killed, even with kill -9, lets go of it, so what it leaves behind is known to be stale. Where a folder is
shared between machines and the system's lock does not reach the other one, the host in the file speaks.
Raises InputError where another training holds the lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from npae.errors import InputError, printable
from npae.training.files import parse_json

NAME = "training.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; refuse where another training does."""
    path = folder / NAME
    descriptor = _open(path)
    try:
        holder = _read(descriptor)
        if holder and holder[1] != socket.gethostname():
            raise InputError(
                f"{folder}: {_says(holder)} trains here, or was killed there; give another --out, or, if it is gone, remove {path}"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def holder_of(folder: Path) -> str | None:
    """Who trains in that folder right now, or None; a stale lock is nobody's."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        holder = _read(descriptor)
        free = _lock(descriptor)
        return None if free and (holder is None or holder[1] == socket.gethostname()) else _says(holder)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """The lock file, locked by this process."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock(descriptor):
            holder = _read(descriptor)
            os.close(descriptor)
            raise InputError(f"{path.parent}: {_says(holder)} is training here; wait for it, or give another --out")
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # its last holder has just removed it: the name belongs to nobody, or to a newer file


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _read(descriptor: int) -> tuple[int, str] | None:
    """Process and host; None for a file that says neither, as one whose writer was killed between making and filling it."""
    try:
        content = parse_json(os.pread(descriptor, 4096, 0))
        return int(content["pid"]), printable(str(content["host"]))
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _says(holder: tuple[int, str] | None) -> str:
    return f"process {holder[0]} on {holder[1]}" if holder else "another process"
