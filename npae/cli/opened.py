"""A trained run as the verbs that read one need it: configuration, model, and rows to look at."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from npae.backend import Array
from npae.data import Dataset, load
from npae.data.binarise import binarise_held_out
from npae.errors import InputError
from npae.models import Model
from npae.training.configuration import Configuration
from npae.training.run import load_dataset, open_run, split_of


@dataclass
class Opened:
    """A run, its training rows, and the rows that `--data` or its own held-out part give; `which` says where those are from."""

    folder: Path
    configuration: Configuration
    model: Model
    dataset: Dataset
    train: Array
    rows: Array
    which: str


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and other data to use it on."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder made by npae train")
    parser.add_argument("--data", metavar="DATA", help="other data: a name or a path (default: the run's test or validation rows)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def open_for(arguments: argparse.Namespace) -> Opened:
    """Load the run's model, its data, and the rows asked for."""
    configuration, model = open_run(arguments.run)
    dataset = load_dataset(configuration)
    parts = split_of(configuration, dataset)
    if arguments.data:
        other = load(arguments.data, dtype=configuration["dtype"], scaling=dataset.scaling)
        rows, which = (other.train, arguments.data) if other.test is None else (other.test, f"{arguments.data}, test rows")
        if rows.shape[1] != model.features:
            raise InputError(f"--data {arguments.data}: rows of {rows.shape[1]} numbers; this run was trained on rows of {model.features}")
    elif dataset.test is not None:
        rows, which = dataset.test, f"{configuration['data']}, test rows"
    else:
        rows, which = parts.seen.rows, parts.seen.which
    binarise, seed = configuration["binarise"], configuration["seed"]
    train, rows = (binarise_held_out(part, binarise, seed) for part in (parts.train.rows, rows))
    return Opened(arguments.run, configuration, model, dataset, train, rows, which)
