"""A trained run as the verbs that read one need it: configuration, model, and rows to look at."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from npae.backend import Array
from npae.data import Dataset
from npae.data.dataset import load
from npae.errors import InputError
from npae.models import Model
from npae.training.configuration import Configuration
from npae.training.run import evaluation_rows, load_dataset, open_run, training_rows


@dataclass
class Opened:
    """A run, its data, and the rows that `--data` or the run's own held-out part give; `which` says where the rows are from."""

    folder: Path
    configuration: Configuration
    model: Model
    dataset: Dataset
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
    if arguments.data:
        other = load(arguments.data, dtype=configuration["dtype"], scaling=dataset.scaling, image_shape=dataset.image_shape)
        rows, which = (other.train, f"{arguments.data}") if other.test is None else (other.test, f"{arguments.data}, test rows")
        if rows.shape[1] != model.features:
            raise InputError(f"--data {arguments.data}: rows of {rows.shape[1]} numbers; this run was trained on rows of {model.features}")
        rows = evaluation_rows(configuration, rows)
    elif dataset.test is not None:
        rows, which = evaluation_rows(configuration, dataset.test), f"{configuration['data']}, test rows"
    else:
        train, held_out = training_rows(configuration, dataset)
        rows, which = (train, "training rows (nothing was held out)") if held_out is None else (held_out, "validation rows")
    return Opened(arguments.run, configuration, model, dataset, rows, which)
