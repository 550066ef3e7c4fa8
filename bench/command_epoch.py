"""The command `epoch` of the bench: its options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.interleave import Plan

DESCRIPTION = "whole runs as processes: npae train, and scripts of other frameworks that do the same work"
MODELS, SCRIPTS = ("flux-ae", "flux-vae", "flux-wae", "torch-ae"), ("torch", "jax")


def add(parser: argparse.ArgumentParser) -> None:
    """Its own options."""
    parser.add_argument("--models", default=",".join(MODELS), help=f"presets, of {', '.join(MODELS)} (default: all)")
    parser.add_argument("--epochs", default="1,5", help="lengths of the runs, with commas between (default: 1,5)")
    parser.add_argument("--peers", default=",".join(SCRIPTS), help=f"{', '.join(SCRIPTS)}, or none (default: both)")
    parser.add_argument("--threads", type=int, help="cores that everybody may use (default: all)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the times, .png or .svg")


def run(arguments: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Measure, show, and draw if asked to."""
    from bench import epoch, machine, picture, picture_epoch
    from bench.table_epoch import show_epoch

    if arguments.plot:
        picture.check(arguments.plot)
    result = epoch.measure(
        models=arguments.models,
        epochs=arguments.epochs,
        peers=arguments.peers,
        threads=arguments.threads or machine.cores(),
        plan=plan,
    )
    show_epoch(result)
    if arguments.plot:
        picture_epoch.draw(result, arguments.plot)
    return result
