"""The command `step` of the bench: its options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench import devices
from bench.catalogue import DEFAULT, NETWORKS, SHORT
from bench.devices import BACKENDS, backends_on, devices_of
from bench.interleave import Plan
from bench.peers import CUDA_PEERS, PEERS, peers_on
from npae.errors import InputError

DESCRIPTION = "one training step of a preset, in npae and in other frameworks"


def add(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    others = f"any preset, {', '.join(NETWORKS)}; {', '.join(SHORT)} are short for flux's"
    parser.add_argument("--models", default=",".join(DEFAULT), help=f"{others} (default: {','.join(DEFAULT)})")
    devices.add(parser)
    own = f"npae's: {', '.join(BACKENDS['cpu'])}; on a GPU {', '.join(BACKENDS['cuda'])}; or none (default: all of the device)"
    parser.add_argument("--backends", help=own)
    others = f"{', '.join(PEERS)}; on a GPU {', '.join(CUDA_PEERS)}; or none (default: all of the device)"
    parser.add_argument("--peers", help=others)
    parser.add_argument("--batch", type=int, help="rows in a batch (default: the model's own)")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float64"), help="of every number (default: float32)")
    parser.add_argument("--threads", type=int, help="cores that everybody may use (default: all)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ratios, .png or .svg")


def run(arguments: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Measure, show, and draw if asked to."""
    from bench import machine, picture, step
    from bench.table_step import show_step

    on = devices_of(arguments.device)
    if arguments.batch is not None and arguments.batch <= 0:
        raise InputError(f"--batch {arguments.batch} is not above 0")
    if arguments.plot:
        picture.check(arguments.plot)
    result = step.run(
        models=arguments.models,
        backends=arguments.backends or ",".join(backends_on(on)),
        peers=arguments.peers or ",".join(peers_on(on)),
        batch=arguments.batch,
        dtype=arguments.dtype,
        threads=machine.threads_of(arguments.threads),
        plan=plan,
        devices=on,
    )
    show_step(result)
    if arguments.plot and ("cuda" not in on or any("rounds" in row for row in result["rows"])):
        picture.draw(result, arguments.plot)
    if "cuda" in on:
        from bench.gpu.results import with_figures

        return with_figures("step", result)
    return result
