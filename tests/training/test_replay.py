"""Replaying a run finds the same weights after each epoch, or the first epoch that differs and what differs around it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError, NonFiniteError
from npae.training.configuration import resolve
from npae.training.fingerprint import fingerprint, fingerprint_of
from npae.training.history import History
from npae.training.replay import replay
from npae.training.run import describe, make_folder, prepare

RunAs = Callable[..., Path]


@pytest.fixture
def run_as(few_digits: Path, tmp_path: Path) -> RunAs:
    """run_as("vae", dropout=0.1): a run folder, trained."""

    def make(kind: str, **settings: Any) -> Path:
        small = {"data": str(few_digits), "hidden": [8], "latent": 2, "batch_size": 24, "epochs": 3, "backend": "numpy"}
        training, folder = prepare(resolve(kind, flags=small | settings)), tmp_path / "run"
        make_folder(folder)
        describe(training, folder)
        training.trainer.run().write(folder / "history.jsonl")
        return folder

    return make


FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "ordinary": ("vae", {"dropout": 0.1, "validation": 0.2, "schedule": "cosine"}),
    "compiled": ("wae", {"backend": "numba", "step": "compiled", "validation": "none"}),
    "dynamic binarisation": ("vae", {"binarise": "dynamic"}),
    "stopped early": ("ae", {"patience": 1, "validation": 0.2, "learning_rate": 1.0, "epochs": 9}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_run_that_is_replayed_is_the_same_and_is_not_touched(form: str, run_as: RunAs) -> None:
    kind, settings = FORMS[form]
    folder = run_as(kind, **settings)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found = replay(folder)
    assert found.differs is None
    assert found.environment == {}
    assert [one.epoch for one in found.epochs] == [row["epoch"] for row in History.read(folder / "history.jsonl")]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_first_epoch_that_differs_is_found_and_the_replay_ends_there(run_as: RunAs) -> None:
    folder = run_as("vae")
    rows = History.read(folder / "history.jsonl")
    rows[1]["fingerprint"] = rows[2]["fingerprint"] = "0" * 32
    rows.write(folder / "history.jsonl")
    environment = json.loads((folder / "environment.json").read_text())
    environment["versions"]["numpy"] = "1.0"
    (folder / "environment.json").write_text(json.dumps(environment))
    found = replay(folder)
    assert found.differs is not None
    assert (found.differs.epoch, found.differs.recorded, len(found.epochs)) == (2, "0" * 32, 2)
    assert found.differs.total == pytest.approx(rows[1]["train"]["total"], rel=1e-12)
    assert found.environment == {"versions.numpy": ("1.0", np.__version__)}
    assert replay(folder, 1).differs is None


def test_another_seed_in_the_configuration_shows_in_the_first_epoch(run_as: RunAs) -> None:
    folder = run_as("vae")
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("\nseed = 0\n", "\nseed = 1\n"))
    found = replay(folder)
    assert found.differs is not None
    assert (found.differs.epoch, len(found.epochs)) == (1, 1)


def test_a_replay_that_bursts_where_the_run_did_not_says_so(run_as: RunAs) -> None:
    folder = run_as("vae")
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("learning_rate = 0.002", "learning_rate = 1e12"))
    with pytest.raises(NonFiniteError, match="replayed, the training ends in epoch 1, which the recorded one finished: step"):
        replay(folder)


@pytest.mark.parametrize("epochs", [0, -1, 4])
def test_epochs_that_are_not_recorded_are_refused(epochs: int, run_as: RunAs) -> None:
    with pytest.raises(InputError, match=rf"--epochs {epochs}: .* from 1 to 3"):
        replay(run_as("ae"), epochs)


def test_a_history_without_fingerprints_is_refused(run_as: RunAs) -> None:
    folder = run_as("ae")
    rows = History.read(folder / "history.jsonl")
    del rows[2]["fingerprint"]
    rows.write(folder / "history.jsonl")
    with pytest.raises(InputError, match=r"history.jsonl:3: not epoch 3 with a fingerprint"):
        replay(folder)
    (folder / "history.jsonl").write_text("")
    with pytest.raises(InputError, match="no epoch is recorded"):
        replay(folder)


def test_data_that_changed_are_refused(run_as: RunAs, few_digits: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.npy"
    own.write_bytes(few_digits.read_bytes())
    folder = run_as("ae", data=str(own))
    np.save(own, np.load(own)[::-1])
    with pytest.raises(InputError, match="changed since"):
        replay(folder)


def test_a_fingerprint_sees_one_bit_and_the_sign_of_zero(train_as: Any) -> None:
    trainer = train_as("ae", epochs=1)
    history = trainer.run()
    assert history[0]["fingerprint"] == fingerprint_of(trainer.model) == fingerprint(trainer.model.parameters.value)
    assert len(history[0]["fingerprint"]) == 32
    theta = np.zeros(5, np.float32)
    names = {fingerprint(theta)}
    theta[3] = -0.0
    names.add(fingerprint(theta))
    theta[3] = np.nextafter(np.float32(0), np.float32(1))
    names.add(fingerprint(theta))
    assert len(names) == 3
