"""The command `epoch` of the bench: its options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench import devices
from bench.devices import devices_of
from bench.interleave import Plan

DESCRIPTION = "whole runs as processes: npae train, and scripts of other frameworks that do the same work"
MODELS = ("flux-ae", "flux-vae", "flux-wae", "torch-ae")
SCRIPTS, CUDA_SCRIPTS = ("torch", "jax"), ("torch-cuda", "torch-cuda-graph", "jax-cuda")


def add(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    parser.add_argument("--models", default=",".join(MODELS), help=f"presets, of {', '.join(MODELS)} (default: all)")
    parser.add_argument("--epochs", default="1,5", help="lengths of the runs, with commas between (default: 1,5)")
    devices.add(parser)
    peers = f"{', '.join(SCRIPTS)}; on a GPU {', '.join(CUDA_SCRIPTS)}; or none (default: all of the device)"
    parser.add_argument("--peers", help=peers)
    parser.add_argument("--threads", type=int, help="cores that everybody may use (default: all)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the times, .png or .svg")


def run(arguments: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Measure, show, and draw if asked to."""
    from bench import epoch, machine, picture, picture_epoch
    from bench.table_epoch import show_epoch

    on = devices_of(arguments.device)
    if arguments.plot:
        picture.check(arguments.plot)
    default = [name for device in on for name in {"cpu": SCRIPTS, "cuda": CUDA_SCRIPTS}[device]]
    result = epoch.measure(
        models=arguments.models,
        epochs=arguments.epochs,
        peers=arguments.peers or ",".join(default),
        threads=machine.threads_of(arguments.threads),
        plan=plan,
        devices=on,
    )
    show_epoch(result)
    if arguments.plot:
        picture_epoch.draw(result, arguments.plot)
    if "cuda" in on:
        from bench.gpu.results import with_figures

        return with_figures("epoch", result)
    return result
