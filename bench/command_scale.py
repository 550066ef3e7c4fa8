"""The command `scale` of the bench: its options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench import devices
from bench.catalogue import NETWORKS, SHORT, known
from bench.devices import BACKENDS, backends_on, devices_of
from bench.interleave import Plan
from bench.lists import names
from bench.peers import CUDA_PEERS, PEERS
from npae.errors import InputError

DESCRIPTION = "how the cost of a step grows with batch and width, and that of MMD with points and features"
SIZES = {
    "batch": (10, 32, 100, 320, 1000),
    "width": (32, 64, 128, 256, 512, 1024),
    "n": (100, 300, 1000, 3000, 10000),
    "d": (2, 8, 32, 128),
}
SOME = {"cpu": ("torch", "jax"), "cuda": ("torch-cuda", "torch-cuda-graph", "jax-cuda")}  # peers that take part where none are named


def add(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    default = "; ".join(f"{axis} {','.join(map(str, sizes))}" for axis, sizes in SIZES.items())
    parser.add_argument("--axes", default="batch,width", help=f"what grows, of {', '.join(SIZES)} (default: batch,width)")
    parser.add_argument("--sizes", help=f"of the one axis that is named, with commas between (default: {default})")
    model = f"whose step: a preset, {', '.join(NETWORKS)}, or {', '.join(SHORT)} (default: flux-ae)"
    parser.add_argument("--models", default="flux-ae", metavar="MODEL", help=model)
    devices.add(parser)
    own = f"npae's: {', '.join(BACKENDS['cpu'])}; on a GPU {', '.join(BACKENDS['cuda'])}; or none (default: all of the device)"
    parser.add_argument("--backends", help=own)
    others = f"{', '.join(PEERS)}; on a GPU {', '.join(CUDA_PEERS)}; or none"
    some = "; ".join(f"{device} {','.join(peers)}" for device, peers in SOME.items())
    parser.add_argument("--peers", help=f"{others} (default: {some})")
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

    on = devices_of(arguments.device)
    if arguments.plot:
        picture.check(arguments.plot)
    models, own = names("--models", arguments.models, known()), backends_on(on)
    backends = names("--backends", arguments.backends or ",".join(own), own)
    if len(models) != 1:
        raise InputError(f"--models {arguments.models}: the step of one model is scaled; name one")
    axes = sizes_of(arguments.axes, arguments.sizes)
    if not backends and arguments.peers == "none" and {"batch", "width"} & set(axes):
        raise InputError("nothing to measure: --backends none and --peers none; name at least one")
    result = scale.run(
        axes=axes,
        model=SHORT.get(models[0], models[0]),
        backends=backends,
        peers=arguments.peers or ",".join(name for device in on for name in SOME[device]),
        threads=machine.threads_of(arguments.threads),
        plan=plan,
        devices=on,
    )
    show_scale(result)
    if arguments.plot:
        picture_scale.draw(result, arguments.plot)
    if "cuda" in on:
        from bench.gpu.results import with_figures

        return with_figures("scale", result)
    return result
