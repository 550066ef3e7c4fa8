"""Training a run again from its stored configuration, and comparing the weights after each epoch with those it had.

The history of a run holds a fingerprint of the weights after each epoch (fingerprint.py); a training is a function of its configuration and
data, so the same program on the same machine gives the same ones. Nothing is written: the second training lives in memory. It ends at the
first epoch that differs, for all later ones differ too; what differs in the environment is then the first thing to look at.
Raises InputError for a run without fingerprints or epochs, and for data that changed since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npae.errors import InputError, NonFiniteError
from npae.training.configuration import stored
from npae.training.files import parse_json
from npae.training.history import History
from npae.training.loop import OnBatch, Trainer
from npae.training.run import check_same_data, environment_of, prepare


@dataclass(frozen=True)
class Epoch:
    """One epoch: its recorded and its new fingerprint, and both training losses."""

    epoch: int
    recorded: str
    found: str
    recorded_total: float
    total: float

    @property
    def same(self) -> bool:
        """Whether every bit of the weights is what it was."""
        return self.recorded == self.found


@dataclass(frozen=True)
class Replay:
    """What came of it. `environment`: what differs now, name -> (recorded, now)."""

    recorded: int
    epochs: list[Epoch]
    environment: dict[str, tuple[Any, Any]]

    @property
    def differs(self) -> Epoch | None:
        """The first epoch that differs."""
        return next((one for one in self.epochs if not one.same), None)


OnReplayed = Callable[[Epoch], None]


def replay(folder: Path, epochs: int | None = None, *, on_epoch: OnReplayed | None = None, on_batch: OnBatch | None = None) -> Replay:
    """Train the run in `folder` again, all of its recorded epochs or the first so many; nothing in the folder is touched."""
    configuration, rows = stored(folder), recorded(folder)
    if epochs is not None and not 1 <= epochs <= len(rows):
        raise InputError(f"--epochs {epochs}: the history of {folder} holds {len(rows)}; expected a number from 1 to {len(rows)}")
    run = prepare(configuration)
    check_same_data(run, folder)
    now = environment_of(run)  # at the moment at which training took it down: later, more libraries are loaded
    trainer, done = run.trainer, list[Epoch]()
    trainer.epochs = epochs or len(rows)

    def compare(trainer: Trainer) -> None:
        was, row = rows[trainer.epoch - 1], trainer.history[-1]
        done.append(Epoch(row["epoch"], was["fingerprint"], row["fingerprint"], was["train"]["total"], row["train"]["total"]))
        if on_epoch:
            on_epoch(done[-1])
        if not done[-1].same:
            trainer.epochs = trainer.epoch  # nothing can be the same after it

    try:
        trainer.run(on_epoch=compare, on_batch=on_batch, every_batch=False)
    except NonFiniteError as error:
        raise NonFiniteError(
            f"{folder}: replayed, the training ends in epoch {trainer.epoch + 1}, which the recorded one finished: {error}"
        ) from None
    return Replay(len(rows), done, differences(folder, now))


def recorded(folder: Path) -> History:
    """The history of a run, with a fingerprint in every row."""
    rows = History.read(folder / "history.jsonl")
    if not rows:
        raise InputError(f"{folder}: no epoch is recorded in its history.jsonl; train it with npae train --resume {folder}")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or row.get("epoch") != number or not isinstance(row.get("fingerprint"), str):
            raise InputError(
                f"{folder / 'history.jsonl'}:{number}: not epoch {number} with a fingerprint of its weights; see npae verify {folder}"
            )
    return rows


def differences(folder: Path, environment: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """name -> (recorded, now) for what environment.json says otherwise: "versions.numpy", "blas.0.num_threads", ..."""
    path = folder / "environment.json"
    try:
        before = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); restore it, or npae train --resume {folder} writes it again") from None
    then, now = _flat(before), _flat(json.loads(json.dumps(environment)))
    return {name: (then.get(name), now.get(name)) for name in sorted({*then, *now}) if then.get(name) != now.get(name)}


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": [1]}} as {"a.b.0": 1}"""
    if isinstance(value, Mapping):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = [(str(place), part) for place, part in enumerate(value)]
    else:
        return {prefix: value}
    return {name: leaf for key, part in parts for name, leaf in _flat(part, f"{prefix}.{key}" if prefix else str(key)).items()}
