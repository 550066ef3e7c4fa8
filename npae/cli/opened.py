"""A trained run as the verbs that read one need it: configuration, model, and rows to look at."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from npae.backend import Array
from npae.data import Dataset, load
from npae.data.binarise import binarise_held_out
from npae.errors import InputError
from npae.models import Model
from npae.training.configuration import Configuration
from npae.training.run import load_dataset, open_run, split_of
from npae.training.split import Part, split


@dataclass
class Opened:
    """A run, its training part, and the part that `--data` or its own held-out part give; `which` says where those are from, `data` of
    which data."""

    folder: Path
    configuration: Configuration
    model: Model
    dataset: Dataset
    trained: Part
    seen: Part
    which: str
    data: str

    @property
    def rows(self) -> Array:
        """The rows to look at."""
        return self.seen.rows

    @property
    def labels(self) -> Array | None:
        """Their labels, where there are any."""
        return self.seen.labels

    @property
    def y(self) -> Array | None:
        """What the model reads beside each of them: its label, its target, or nothing."""
        return self.seen.companion(type(self.model), self.data)

    @property
    def train(self) -> Array:
        """The rows it was trained on."""
        return self.trained.rows

    @property
    def train_labels(self) -> Array | None:
        """Their labels, where there are any."""
        return self.trained.labels

    @property
    def train_y(self) -> Array | None:
        """The same for the training rows."""
        return self.trained.companion(type(self.model), self.dataset.name)


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
        seen = split(other, "none" if other.test is None else "test", 0).seen
        which = arguments.data if other.test is None else f"{arguments.data}, test rows"
        if seen.rows.shape[1] != model.features:
            shapes = f" ({_shape(other)}; this run's are {_shape(dataset)})" if other.image_shape and dataset.image_shape else ""
            raise InputError(
                f"--data {arguments.data}: rows of {seen.rows.shape[1]} numbers; this run was trained on rows of {model.features}{shapes}"
            )
    elif dataset.test is not None:
        seen, which = split(dataset, "test", 0).seen, f"{configuration['data']}, test rows"
    else:
        held_out = split(dataset, configuration["validation"], configuration["seed"]).validation  # whatever labels training kept
        seen = held_out or parts.train
        which = seen.which
    binarise, seed = configuration["binarise"], configuration["seed"]
    trained, seen = (replace(part, rows=binarise_held_out(part.rows, binarise, seed)) for part in (parts.train, seen))
    return Opened(arguments.run, configuration, model, dataset, trained, seen, which, arguments.data or dataset.name)


def _shape(dataset: Dataset) -> str:
    return "x".join(map(str, dataset.image_shape or ()))
