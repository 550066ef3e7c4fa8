"""Train a published preset on its data over several seeds, and print what was published beside what was measured: min, median, max.

  npae reproduce flux-vae                      twenty seeds; the band; each term apart
  npae reproduce flux-wae --seeds 5 --json
  npae reproduce keras-vae                     nothing was published: one seed, its terms
  npae reproduce all                           every preset, one table of every published number; most of the time is adcme-vae
  npae reproduce all --presets flux-ae,torch-ae --out runs/two

`all` stores each finished seed in --out and goes on from there when it is called again.
Exit status 1 if a published number lies outside the band for one more run, or our range misses an independent one.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from npae.backend import backend
from npae.cli.reproduce_progress import reproduce_with_progress
from npae.cli.reproduce_tables import print_all, print_one
from npae.errors import InputError
from npae.evaluation.reproduction import MINIMUM_SEEDS, SEEDS
from npae.presets import Preset, preset, preset_names

ALL = "all"
DEFAULT_FOLDER = Path("runs/reproduce")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which presets, over how many seeds."""
    parser.add_argument("preset", metavar="PRESET", help=f"all, or one of {', '.join(preset_names())}")
    parser.add_argument("--presets", metavar="A,B", help="with all: only these")
    parser.add_argument(
        "--seeds",
        type=int,
        help=f"how many seeds, from 0 (default: {SEEDS}, at least {MINIMUM_SEEDS}; 1 where nothing was published)",
    )
    parser.add_argument("--backend", help="numpy, numba or cupy")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=f"store finished seeds here, and take those that are (default with all: {DEFAULT_FOLDER})",
    )
    parser.add_argument("--fresh", action="store_true", help="train the seeds that are stored, too")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Train, compare, judge."""
    chosen = _chosen(arguments)
    folder = arguments.out or (DEFAULT_FOLDER if arguments.preset == ALL else None)
    if arguments.fresh and folder is None:
        raise InputError("--fresh: nothing is stored without --out FOLDER; every seed is trained anyway")
    if arguments.backend:
        backend(arguments.backend)  # one that this machine cannot run is refused before anything is written
    if folder:
        _make(folder)
    found = reproduce_with_progress(chosen, arguments.seeds, backend=arguments.backend, folder=folder, fresh=arguments.fresh)
    passed = all(one.passed for one in found)
    if arguments.json:
        one_or_all = found[0].as_dict() if arguments.preset != ALL else {"passed": passed, "presets": [one.as_dict() for one in found]}
        print(json.dumps(one_or_all, indent=1))
    elif arguments.preset == ALL:
        print_all(found)
    else:
        print_one(found[0])
    return 0 if passed else 1


def _chosen(arguments: argparse.Namespace) -> list[Preset]:
    if arguments.preset != ALL:
        if arguments.presets is not None:
            raise InputError(f"--presets {arguments.presets} chooses among all: npae reproduce all --presets {arguments.presets}")
        return [preset(arguments.preset)]
    names = preset_names() if arguments.presets is None else dict.fromkeys(arguments.presets.split(","))
    return [preset(name) for name in names]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be created ({error.strerror}); give a folder of your own") from None
