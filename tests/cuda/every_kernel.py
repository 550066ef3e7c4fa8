"""Calls every CUDA kernel of npae, in a process of its own, so that a sanitiser can watch it.

    python every_kernel.py cpu|gpu [--replace OLD NEW] [name ...]      all of CALLS, unless some are named, in both dtypes, at SOME sizes

On a CPU the sources are compiled with AddressSanitizer and UndefinedBehaviorSanitizer, whose libraries the caller preloads; on a GPU they
run as they are, under compute-sanitizer. Each call is announced first, so that a report has its name above it.
--replace changes the sources: a test shows that a fault is reported.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from npae.kernels.cuda.device import Device, using
from npae.kernels.cuda.source import REALS, every_source, source

sys.path.insert(0, str(Path(__file__).parent))
from calls import CALLS, SOME
from shim import OnCpu, library

SANITISED = ("-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer")


def main() -> None:
    """Call what the command line asks for."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("place", choices=("cpu", "gpu"))
    parser.add_argument("--replace", nargs=2, default=("", ""), metavar=("OLD", "NEW"))
    parser.add_argument("names", nargs="*", default=list(CALLS))
    given = parser.parse_args()

    def edit(name: str, text: str) -> str:
        """Arrays in shared memory become the source's own, or AddressSanitizer would put no guards around those of inline functions."""
        return f"namespace {{\n{text.replace(*given.replace)}}}\n"

    if given.place == "cpu" and given.names == list(CALLS):
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # the compiler takes longer than the calls
            made = [pool.submit(library, edit(name, source(name)), real, *SANITISED) for name in every_source() for real in REALS]
            for one in made:
                one.result()
    with using(Device() if given.place == "gpu" else OnCpu(order=2, seed=5, edit=edit, options=SANITISED)) as device:
        if given.place == "gpu":
            device.xp.cuda.set_allocator(None)  # each array from the driver: in a pool's chunk nobody sees where one ends
        for name in given.names:
            call = CALLS[name]
            for size in set(SOME) & set(call.sizes):
                for dtype in ("float32", "float64"):
                    print(f"{name} {size} {dtype}", flush=True)
                    call.written(arguments := call.arguments(device, size, dtype), call.run(*arguments))


if __name__ == "__main__":
    main()
