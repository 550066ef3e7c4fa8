"""The command `scale` of the bench: its options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.catalogue import NETWORKS, SHORT, known
from bench.interleave import Plan
from bench.lists import names
from bench.peers import PEERS
from npae.errors import InputError

DESCRIPTION = "how the cost of a step grows with batch and width, and that of MMD with points and features"
BACKENDS = ("numpy", "numba", "compiled")
SIZES = {
    "batch": (10, 32, 100, 320, 1000),
    "width": (32, 64, 128, 256, 512, 1024),
    "n": (100, 300, 1000, 3000, 10000),
    "d": (2, 8, 32, 128),
}


def add(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    default = "; ".join(f"{axis} {','.join(map(str, sizes))}" for axis, sizes in SIZES.items())
    parser.add_argument("--axes", default="batch,width", help=f"what grows, of {', '.join(SIZES)} (default: batch,width)")
    parser.add_argument("--sizes", help=f"of the one axis that is named, with commas between (default: {default})")
    model = f"whose step: a preset, {', '.join(NETWORKS)}, or {', '.join(SHORT)} (default: flux-ae)"
    parser.add_argument("--models", default="flux-ae", metavar="MODEL", help=model)
    parser.add_argument("--backends", default=",".join(BACKENDS), help=f"npae's: {', '.join(BACKENDS)}, or none (default: all)")
    parser.add_argument("--peers", default="torch,jax", help=f"{', '.join(PEERS)}, or none (default: torch,jax)")
    parser.add_argument("--threads", type=int, help="cores that everybody may use (default: all)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the lines, log-log, .png or .svg")


def sizes_of(axes: str, sizes: str | None) -> dict[str, tuple[int, ...]]:
    """Each axis with its sizes, smallest first."""
    chosen = names("--axes", axes, tuple(SIZES))
    if sizes is None:
        return {axis: SIZES[axis] for axis in chosen}
    if len(chosen) != 1:
        raise InputError(f"--sizes {sizes} are those of one axis, and --axes names {len(chosen)}; name one of {', '.join(SIZES)}")
    parts = [part.strip() for part in sizes.split(",")]
    if not all(part.isdecimal() and int(part) >= 2 for part in parts):
        raise InputError(f"--sizes '{sizes}' is not a list of whole numbers of at least 2, such as 10,100,1000")
    return {chosen[0]: tuple(sorted({int(part) for part in parts}))}


def run(arguments: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Measure, show, and draw if asked to."""
    from bench import machine, picture, picture_scale, scale
    from bench.table_scale import show_scale

    if arguments.plot:
        picture.check(arguments.plot)
    models, backends = names("--models", arguments.models, known()), names("--backends", arguments.backends, BACKENDS)
    if len(models) != 1:
        raise InputError(f"--models {arguments.models}: the step of one model is scaled; name one")
    axes = sizes_of(arguments.axes, arguments.sizes)
    if not backends and arguments.peers == "none" and {"batch", "width"} & set(axes):
        raise InputError("nothing to measure: --backends none and --peers none; name at least one")
    result = scale.run(
        axes=axes,
        model=SHORT.get(models[0], models[0]),
        backends=backends,
        peers=arguments.peers,
        threads=arguments.threads or machine.cores(),
        plan=plan,
    )
    show_scale(result)
    if arguments.plot:
        picture_scale.draw(result, arguments.plot)
    return result
