"""The command `kernels` of the bench: its options, and which of its two halves they ask for.

registered kernels     each compiled form against its NumPy reference, on one core, in one process               kernels.py
                       on a GPU: each gpu form against the cpu form and its floor, at sizes that grow             gpu/kernels.py
comparisons            mmd, mmd-given, mmd-imq and pairwise against other libraries, each in a process         kernel_peers.py
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench import devices
from bench.devices import devices_of
from bench.interleave import Plan
from bench.lists import names
from bench.peers_of_kernels.contenders import CUDA_PEERS, PEERS
from bench.peers_of_kernels.problem import COMPARISONS, DTYPES, Size
from npae.errors import InputError

DESCRIPTION = "each compiled kernel against its reference; MMD and distances against other libraries"
SIZES = "100x8,1000x8,1000x64"
CUDA_SIZES = {
    "mmd": "1000x8,10000x8,60000x8",
    "mmd-given": "1000x8,10000x8,60000x8",
    "mmd-imq": "1000x8,10000x8",
    "pairwise": "1000x8,10000x8",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    what = f"registered kernels, and {', '.join(COMPARISONS)} for comparisons with other libraries, with commas between (default: all)"
    parser.add_argument("--kernels", default="all", help=what)
    devices.add(parser)
    peers = f"in comparisons, of {', '.join(PEERS)}; on a GPU {', '.join(CUDA_PEERS)}; or none (default: all of the device)"
    parser.add_argument("--peers", default="all", help=peers)
    sizes = (
        f"of comparisons: points x features, or z x w x features (default: {SIZES}; with a GPU mmd {CUDA_SIZES['mmd']}, the others less);"
    )
    parser.add_argument("--sizes", help=f"{sizes} 10000x64 takes some minutes with all peers on a CPU")
    parser.add_argument("--dtype", default="float32", choices=DTYPES, help="of comparisons (default: float32)")
    parser.add_argument("--threads", type=int, help="cores that comparisons may use (default: all)")
    limit = "seconds that the calls of one contender at one size may take: a slower one has fewer rounds, or is named (default: 60)"
    parser.add_argument("--limit", type=float, default=60.0, help=limit)
    plot = "draw the comparisons, .png or .svg; on a GPU the registered kernels as well, in FILE with -registered before its suffix"
    parser.add_argument("--plot", type=Path, metavar="FILE", help=plot)


def run(arguments: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Measure and show; {"registered": ..., "on_gpu": ..., "compared": ...}, as far as asked for."""
    from bench import kernel_peers, kernels, machine, picture, picture_kernels
    from bench.table import show_kernels
    from bench.table_peers import show_peers
    from npae.kernels.registry import KERNELS

    on = devices_of(arguments.device)
    chosen = [*KERNELS, *COMPARISONS] if arguments.kernels == "all" else names("--kernels", arguments.kernels, [*KERNELS, *COMPARISONS])
    comparisons = [name for name in chosen if name in COMPARISONS]
    registered = [name for name in chosen if name in KERNELS]
    if not chosen:
        raise InputError(f"--kernels {arguments.kernels}: nothing to measure; name some of {', '.join([*KERNELS, *COMPARISONS])}, or all")
    if arguments.limit <= 0:
        raise InputError(f"--limit {arguments.limit:g} is not above 0")
    if arguments.plot and not comparisons and "cuda" not in on:
        raise InputError(f"--plot {arguments.plot} draws comparisons; name some of {', '.join(COMPARISONS)} with --kernels")
    if arguments.plot:
        picture.check(arguments.plot)
    problems = [(name, size) for name in comparisons for size in sizes_of(name, arguments.sizes, on)]
    result: dict[str, Any] = {}
    if registered and "cuda" in on:
        result["on_gpu"] = _on_gpu(registered, arguments.plot, plan)
    if registered and "cpu" in on:
        result["registered"] = kernels.run(chosen=registered, plan=plan)
        show_kernels(result["registered"])
    if comparisons:
        result["compared"] = kernel_peers.run(
            problems=problems,
            dtype=arguments.dtype,
            peers=arguments.peers,
            threads=machine.threads_of(arguments.threads),
            limit=arguments.limit,
            plan=plan,
            devices=on,
        )
        show_peers(result["compared"])
        if arguments.plot:
            picture_kernels.draw(result["compared"], arguments.plot)
    if "cuda" in on:
        from bench.gpu.results import with_figures

        return with_figures("kernels", result)
    return result


def sizes_of(comparison: str, text: str | None, on: tuple[str, ...]) -> list[Size]:
    """As asked for, or what the device is for."""
    default = CUDA_SIZES[comparison] if "cuda" in on else SIZES
    return [Size.read(part) for part in (text or default).split(",")]


def _on_gpu(registered: list[str], plot: Path | None, plan: Plan) -> dict[str, Any]:
    """Those that have a form for it, measured, shown, and drawn if asked to."""
    from bench.gpu import kernels, picture
    from bench.gpu.table import show_kernels_on_gpu

    result = kernels.run(chosen=registered, plan=plan)
    show_kernels_on_gpu(result)
    if plot and result["rows"]:
        picture.draw(result, plot.with_stem(f"{plot.stem}-registered"))
    return result
