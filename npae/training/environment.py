"""What a run was made with: versions, machine, BLAS and threads, backend, data. Stored as environment.json."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("npae", "numpy", "numba", "llvmlite", "scipy", "scikit-learn", "matplotlib", "safetensors", "cupy-cuda12x", "cupy-cuda13x")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NPAE_BACKEND", "NPAE_DATA_DIR")


def versions() -> dict[str, str]:
    """Installed packages that a number can depend on. (importlib.metadata.version reads their whole descriptions: 10 ms.)"""
    found = {}
    for name in PACKAGES:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        about = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        found[name] = next(line.partition(" ")[2] for line in about.splitlines() if line.startswith("Version: "))
    return found


def cpu_name() -> str:
    """The processor as the system names it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def blas_libraries(*, scipys: bool) -> list[dict[str, Any]]:
    """Every BLAS and OpenMP in this process, with its threads. NumPy and SciPy each bring one; products are SciPy's (backend.py)."""
    import numpy.linalg  # noqa: F401

    if scipys:
        import scipy.linalg.blas  # noqa: F401  (loaded so that it is seen)
    from threadpoolctl import threadpool_info

    keys = ("user_api", "internal_api", "version", "num_threads", "threading_layer", "architecture")
    return [{key: library[key] for key in keys if library.get(key) is not None} for library in threadpool_info()]


def environment(*, products: bool = True) -> dict[str, Any]:
    """Everything above, as JSON can hold it; without `products`, SciPy's BLAS is not loaded to be named."""
    return {
        "python": sys.version.split()[0],
        "versions": versions(),
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "blas": blas_libraries(scipys=products),
        "variables": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
    }
