"""The CUDA sources of npae on a CPU: compiled by the C++ compiler against cuda_on_cpu.h, run fiber by fiber. For tests; slow.

    with using(OnCpu(order=2, seed=7)):     every launch of a `gpu` form runs here, its threads shuffled; arrays are NumPy's

Raises AssertionError, with the compiler's own lines, for a source that does not compile.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from npae.kernels.cuda.device import Device
from npae.kernels.cuda.source import source
from npae.kernels.kernel import Array

HEADER, FIBERS = (Path(__file__).with_name(name) for name in ("cuda_on_cpu.h", "fibers.h"))
OPTIONS = ("-O1", "-std=c++17", "-shared", "-fPIC", "-ffp-contract=off", "-fno-strict-aliasing", "-Wno-unknown-pragmas", "-Wno-attributes")
KERNEL = re.compile(r"__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s*)?(\w+)\s*\(")
DYNAMIC = re.compile(r"extern\s+__shared__\s+([\w: ]+?)\s+(\w+)\s*\[\s*\]\s*;")
STATIC = re.compile(r"^(?!\s*(?://|extern))[^\n]*?__shared__\s+([^;]+);", re.M)
ENTRY = """extern "C" void enter_{0}(unsigned* g, unsigned* b, size_t shared, int order, unsigned seed, void** arguments) {{
  on_cpu::launch({{g[0], g[1], g[2]}}, {{b[0], b[1], b[2]}}, shared, order, seed,
                 [](void* a) {{ on_cpu::call({0}, (void**)a); }}, arguments);
}}
"""


def _unwritten(declaration: re.Match[str]) -> str:
    """The shared arrays of a declaration, filled with 0xFF whenever a block begins: what another block left there is not to be read."""
    text = declaration[1]
    while (plain := re.sub(r"\[[^\[\]()]*\]|\([^()]*\)", "", text)) != text:  # without lengths, which may hold commas
        text = plain
    names = [declarator.split()[-1] for declarator in re.sub(r"<[^<>]*>", "", text).split(",")]
    begin = " static unsigned long {0}_of_block; on_cpu::begin_shared(&{0}, sizeof({0}), {0}_of_block);"
    return declaration[0] + "".join(begin.format(name) for name in names)


def as_cpp(text: str) -> str:
    """The CUDA source with an entry for each of its kernels."""
    names = KERNEL.findall(text)
    text = STATIC.sub(_unwritten, text)
    text = DYNAMIC.sub(r"\1* \2 = reinterpret_cast<\1*>(on_cpu::dynamic_shared);", text)
    return "\n".join([f'#include "{HEADER}"', text, *(ENTRY.format(name) for name in names)])


def library(text: str, real: str, *options: str) -> Path:
    """That source as a shared library; kept between runs by a digest of all that it is made of."""
    code = as_cpp(text)
    arguments = (*OPTIONS, f"-DREAL={real}", *options)
    digest = hashlib.sha256(repr((code, HEADER.read_text(), FIBERS.read_text(), arguments)).encode()).hexdigest()[:24]
    folder = Path(tempfile.gettempdir()) / f"npae-cuda-on-cpu-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder / f"{digest}.so"
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=folder) as room:
            written, unfinished = Path(room) / "source.cpp", Path(room) / "made.so"
            written.write_text(code)
            words = ["g++", *arguments, str(written), "-o", str(unfinished)]
            plain = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}  # a sanitiser is for what is made
            done = subprocess.run(words, capture_output=True, text=True, env=plain)
            assert done.returncode == 0, done.stderr
            unfinished.rename(made)
    return made


@functools.cache
def loaded(text: str, real: str, *options: str) -> ctypes.CDLL:
    return ctypes.CDLL(str(library(text, real, *options)))


def _as_it_is(name: str, text: str) -> str:
    return text


class OnCpu(Device):
    """A device whose kernels run on the CPU, threads in that order (0 as numbered, 1 backwards, 2 shuffled with the seed).

    edit(name, text) changes a source before it is compiled; options go to the C++ compiler.
    """

    def __init__(self, order: int = 0, seed: int = 0, edit: Callable[[str, str], str] = _as_it_is, options: tuple[str, ...] = ()) -> None:
        self.xp = np
        self._tickets = {}
        self.order, self.seed, self.edit, self.options = order, seed, edit, options

    def address(self, array: Array) -> int:
        """Where the array lies."""
        return int(array.ctypes.data)

    def stream(self) -> int:
        """There is only one."""
        return 0

    def kernel(self, name: str, kernel: str, real: str) -> Any:
        """The function, called as CuPy's: (grid, block, arguments, shared_mem=)."""
        entry = getattr(loaded(self.edit(name, source(name)), real, *self.options), f"enter_{kernel}")
        entry.restype = None

        def call(grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any], *, shared_mem: int = 0) -> None:
            sizes = [(ctypes.c_uint * 3)(*(*size, 1, 1)[:3]) for size in (grid, block)]
            cells = [np.asarray(np.uint64(a.ctypes.data) if isinstance(a, np.ndarray) and not a.dtype.names else a) for a in arguments]
            pointers = (ctypes.c_void_p * len(cells))(*[cell.ctypes.data for cell in cells])
            entry(*sizes, ctypes.c_size_t(shared_mem), self.order, self.seed, pointers)

        return call
