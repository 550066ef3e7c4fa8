"""A training at a step, as the verbs that lay one open need it: of a run, as its checkpoint left it, or of a model, preset or file, anew.

A run goes on where it stopped; for a step before that it is trained again from its seed, which gives the same weights. Of a run's settings
only dtype and backend can be others: everything else would make it another training.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from npae.cli.settings import add_settings, given_flags
from npae.errors import InputError, nearest
from npae.inspection.reach import reach
from npae.models import MODELS
from npae.presets import preset_names
from npae.training.checkpoint import restore_checkpoint
from npae.training.configuration import Configuration, resolve, stored
from npae.training.run import Run, check_same_data, prepare

OTHERWISE = ("dtype", "backend")  # what of a run may be otherwise than it was


def add_training(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """The run, model, preset or file, and the settings of a model."""
    what = f"a run folder, a configuration file, a model ({', '.join(MODELS)}) or a preset ({', '.join(preset_names())})"
    parser.add_argument("what", nargs="?" if optional else None, metavar="RUN|CONFIG|MODEL", help=what)
    add_settings(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def training_at(arguments: argparse.Namespace, what: str, steps: int | None) -> Run:
    """The training with `steps` steps made; None: where a run's checkpoint is, and nowhere yet for a new one."""
    folder = Path(what)
    if folder.is_dir():
        return _of_run(arguments, folder, steps)
    _check_named(what)
    file = Path(what) if what.endswith(".toml") else arguments.config
    configuration = resolve(None if what.endswith(".toml") else what, file=file, flags=given_flags(arguments))
    training = prepare(configuration)
    reach(training.trainer, steps or 0)
    return training


def _check_named(what: str) -> None:
    """A configuration file, model or preset."""
    names = (*MODELS, *preset_names())
    if what.endswith(".toml") or what in names:
        return
    if Path(what).is_file():
        raise InputError(f"{what} is a file, and no configuration (.toml); expected a run folder, a configuration, or a model such as vae")
    raise InputError(f"'{what}' is no run folder, configuration file, model or preset{nearest(what, names, listed='/' in what)}")


def _of_run(arguments: argparse.Namespace, folder: Path, steps: int | None) -> Run:
    flags = given_flags(arguments)
    others = [key for key in flags if key not in OTHERWISE]
    if others or arguments.config:
        given = others[0] if others else "--config"
        raise InputError(f"{given} belongs to a new training, and {folder} is a run; leave it out, or name a model in the run's place")
    before = stored(folder)
    configuration = Configuration(before.name, before.model, before.values | flags, before.origins | _origins(flags))
    training = prepare(configuration)
    check_same_data(training, folder)
    if line := restore_checkpoint(training.trainer, folder):
        print(f"npae: {line}", file=sys.stderr)
    if steps is not None and steps < training.trainer.optimizer.steps:
        training = prepare(configuration)
    if steps is not None:
        reach(training.trainer, steps)
    return training


def _origins(flags: dict[str, Any]) -> dict[str, str]:
    return dict.fromkeys(flags, "flag")
