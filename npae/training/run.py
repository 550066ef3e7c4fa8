"""A run: configuration, data, model and trainer put together, and the folder that holds them.

config.toml  environment.json  history.jsonl  checkpoint/  figures/
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npae.backend import Array
from npae.data import Dataset, binarise_dynamic, binarise_fixed, load
from npae.data.batches import batch_count, batch_indices
from npae.errors import InputError
from npae.models import Model
from npae.optim import Adam, Schedule
from npae.training.averages import evaluation_seed
from npae.training.checkpoint import weights_file, write_json
from npae.training.configuration import Configuration, build_model, stored
from npae.training.environment import environment
from npae.training.loop import Trainer
from npae.training.model_file import load as load_model

SPLIT_EPOCH = 2**32 - 1  # the shuffle that picks validation rows: no training epoch has this number


@dataclass
class Run:
    """Everything a training consists of."""

    configuration: Configuration
    dataset: Dataset
    x: Array
    validation: Array | None
    model: Model
    trainer: Trainer


def load_dataset(configuration: Configuration) -> Dataset:
    """The configuration's data, scaled as it says."""
    shape = configuration["image_shape"]
    return load(
        configuration["data"], dtype=configuration["dtype"], scale=configuration["scale"], image_shape=tuple(shape) if shape else None
    )


def prepare(configuration: Configuration) -> Run:
    """Load the data, build the model and the trainer."""
    dataset = load_dataset(configuration)
    x, validation = training_rows(configuration, dataset)
    model = build_model(configuration, dataset.train.shape[1])
    total = configuration["epochs"] * batch_count(len(x), configuration["batch_size"], configuration["drop_last"])
    optimizer = Adam(
        model.parameters,
        configuration["learning_rate"],
        beta1=configuration["beta1"],
        beta2=configuration["beta2"],
        epsilon=configuration["epsilon"],
        epsilon_placement=configuration["epsilon_placement"],
        clip_norm=configuration["clip_norm"] or None,
        schedule=Schedule(configuration["schedule"], total, configuration["warmup"], configuration["decay"]),
    )
    keys = ("epochs", "batch_size", "seed", "shuffle", "drop_last", "binarise", "patience")
    trainer = Trainer(model, optimizer, x, validation=validation, **{key: configuration[key] for key in keys})
    return Run(configuration, dataset, x, validation, model, trainer)


def training_rows(configuration: Configuration, dataset: Dataset) -> tuple[Array, Array | None]:
    """The rows to train on and those to validate with."""
    held, seed = configuration["validation"], configuration["seed"]
    x: Array = dataset.train
    validation: Array | None = None
    if held == "auto":
        validation = dataset.validation if dataset.validation is not None else dataset.test
        held = "none" if validation is not None else 0.1
    if held == "test":
        if dataset.test is None:
            raise InputError(f"validation 'test': the data '{configuration['data']}' have no test rows; give a share such as 0.1")
        validation = dataset.test
    elif isinstance(held, float):
        order = next(iter(batch_indices(len(x), len(x), seed=seed, epoch=SPLIT_EPOCH, shuffle=True, drop_last=False)))
        count = round(held * len(x))
        if not 0 < count < len(x):
            raise InputError(
                f"validation {held} of {len(x)} rows leaves {count} to validate and {len(x) - count} to train; both need at least 1"
            )
        x, validation = x[np.sort(order[count:])], x[np.sort(order[:count])]
    if configuration["binarise"] == "fixed":
        x = binarise_fixed(x)
    return x, None if validation is None else evaluation_rows(configuration, validation)


def evaluation_rows(configuration: Configuration, x: Array) -> Array:
    """Rows to evaluate on, binarised as the configuration says; a dynamic binarisation is drawn once."""
    if configuration["binarise"] == "fixed":
        return binarise_fixed(x)
    if configuration["binarise"] == "dynamic":
        return binarise_dynamic(x, evaluation_seed(configuration["seed"]), 0, np.arange(len(x)))
    return x


def new_folder(configuration: Configuration, out: Path | None) -> Path:
    """`out`, or the first free of runs/NAME-DATA, runs/NAME-DATA-2, ..."""
    if out is not None:
        if (out / "config.toml").exists():
            raise InputError(f"--out {out} already holds a run; choose another folder, or continue that run with --resume {out}")
        return out
    stem = f"{configuration.name}-{Path(configuration['data']).stem}"
    number = 1
    while (folder := Path("runs") / (stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return folder


def make_folder(folder: Path) -> None:
    """Create it, and find out before training whether it can be written to."""
    try:
        (folder / "checkpoint").mkdir(parents=True, exist_ok=True)
        (folder / "figures").mkdir(exist_ok=True)
        probe = folder / "checkpoint" / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written to ({error.strerror}); give a folder of your own with --out") from None


def describe(run: Run, folder: Path) -> None:
    """Write config.toml and environment.json."""
    temporary = folder / "config.toml.tmp"
    temporary.write_text(run.configuration.as_toml())
    os.replace(temporary, folder / "config.toml")
    data = {
        "name": run.dataset.name,
        "source": str(run.dataset.source),
        "train": list(run.x.shape),
        "validation": None if run.validation is None else list(run.validation.shape),
        "fingerprint": run.dataset.fingerprint,
        "image_shape": run.dataset.image_shape,
    }
    backend = {"name": run.model.backend.name, "kernels": run.model.backend.form}
    write_json(folder / "environment.json", {**environment(), "backend": backend, "data": data})


def open_run(folder: Path) -> tuple[Configuration, Model]:
    """The configuration and the trained model of a run folder."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such run folder; npae train prints the folder it leaves")
    configuration = stored(folder)
    return configuration, load_model(weights_file(folder), backend=configuration["backend"])
