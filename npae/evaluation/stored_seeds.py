"""Finished seeds of a reproduction on disk, one JSON file each, so that none is trained twice.

    FOLDER/keras-ae-seed-0-1a2b3c4d.json        {"preset": ..., "version": ..., "settings": {...}, "run": {...}}

The last part of the name is the hash of the version of npae and of every setting, seed and backend among them: a seed that was trained in
any other way is not found. Raises InputError for a file that is damaged.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from npae import __version__
from npae.errors import InputError
from npae.evaluation.seed_run import SeedRun
from npae.training.configuration import Configuration
from npae.training.files import write_json


def seed_file(folder: Path, configuration: Configuration) -> Path:
    """Where the seed of that configuration is, or is going to be."""
    what = json.dumps([__version__, configuration.model, configuration.values], sort_keys=True)
    digest = hashlib.sha256(what.encode()).hexdigest()
    return folder / f"{configuration.name}-seed-{configuration['seed']}-{digest[:8]}.json"


def stored_seed(folder: Path, configuration: Configuration) -> SeedRun | None:
    """The finished seed, if there is one."""
    path = seed_file(folder, configuration)
    if not path.is_file():
        return None
    try:
        return SeedRun(**json.loads(path.read_text())["run"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}); delete it, and its seed is trained again") from None


def store_seed(folder: Path, configuration: Configuration, run: SeedRun) -> Path:
    """Write a finished seed."""
    content = {"preset": configuration.name, "version": __version__, "settings": configuration.values, "run": vars(run)}
    return write_json(seed_file(folder, configuration), content)
