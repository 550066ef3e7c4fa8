"""The CUDA sources of npae, as a compiler is given them.

    source("mmd/mmd.cu") -> text       with #include "npae.cuh" (any .cuh of this folder) replaced by that file, #line keeping the numbers
    every_source() -> names            of all .cu files, for a test that compiles them

Each source is compiled with -DREAL=float and with -DREAL=double; its kernels are extern "C" __global__ functions.
Raises FileNotFoundError for a name that the package does not hold.
"""

from __future__ import annotations

import functools
import re
from importlib.resources import files
from importlib.resources.abc import Traversable

REALS = ("float", "double")
OPTIONS = ("--std=c++17",)
INCLUDE = re.compile(r'#include "(\w+\.cuh)"')


def _root() -> Traversable:
    return files("npae.kernels")


@functools.cache
def source(name: str) -> str:
    """The text of that file, complete."""
    lines = []
    for number, line in enumerate(_root().joinpath(name).read_text("utf-8").splitlines(), 1):
        if included := INCLUDE.fullmatch(line.strip()):
            lines += [f'#line 1 "{included[1]}"', _root().joinpath("cuda", included[1]).read_text("utf-8"), f'#line {number + 1} "{name}"']
        else:
            lines.append(line)
    return "\n".join([f'#line 1 "{name}"', *lines, ""])


def every_source() -> list[str]:
    """The names of all CUDA sources, in order."""
    folders = (folder for folder in _root().iterdir() if folder.is_dir())
    return sorted(f"{folder.name}/{file.name}" for folder in folders for file in folder.iterdir() if file.name.endswith(".cu"))
