"""The one way to compile: Numba with a cache that is never stale, never breaks an import, and touches nobody else's settings.

    @jit(FAST)              sums may be reordered and multiply-adds fused, so that loops vectorise; NaN and infinity keep their meaning
    @jit(STRICT)            every operation is rounded as written: where two forms must agree bit for bit
    @compiled_form_of(f)    what calls of f become inside compiled code, chosen by the argument's type; multiply-adds may be fused (FUSED)

Compilation is lazy, at the first call with new types; kernels are single-threaded (a thread pool of ours would fight the one of BLAS) and
release the interpreter lock. Numba notices an edit of the file that holds a function, not of the files whose functions it calls, so the
cache folder is named by a hash of every source in this package: ~/.cache/npae/numba/kernels-HASH, below XDG_CACHE_HOME if that is set, or
in NUMBA_CACHE_DIR. Where that folder cannot be written, kernels are compiled in each process and nothing is cached.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.extending import overload

_config: Any = numba.config  # untyped in Numba

Function = TypeVar("Function", bound=Callable[..., Any])

FAST = frozenset({"contract", "reassoc", "nsz", "arcp"})  # never nnan or ninf: a loss that is NaN must be seen to be NaN
FUSED = frozenset({"contract"})
STRICT: frozenset[str] = frozenset()


def source_hash() -> str:
    """A hash of the names and contents of all Python files of this package."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def cache_folder() -> Path | None:
    """Where compiled code is kept, or None where that cannot be written."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(home) / "npae" / "numba") / f"kernels-{source_hash()}"
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError):  # read-only, full, or no home at all (Path.home raises RuntimeError)
        return None
    return folder


def _options(fastmath: frozenset[str]) -> Any:
    return {"error_model": "numpy", "fastmath": set(fastmath)}  # Python's error model tests each division for zero, and does not vectorise


def jit(fastmath: frozenset[str]) -> Callable[[Function], Function]:
    """Compiles the function below it."""

    def decorate(function: Function) -> Function:
        folder = cache_folder()
        before = _config.CACHE_DIR
        _config.CACHE_DIR = str(folder or "")  # read once, while the function is decorated
        try:
            compiled: Function = numba.njit(nogil=True, cache=folder is not None, **_options(fastmath))(function)
        finally:
            _config.CACHE_DIR = before
        return compiled

    return decorate


def compiled_form_of(function: Callable[..., Any], fastmath: frozenset[str] = FUSED) -> Callable[[Function], Function]:
    """The decorated function receives Numba types and returns the Python function to compile for them."""
    decorate: Callable[[Function], Function] = overload(function, jit_options=_options(fastmath))
    return decorate
