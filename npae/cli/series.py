"""Several runs in one folder, each trained once: what is finished is taken as it is, what was interrupted goes on, the rest begins.

So a series that Ctrl-C stopped is continued by giving the same command again.
Raises InputError where a folder holds a run with other settings, or whose data have changed since.
"""

from __future__ import annotations

import sys
from pathlib import Path

from npae.cli.train import go_on, train_run
from npae.errors import InputError
from npae.training.checkpoint import save_checkpoint
from npae.training.configuration import Configuration, stored
from npae.training.lock import locked
from npae.training.run import Run, describe, make_folder, prepare

MACHINE = ("backend",)  # may differ: a series begun on one machine goes on on another


def trained_run(configuration: Configuration, folder: Path, *, title: str, quiet: bool) -> Run:
    """The run of that configuration in `folder`, trained, with the best weights where it kept some.

    `title` is said on standard error before training. Ctrl-C saves and raises KeyboardInterrupt.
    """
    begun = (folder / "config.toml").is_file()
    if begun:
        _check_same_settings(configuration, folder)
    training = prepare(configuration)
    make_folder(folder)
    with locked(folder):
        if begun:
            go_on(training, folder)
            if training.trainer.finished:
                training.trainer.use_best()
                return training
        if not quiet:
            print(f"{title}: {folder}", file=sys.stderr)
        describe(training, folder)
        save_checkpoint(training.trainer, folder)
        if train_run(training, folder, quiet=quiet):
            raise KeyboardInterrupt
        return training


def _check_same_settings(configuration: Configuration, folder: Path) -> None:
    before = stored(folder)
    if before.model != configuration.model:
        raise InputError(f"{folder} holds a run of {before.name}, not of {configuration.name}; give another --out")
    for key, value in configuration.values.items():
        if key not in MACHINE and before[key] != value:
            raise InputError(f"{folder} was made with {key} = {before[key]}, not {value}; give another --out, or remove that folder")
