"""Compiled code on disk: one file for each function and the types it was compiled for; whole, or as if it were not there.

    CodeCache(function)      what Numba asks before it compiles, and tells what it has compiled
    fetched, keep(path)      the content of such a file, for both kinds of code: Numba's, and that of entry.py, which needs no Numba
    code_folder() -> Path    ~/.cache/npae/numba/kernels-HASH, below XDG_CACHE_HOME if that is set, or in NUMBA_CACHE_DIR; None: no home
    MODULE.FUNCTION-KEY.code the code, then 32 bytes: the SHA-256 of folder and name of the file, and of the code

HASH is of every source of this package, since Numba notices an edit of the file that holds a function but not of those whose functions it
calls; KEY of the function, its types, the processor and the versions. Numba's own cache numbers its files in an index: two processes that
compile at the same moment can take one number for two things, a file cut short stops every later start, and a full disk the program. Here a
file is written under a name of its own and renamed; what does not have its digest, or is another's file, is compiled anew and replaced; and
where nothing can be written, nothing is kept. So nothing is raised, but TypeError for a function that reads variables of the one around
it: no KEY names those. What was not used for long is removed when a new folder is made (`prune`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

DIGEST = 32  # bytes
DAY = 86_400.0  # seconds
KEPT, SHORT, LONG = 8, 1 * DAY, 30 * DAY  # folders; unused for so long, one goes if there are so many newer ones; or for so long, always


def source_hash() -> str:
    """A hash of the names and contents of all Python files of this package."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def code_folder() -> Path | None:
    """Where compiled code is kept; looked for, marked as used, or made, at the first call of a process."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # there is none
        return None
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(home) / "npae" / "numba") / f"kernels-{source_hash()}"
    try:
        if folder.is_dir():
            os.utime(folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            prune(folder.parent)
    except OSError:  # read-only or full: what lies there can still be read
        pass
    return folder


def writable(folder: Path) -> bool:
    """Whether a file can be written there."""
    import tempfile

    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def prune(parent: Path) -> list[Path]:
    """Remove the folders there that nobody has used for long; returns them. A process that still uses one only compiles anew."""
    import shutil

    found = [folder for folder in parent.iterdir() if re.fullmatch("kernels-[0-9a-f]{16}", folder.name)]
    newest, now, removed = sorted(found, key=lambda folder: -folder.stat().st_mtime), time.time(), []
    for place, folder in enumerate(newest):
        if now - folder.stat().st_mtime > (SHORT if place >= KEPT else LONG):
            shutil.rmtree(folder, ignore_errors=True)  # another process may be at it too
            removed.append(folder)
    return removed


def fetched(path: Path | None) -> bytes | None:
    """What is kept there, if it is whole."""
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError:  # not there, or not there any more
        return None
    code, digest = content[:-DIGEST], content[-DIGEST:]
    return code if _digest(path, code) == digest else None


def _digest(path: Path, code: bytes) -> bytes:
    """Of the code and of where it belongs: the file of another function, type or source, put in its place, would run and say nothing."""
    digest = hashlib.sha256(f"{path.parent.name}/{path.name}\0".encode())
    digest.update(code)
    return digest.digest()


def keep(path: Path | None, code: bytes) -> None:
    """Write it there, all of it or nothing, where it can be written."""
    if path is None:
        return
    temporary = path.with_name(f"{path.stem}.{os.urandom(6).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(code + _digest(path, code))
        os.replace(temporary, path)
    except OSError:  # read-only, full, or pruned by another process: it is compiled in the next one again
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@functools.cache
def _file_hash(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class CodeCache:
    """The code of one function, as Numba keeps it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        import llvmlite
        import numba

        if function.__closure__:
            where = f"{function.__module__}.{function.__qualname__}"
            raise TypeError(f"{where} reads variables of the function around it: two such would share a file; make them arguments")
        place = function.__code__
        about = (function.__module__, function.__qualname__, place.co_firstlineno, _file_hash(place.co_filename))
        versions = (numba.__version__, llvmlite.__version__, sys.version)
        self.name, self.about = f"{function.__module__}.{function.__name__}", (*about, *versions)

    @property
    def cache_path(self) -> str:
        """As Numba's statistics show it."""
        return str(code_folder())

    def path(self, types: Any, processor: Any) -> Path | None:
        """The file for these types of arguments."""
        folder, key = code_folder(), hashlib.sha256(repr((*self.about, types, processor)).encode()).hexdigest()[:32]
        return folder / f"{self.name}-{key}.code" if folder else None

    def load_overload(self, types: Any, target: Any) -> Any:
        """The code for these types, or None."""
        from numba.core.caching import IndexDataCacheFile
        from numba.core.compiler import CompileResult

        target.refresh()  # registers what the code may refer to
        path, reader, result = self.path(types, target.codegen().magic_tuple()), cast(Any, IndexDataCacheFile), cast(Any, CompileResult)
        if path is None or fetched(path) is None:
            return None
        try:
            parts = reader(str(path.parent), self.name, "")._load_data(path.name)
        except OSError:  # not there any more
            return None
        return result._rebuild(target, *parts)

    def save_overload(self, types: Any, compiled: Any) -> None:
        """Keep the code, where it can be kept."""
        from numba.core import serialize

        if compiled.library.has_dynamic_globals:  # it holds an address of this process
            return
        keep(self.path(types, compiled.codegen.magic_tuple()), cast(Any, serialize).dumps(compiled._reduce()))
