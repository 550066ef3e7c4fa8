"""What was found on this machine, what will be used, and why.

npae doctor
npae doctor --json
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from typing import Any

import numpy as np

from npae.backend import NAMES, backend, chosen_name
from npae.data.find import list_catalogue
from npae.errors import InputError
from npae.training.environment import environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Only how to say it."""
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Look, try, report. Exit status 1 if the backend that would be used does not work."""
    found = examine()
    print(json.dumps(found, indent=1) if arguments.json else _text(found))
    return 0 if found["works"] else 1


def examine() -> dict[str, Any]:
    """Everything that decides what a training would run on."""
    name, origin = chosen_name()
    backends = {each: _try_backend(each) for each in NAMES}
    return {
        **environment(),
        "backends": backends,
        "backend": name,
        "backend_chosen_by": origin,
        "works": backends[name] == "works",
        "numba_cache": _numba_cache(),
        "gpu": _gpu(),
        "data": {row.name: row.where for row in list_catalogue()},
        "gemm_gflops": _gemm_rate(),
    }


def _try_backend(name: str) -> str:
    """Whether a kernel of that backend gives the right answer here."""
    try:
        used = backend(name)
        x = used.from_host(np.ones((2, 3)))
        out = used.xp.empty((2, 3))
        value = used.kernel("squared_error")(x, 2 * x, 1.0, out)
    except InputError as error:
        return str(error)
    except ImportError as error:
        return f"cannot be imported: {error}"
    return "works" if abs(value - 6.0) < 1e-9 else f"gives a wrong answer ({value}, expected 6)"


def _numba_cache() -> dict[str, Any]:
    """Where compiled code is kept, how large it is, also with that of other versions, and whether more can be."""
    from npae.kernels.code_cache import code_folder, writable

    folder = code_folder()
    if folder is None:
        return {"folder": None, "megabytes": 0.0, "megabytes_of_all": 0.0, "writable": False}
    sizes = {path: path.stat().st_size / 1e6 for path in folder.parent.glob("kernels-*/**/*") if path.is_file()}
    own = sum(size for path, size in sizes.items() if folder in path.parents)
    return {
        "folder": str(folder),
        "megabytes": round(own, 1),
        "megabytes_of_all": round(sum(sizes.values()), 1),
        "writable": writable(folder),
    }


def _gpu() -> str:
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed: pip install -e '.[gpu]' (CUDA 12) or '.[gpu13]' (CUDA 13)"
    import cupy

    if not cupy.cuda.is_available():
        return f"CuPy {cupy.__version__} is installed, but finds no CUDA GPU or driver"
    return str(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode())


def _gemm_rate(n: int = 1024, repeats: int = 5) -> float:
    """float32 matrix multiplication, the best of a few, in GFLOP/s: what bounds a training step."""
    a = np.ones((n, n), np.float32)
    out = np.empty_like(a)
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        np.matmul(a, a, out=out)
        best = min(best, time.perf_counter() - started)
    return round(2 * n**3 / best / 1e9, 1)


def _text(found: dict[str, Any]) -> str:
    versions = "  ".join(f"{name} {version}" for name, version in found["versions"].items())
    lines = [
        f"python        {found['python']} on {found['system']}",
        f"packages      {versions}",
        f"processor     {found['cpu']}, {found['cores']} cores, {found['gemm_gflops']} GFLOP/s float32",
    ]
    for library in found["blas"]:
        lines.append(f"{library['user_api']:<13} {library['internal_api']} {library.get('version', '?')}, {library['num_threads']} threads")
    lines.append(f"gpu           {found['gpu']}")
    lines += [f"backend       {name:<6} {state}" for name, state in found["backends"].items()]
    lines.append(f"will use      {found['backend']} (chosen by: {found['backend_chosen_by']}; change with --backend or NPAE_BACKEND)")
    lines.append(f"numba cache   {_cache_text(found['numba_cache'])}")
    lines += [f"data          {name:<16} {where or f'not here: npae data fetch {name}'}" for name, where in found["data"].items()]
    lines += [f"variable      {name}={value}" for name, value in found["variables"].items()]
    return "\n".join(lines)


def _cache_text(cache: dict[str, Any]) -> str:
    if cache["folder"] is None:
        return "none: there is no home folder; every process compiles anew (NUMBA_CACHE_DIR names a folder to keep code in)"
    others = cache["megabytes_of_all"] - cache["megabytes"]
    text = f"{cache['folder']}, {cache['megabytes']} MB; of other versions beside it {others:.1f} MB, removed when unused for long"
    return text if cache["writable"] else f"{text}; it cannot be written, so what is not in it is compiled in every process"
