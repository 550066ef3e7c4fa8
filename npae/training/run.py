"""A run: configuration, data, model and trainer put together, and the folder that holds them.

config.toml  environment.json  history.jsonl  checkpoint/  figures/
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npae.backend import Array, backend
from npae.data import Dataset, load
from npae.data.batches import batch_count
from npae.errors import InputError
from npae.models import Model, model_class
from npae.optim import Adam, Schedule
from npae.training.checkpoint import weights_file
from npae.training.configuration import Configuration, build_model, stored
from npae.training.environment import environment
from npae.training.files import parse_json, write_json, write_text
from npae.training.loop import Trainer
from npae.training.model_file import load as load_model
from npae.training.preload import loading_code
from npae.training.split import Split, places, split

MINIMUM_ROWS = 2  # one row has no spread to learn


@dataclass
class Run:
    """Everything a training consists of."""

    configuration: Configuration
    dataset: Dataset
    split: Split
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
    backend(configuration["backend"])  # one that this machine cannot run is refused before any data are fetched
    with loading_code(configuration):
        dataset = load_dataset(configuration)
    parts = split_of(configuration, dataset)
    x, validation = parts.train.rows, parts.validation.rows if parts.validation else None
    if len(x) < MINIMUM_ROWS:
        raise InputError(f"{len(x)} training row in '{configuration['data']}': at least {MINIMUM_ROWS} are needed")
    y = parts.train.companion(model_class(configuration.model), dataset.name)
    model = build_model(configuration, dataset.train.shape[1], y, dataset.text)
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
    keys = ("epochs", "batch_size", "seed", "shuffle", "drop_last", "binarise", "patience", "watch", "step", "guard")
    validation_y = parts.validation.companion(type(model), dataset.name) if parts.validation else None
    trainer = Trainer(
        model, optimizer, x, validation=validation, y=y, validation_y=validation_y, **{key: configuration[key] for key in keys}
    )
    trainer.guarded.places = places_of(configuration, dataset)
    return Run(configuration, dataset, parts, model, trainer)


def split_of(configuration: Configuration, dataset: Dataset) -> Split:
    """The configuration's split of its data."""
    return split(dataset, configuration["validation"], configuration["seed"], configuration["keep"])


def places_of(configuration: Configuration, dataset: Dataset) -> Array:
    """Where the rows that train stand in the data."""
    return places(dataset, configuration["validation"], configuration["seed"], configuration["keep"])


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
    write_text(folder / "config.toml", run.configuration.as_toml())
    write_json(folder / "environment.json", environment_of(run))


def environment_of(run: Run) -> dict[str, Any]:
    """What the run computes with, and on which data: the content of environment.json."""
    data = {
        "name": run.dataset.name,
        "source": str(run.dataset.source),
        "train": list(run.trainer.x.shape),
        "validation": None if run.trainer.validation is None else list(run.trainer.validation.shape),
        "fingerprint": run.dataset.fingerprint,
        "image_shape": run.dataset.image_shape,
    }
    trainer, backend = run.trainer, {"name": run.model.backend.name, "kernels": run.model.backend.form}
    products = trainer.several.compiled is None or trainer.validation is not None or trainer.watch > 0  # a compiled step makes its own
    return {**environment(products=products), "backend": backend, "step": trainer.several.record, "data": data}


def check_same_data(run: Run, folder: Path) -> None:
    """A resumed run goes on with the rows that it began with."""
    path = folder / "environment.json"
    if not path.is_file():
        return
    try:
        before = parse_json(path.read_bytes())["data"]["fingerprint"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}); restore it, or start a new run") from None
    if before != run.dataset.fingerprint:
        raise InputError(
            f"{folder}: the data '{run.configuration['data']}' changed since (SHA-256 {before[:12]}..., now"
            f" {run.dataset.fingerprint[:12]}...); restore them, or start a new run"
        )


def open_run(folder: Path) -> tuple[Configuration, Model]:
    """The configuration and the trained model of a run folder."""
    configuration = stored(folder)
    return configuration, load_model(weights_file(folder), backend=configuration["backend"])
