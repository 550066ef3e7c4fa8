"""NVIDIA's run-time compiler without a GPU: a CUDA source to machine code for any architecture, with what each kernel takes of it.

    compiled(text, name, 90, "-DREAL=float") -> Compiled      .kernels["mmd"]: registers, stack, spilled, shared (bytes)     .warnings
                                                              .parameters["mmd"]: ("b64", "f64", "b8[24]", ...)
    library() -> path | None                                  libnvrtc of the wheel nvidia-cuda-nvrtc-cu12, if it is installed

The numbers are ptxas's own, out of the log that --ptxas-options=-v writes. Raises AssertionError, with the log, for a source that does not
compile and for a log that is not read to its end.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import re
import tempfile
import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path
from typing import Any, NamedTuple

WHEEL = "nvidia-cuda-nvrtc-cu12"
ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)  # Turing, A100, Ampere, Ada, Hopper, Blackwell of the data centre and of the desk
ENTRY = re.compile(r"\.entry (\w+)\(([^)]*)\)")
PARAMETER = re.compile(r"\.param (?:\.align \d+ )?\.(\w+) (?:\.ptr )?(?:\.align \d+ )?\w+?(\[\d+\])?,?$")
VERBOSE = ("--ptxas-options=-v", "--ptxas-options=--warn-on-spills")
PROPERTIES = re.compile(
    r"Compiling entry function '(?P<name>\w+)' for 'sm_\d+'\n"
    r"ptxas info\s*: Function properties for \w+\n"
    r"\D*(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes spill loads\n"
    r"ptxas info\s*: Used (?P<registers>\d+) registers(?P<rest>.*)\n"
)


class Usage(NamedTuple):
    """What a kernel takes: registers of a thread, bytes of local memory of a thread, bytes of shared memory of a block."""

    registers: int
    stack: int
    spilled: int
    shared: int


class Compiled(NamedTuple):
    """One source for one architecture."""

    kernels: dict[str, Usage]
    parameters: dict[str, tuple[str, ...]]
    warnings: list[str]


def library() -> Path | None:
    """Where the compiler lies."""
    try:
        found = [file for file in files(WHEEL) or () if re.fullmatch(r"libnvrtc\.so\.\d+", file.name)]
    except PackageNotFoundError:
        return None
    return Path(str(found[0].locate())) if found else None


@functools.cache
def _loaded() -> ctypes.CDLL:
    return ctypes.CDLL(str(library()))


def _bytes(program: Any, size: Callable[..., int], content: Callable[..., int]) -> bytes:
    length = ctypes.c_size_t()
    assert size(program, ctypes.byref(length)) == 0
    room = ctypes.create_string_buffer(length.value)
    assert content(program, room) == 0
    return room.raw


@functools.cache
def compiled(text: str, name: str, architecture: int, *options: str) -> Compiled:
    """What the compiler says of that source; kept between runs by a digest of all that it depends on."""
    words = (f"--gpu-architecture=sm_{architecture}", *VERBOSE, *options)
    made = (text, name, words, version(WHEEL), Path(__file__).read_text())
    folder = Path(tempfile.gettempdir()) / f"npae-nvrtc-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / f"{hashlib.sha256(repr(made).encode()).hexdigest()[:24]}.json"
    if not kept.exists():
        log, ptx = _logs(text, name, words)
        warnings = [line for line in log.splitlines() if "warning" in line and "-diag-suppress" not in line]
        unfinished = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        unfinished.write_text(json.dumps([_usage(log), _parameters(ptx), warnings]))
        unfinished.rename(kept)
    usage, parameters, warnings = json.loads(kept.read_text())
    return Compiled({k: Usage(*v) for k, v in usage.items()}, {k: tuple(v) for k, v in parameters.items()}, warnings)


def _logs(text: str, name: str, options: tuple[str, ...]) -> tuple[str, str]:
    """What the compiler says, and the PTX, once there is machine code."""
    nvrtc, program = _loaded(), ctypes.c_void_p()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), name.encode(), 0, None, None) == 0
    try:
        words = [option.encode() for option in options]
        failed = nvrtc.nvrtcCompileProgram(program, len(words), (ctypes.c_char_p * len(words))(*words))
        log = _bytes(program, nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog).rstrip(b"\0").decode()
        assert not failed, f"{name} does not compile: {' '.join(options)}\n{log}"
        assert _bytes(program, nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN).startswith(b"\x7fELF")
        return log, _bytes(program, nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX).decode()
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _usage(log: str) -> dict[str, Usage]:
    kernels = {}
    for found in PROPERTIES.finditer(log):
        shared = re.search(r"(\d+) bytes smem", found["rest"])
        spilled = int(found["stores"]) + int(found["loads"])
        kernels[found["name"]] = Usage(int(found["registers"]), int(found["stack"]), spilled, int(shared[1]) if shared else 0)
    assert len(kernels) == log.count("Compiling entry function"), f"a log of another form\n{log}"
    return kernels


def _parameters(ptx: str) -> dict[str, tuple[str, ...]]:
    """Of each kernel: types as PTX has them, where an address and a whole number are bits (b64), and a struct is bytes (b8[24])."""
    kernels = {}
    for name, declared in ENTRY.findall(ptx):
        each = [PARAMETER.search(line) for line in declared.splitlines() if ".param" in line]
        kernels[name] = tuple(re.sub("[us]", "b", one[1]) + (one[2] or "") for one in each if one)
        assert None not in each, declared
    return kernels
