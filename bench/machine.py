"""Which machine, which software, and how many threads: what a time without it means nothing.

    pinned(threads)        inside it, this process and those it starts stay on so many cores, and every library is told so by its variable
    machine(threads)       processor, cores, threads, load, as JSON can hold it

Not every library obeys a variable (XLA takes all the cores that it may use), so the cores are taken away as well, where the system lets us.
Raises InputError for more threads than cores, and for fewer where cores cannot be taken away.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from npae.errors import InputError
from npae.training.environment import cpu_name, versions

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of(asked: int | None) -> int:
    """As many as were asked for, or one for every core; `pinned` says whether so many can be had."""
    return cores() if asked is None else asked


@contextlib.contextmanager
def pinned(threads: int) -> Iterator[dict[str, str]]:
    """The variables for a process that is to use so many threads, on so many cores."""
    if not 1 <= threads <= cores():
        raise InputError(f"--threads {threads}: this process may use {cores()} cores; give a number from 1 to {cores()}")
    variables = dict.fromkeys(VARIABLES, str(threads))
    if not hasattr(os, "sched_setaffinity"):
        if threads < cores():
            raise InputError(
                f"--threads {threads}: {platform.system()} cannot hold a process to some of its cores; give --threads {cores()}"
            )
        yield variables
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:threads])
    try:
        yield variables
    finally:
        os.sched_setaffinity(0, before)


def machine(threads: int) -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "threads": threads,
        "cores_used": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def installed(name: str) -> str | None:
    """The version of a package, or None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def software(*others: str) -> dict[str, str]:
    """Versions of npae, of what it stands on, and of the others that are installed."""
    found = {name: installed(name) for name in others}
    return versions() | {name: version for name, version in found.items() if version}


def blas() -> str:
    """The matrix and thread libraries that this process has loaded, with their threads."""
    from threadpoolctl import threadpool_info

    found = {f"{one['internal_api']} {one['version'] or ''} ({one['num_threads']} threads)".replace("  ", " ") for one in threadpool_info()}
    return ", ".join(sorted(found))


def peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would report the parent's peak, where that was higher when this process was started
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
