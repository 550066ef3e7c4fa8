"""The command `kernels` of the bench: its options, and which of its two halves they ask for.

registered kernels     each compiled form against its NumPy reference, on one core, in one process               kernels.py
comparisons            mmd, mmd-imq and pairwise against other libraries, each in a process of its own           kernel_peers.py
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.interleave import Plan
from bench.lists import names
from bench.peers_of_kernels.contenders import PEERS
from bench.peers_of_kernels.problem import COMPARISONS, DTYPES, Size
from npae.errors import InputError

DESCRIPTION = "each compiled kernel against its reference; MMD and distances against other libraries"
SIZES = "100x8,1000x8,1000x64"


def add(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    what = f"registered kernels, and {', '.join(COMPARISONS)} for comparisons with other libraries, with commas between (default: all)"
    parser.add_argument("--kernels", default="all", help=what)
    parser.add_argument("--peers", default="all", help=f"in comparisons, of {', '.join(PEERS)}, or none (default: all)")
    sizes = f"of comparisons: points x features, or z x w x features (default: {SIZES}); 10000x64 takes some minutes with all peers"
    parser.add_argument("--sizes", default=SIZES, help=sizes)
    parser.add_argument("--dtype", default="float32", choices=DTYPES, help="of comparisons (default: float32)")
    parser.add_argument("--threads", type=int, help="cores that comparisons may use (default: all)")
    limit = "seconds that the calls of one contender at one size may take: a slower one has fewer rounds, or is named (default: 60)"
    parser.add_argument("--limit", type=float, default=60.0, help=limit)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the comparisons, .png or .svg")


def run(arguments: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Measure and show; {"registered": ..., "compared": ...}, as far as asked for."""
    from bench import kernel_peers, kernels, machine, picture, picture_kernels
    from bench.table import show_kernels
    from bench.table_peers import show_peers
    from npae.kernels.registry import KERNELS

    chosen = [*KERNELS, *COMPARISONS] if arguments.kernels == "all" else names("--kernels", arguments.kernels, [*KERNELS, *COMPARISONS])
    comparisons = [name for name in chosen if name in COMPARISONS]
    registered = [name for name in chosen if name in KERNELS]
    if not chosen:
        raise InputError(f"--kernels {arguments.kernels}: nothing to measure; name some of {', '.join([*KERNELS, *COMPARISONS])}, or all")
    if arguments.limit <= 0:
        raise InputError(f"--limit {arguments.limit:g} is not above 0")
    if arguments.plot and not comparisons:
        raise InputError(f"--plot {arguments.plot} draws comparisons; name some of {', '.join(COMPARISONS)} with --kernels")
    if arguments.plot:
        picture.check(arguments.plot)
    sizes = [Size.read(text) for text in arguments.sizes.split(",")]
    result: dict[str, Any] = {}
    if registered:
        result["registered"] = kernels.run(chosen=registered, plan=plan)
        show_kernels(result["registered"])
    if comparisons:
        result["compared"] = kernel_peers.run(
            comparisons=comparisons,
            sizes=sizes,
            dtype=arguments.dtype,
            peers=arguments.peers,
            threads=arguments.threads or machine.cores(),
            limit=arguments.limit,
            plan=plan,
        )
        show_peers(result["compared"])
        if arguments.plot:
            picture_kernels.draw(result["compared"], arguments.plot)
    return result
