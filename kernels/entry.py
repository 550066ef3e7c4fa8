"""Compiled functions that are called at an address: a process that finds their machine code in the cache loads no compiler.

    ENTRY = Entry("npae.kernels.step.rows:gather", 5)     f(kind, 5 whole numbers) -> None; decorated with entry_point(...) of jit.py
    ENTRY.address("float32")                              loaded by LLVM alone, 50 ms; compiled by Numba where none is kept, seconds
    ENTRY("float32", 1, 2, 3, 4, 5)                       a call, during which other threads may run Python

`kind` is a number of the arrays' dtype, the whole numbers are int64: addresses, counts, codes. The code calls the C library and nothing of
Python or Numba, so it needs neither. What is compiled here is loaded from the bytes that are kept: the first run and every later one have
the same code.

The file is a line of JSON {"symbol": name of the function, "needs": [names it calls]} and an object file, in code_cache.py's folder; its
name has a hash of the processor, of all that the environment tells Numba about code, and of the compilers' versions.
Raises RuntimeError where the process lacks a function that the code calls.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from npae.kernels.code_cache import code_folder, fetched, keep

NOT_OF_CODE = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")
_NUMBERS = {"float32": ctypes.c_float, "float64": ctypes.c_double}

_llvm: Any = llvm  # untyped in llvmlite
_lock = threading.RLock()  # held by a fork, or the child would wait for ever for a thread that it does not have
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Entry:
    """One function, compiled for float32 or float64 when it is first asked for."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count
        self._addresses: dict[str, int] = {}
        self._calls: dict[str, Callable[..., None]] = {}

    @property
    def function(self) -> Callable[..., None]:
        """What it is compiled from."""
        module, name = self.name.split(":")
        function: Callable[..., None] = getattr(importlib.import_module(module), name)
        return function

    def address(self, dtype: str) -> int:
        """Where the machine code lies."""
        if not self.load_kept(dtype):
            made = self._compiled(dtype)
            keep(self.path(dtype), made)
            self._load(dtype, made)
        return self._addresses[dtype]

    def __call__(self, dtype: str, *numbers: int) -> None:
        """Run it."""
        if dtype not in self._calls:
            self._calls[dtype] = ctypes.CFUNCTYPE(None, _NUMBERS[dtype], *[ctypes.c_int64] * self.count)(self.address(dtype))
        self._calls[dtype](0, *numbers)

    def path(self, dtype: str) -> Path | None:
        """Where its code is kept."""
        folder, key = code_folder(), hashlib.sha256(repr((self.name, dtype, _code_made_by())).encode()).hexdigest()[:32]
        return folder / f"{self.name.replace(':', '.')}-{key}.code" if folder else None

    def load_kept(self, dtype: str) -> bool:
        """Load the code, if it is kept; nothing is compiled."""
        if dtype not in self._addresses and (kept := fetched(self.path(dtype))) is not None:
            self._load(dtype, kept)
        return dtype in self._addresses

    def _compiled(self, dtype: str) -> bytes:
        """The content of the file that keeps it."""
        from npae.kernels.jit import machine_code

        symbol, needs, code = machine_code(self.function, dtype, self.count)
        return json.dumps({"symbol": symbol, "needs": needs}).encode() + b"\n" + code

    def _load(self, dtype: str, content: bytes) -> None:
        """Let LLVM link it into this process."""
        about, _, code = content.partition(b"\n")
        symbol, needs = (json.loads(about)[key] for key in ("symbol", "needs"))
        with _lock:
            engine = _engine()  # of which there is one: code goes with its engine
        if _missing(needs):
            import npae.kernels.jit  # noqa: F401  (Numba brings Intel's functions of vectors, where they are installed)
        if missing := _missing(needs):  # LLVM would end the process
            raise RuntimeError(f"{self.name} calls {', '.join(missing)}, which this process does not have")
        with _lock:
            if dtype not in self._addresses:  # by another thread
                engine.add_object_file(_llvm.ObjectFileRef.from_data(code))
                engine.finalize_object()
                self._addresses[dtype] = engine.get_function_address(symbol)


def _missing(names: list[str]) -> list[str]:
    """Those functions that are not there."""
    return [name for name in names if not _llvm.address_of_symbol(name)]


@functools.cache
def _engine() -> Any:
    """What loads object files: LLVM's linker in memory."""
    _llvm.initialize_native_target()
    _llvm.initialize_native_asmprinter()
    machine = _llvm.Target.from_triple(_llvm.get_process_triple()).create_target_machine()
    return _llvm.create_mcjit_compiler(_llvm.parse_assembly(""), machine)


@functools.cache
def _code_made_by() -> tuple[Any, ...]:
    """Everything beside the sources that decides about machine code."""
    processor = (_llvm.get_process_triple(), _llvm.get_host_cpu_name(), _llvm.get_host_cpu_features().flatten())
    told = sorted((name, value) for name, value in os.environ.items() if name.startswith("NUMBA_") and name not in NOT_OF_CODE)
    return processor, told, llvmlite.__version__, _numba(), sys.version


def _numba() -> str:
    """Which Numba is installed, without importing it: a hash of the file that says its version."""
    found = importlib.util.find_spec("numba")
    assert found is not None  # npae depends on it
    assert found.origin is not None
    return hashlib.sha256((Path(found.origin).parent / "_version.py").read_bytes()).hexdigest()
