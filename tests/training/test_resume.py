"""A training that was stopped, stored and continued ends where the uninterrupted one ends, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.models import Terms
from npae.training.checkpoint import restore_checkpoint, save_checkpoint
from npae.training.loop import Trainer

Make = Callable[..., Trainer]
State = Callable[[Trainer], dict[str, Any]]
StopAt = Callable[[Trainer, int, int | None], None]

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "ae": ("ae", {}),
    "vae": ("vae", {}),
    "wae": ("wae", {}),
    "float64": ("vae", {"dtype": "float64"}),
    "validation and patience": ("vae", {"validation": 0.2, "patience": 3}),
    "wae with validation": ("wae", {"validation": 0.2, "patience": 2}),
    "dropout": ("ae", {"dropout": 0.3}),
    "dropout in a vae with two hidden layers": ("vae", {"hidden": [9, 7], "dropout": 0.2}),
    "dynamic binarisation": ("vae", {"binarise": "dynamic"}),
    "dynamic binarisation and validation": ("vae", {"binarise": "dynamic", "validation": 0.2}),
    "schedule with warm-up": ("vae", {"schedule": "cosine", "warmup": 7, "kl_warmup": 11}),
    "step schedule, clipping, epsilon as in Keras": ("wae", {"schedule": "step", "clip_norm": 0.5, "epsilon_placement": "uncorrected"}),
    "a last batch that is not full": ("wae", {"batch_size": 50}),
    "a last batch that is dropped": ("ae", {"batch_size": 50, "drop_last": True}),
    "in the order of the rows": ("ae", {"shuffle": False}),
}
STOPS: dict[str, tuple[int, int | None]] = {  # finished epochs, and finished batches of the one under way; see `stop_at`
    "after the first batch": (0, 1),
    "in the middle of an epoch": (1, 2),
    "after an epoch's last batch, before its end": (1, -1),
    "at an epoch's end": (2, None),
}


@pytest.mark.parametrize("place", STOPS)
@pytest.mark.parametrize("name", SETTINGS)
def test_a_resumed_training_is_the_uninterrupted_one_byte_for_byte(
    name: str, place: str, train_as: Make, state_of: State, stop_at: StopAt, tmp_path: Path
) -> None:
    kind, settings = SETTINGS[name]
    straight = train_as(kind, **settings)
    straight.run()

    stopped = train_as(kind, **settings)
    stop_at(stopped, *STOPS[place])
    save_checkpoint(stopped, tmp_path)
    resumed = train_as(kind, **settings)
    restore_checkpoint(resumed, tmp_path)
    assert state_of(resumed) == state_of(stopped)
    resumed.run()
    assert state_of(resumed) == state_of(straight)
    assert resumed.history.best_epoch == straight.history.best_epoch


def test_a_training_stopped_at_every_batch_is_the_uninterrupted_one(train_as: Make, state_of: State, tmp_path: Path) -> None:
    settings = {"validation": 0.2, "patience": 2, "dropout": 0.1, "epochs": 2}
    straight = train_as("vae", **settings)
    straight.run()

    def always(trainer: Trainer, terms: Terms) -> None:
        raise KeyboardInterrupt

    resumed = train_as("vae", **settings)
    for _ in range(2 * resumed.batches):
        with pytest.raises(KeyboardInterrupt):
            resumed.run(on_batch=always)
        save_checkpoint(resumed, tmp_path)
        resumed = train_as("vae", **settings)
        restore_checkpoint(resumed, tmp_path)
    resumed.run(on_batch=always)
    assert state_of(resumed) == state_of(straight)


def test_resuming_a_finished_training_changes_nothing(train_as: Make, state_of: State, tmp_path: Path) -> None:
    done = train_as("ae")
    done.run()
    save_checkpoint(done, tmp_path)
    again = train_as("ae")
    restore_checkpoint(again, tmp_path)
    assert again.finished
    again.run()
    assert state_of(again) == state_of(done)


def test_more_epochs_after_a_finished_training_are_those_of_a_longer_one(train_as: Make, state_of: State, tmp_path: Path) -> None:
    longer = train_as("vae", epochs=5)
    longer.run()
    short = train_as("vae", epochs=3)
    short.run()
    save_checkpoint(short, tmp_path)
    resumed = train_as("vae", epochs=5)
    restore_checkpoint(resumed, tmp_path)
    resumed.run()
    assert state_of(resumed) == state_of(longer)


def test_another_learning_rate_would_not_have_gone_unnoticed(train_as: Make, state_of: State) -> None:
    one, other = train_as("vae", learning_rate=1e-3), train_as("vae", learning_rate=1.0001e-3)
    one.run()
    other.run()
    assert state_of(one) != state_of(other)


def test_the_seconds_of_an_interrupted_epoch_go_on_counting(train_as: Make, stop_at: StopAt, tmp_path: Path) -> None:
    stopped = train_as("ae")
    stop_at(stopped, 0, 2)
    stopped.seconds = 100.0
    save_checkpoint(stopped, tmp_path)
    resumed = train_as("ae")
    restore_checkpoint(resumed, tmp_path)
    resumed.run()
    assert 100.0 <= resumed.history[0]["seconds"] < 200.0


def test_a_resumed_model_is_in_float32_if_it_was(train_as: Make, stop_at: StopAt, tmp_path: Path) -> None:
    stopped = train_as("ae")
    stop_at(stopped, 0, 2)
    save_checkpoint(stopped, tmp_path)
    resumed = train_as("ae")
    restore_checkpoint(resumed, tmp_path)
    assert {array.dtype for array in (resumed.model.parameters.value, resumed.optimizer.m, resumed.optimizer.v)} == {np.dtype("float32")}
