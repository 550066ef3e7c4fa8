"""Validation, the best weights, and patience: which epoch is kept, and when a training stops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import npae
from npae.backend import Array
from npae.training import loop
from npae.training.averages import Averages, evaluate_terms
from npae.training.loop import Trainer

Make = Callable[..., Trainer]
Script = Callable[[Sequence[float]], None]


@pytest.fixture
def validation_losses(monkeypatch: pytest.MonkeyPatch) -> Script:
    """validation_losses([3, 2, ...]): what the validation of each epoch shall find."""

    def script(losses: Sequence[float]) -> None:
        coming = iter(losses)

        def scripted(*arguments: Any, **named: Any) -> Averages:
            return Averages({"total": next(coming)}, rows=1, batches=1, weights={})

        monkeypatch.setattr(loop, "evaluate_terms", scripted)

    return script


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([5, 4, 3, 2, 1], 2, 5, 5),  # always better: never stopped
        ([5, 4, 6, 6, 6], 2, 4, 2),  # two epochs without a better one
        ([5, 4, 6, 3, 6, 6, 6], 2, 6, 4),  # a better one starts the count again
        ([5, 5, 5, 5], 2, 3, 1),  # equal is not better
        ([1, 2, 3], 1, 2, 1),
        ([5, 6, 7, 8, 4], 4, 5, 5),  # better at the last moment
        ([5, 6, 7, 8, 9, 1], 4, 5, 1),  # too late
        ([5, 6, 7, 8, 4, 9], 0, 6, 5),  # no patience: all epochs, the best one known all the same
    ],
)
def test_patience_counts_the_epochs_since_the_best_one(
    losses: list[float], patience: int, epochs: int, best: int, train_as: Make, validation_losses: Script
) -> None:
    validation_losses(losses)
    trainer = train_as("ae", epochs=len(losses), validation=0.2, patience=patience)
    history = trainer.run()
    assert (len(history), trainer.epoch) == (epochs, epochs)
    assert (trainer.best.epoch, trainer.best.loss, history.best_epoch) == (best, min(losses[:epochs]), best)
    assert trainer.stopped_early == (bool(patience) and epochs - best >= patience)


def test_the_kept_weights_are_those_at_the_end_of_the_best_epoch(train_as: Make, validation_losses: Script) -> None:
    validation_losses([5, 3, 4, 4])
    seen: dict[int, bytes] = {}
    trainer = train_as("vae", epochs=4, validation=0.2, patience=2)
    trainer.run(on_epoch=lambda trainer: seen.update({trainer.epoch: trainer.model.parameters.value.tobytes()}))
    assert trainer.best.parameters is not None
    assert trainer.best.parameters.tobytes() == seen[2]
    assert trainer.model.parameters.value.tobytes() == seen[4]
    trainer.use_best()
    assert trainer.model.parameters.value.tobytes() == seen[2]


def test_the_kept_weights_are_a_copy_that_training_does_not_touch(train_as: Make, validation_losses: Script) -> None:
    validation_losses([1, 2, 3])
    kept: list[bytes] = []

    def on_epoch(trainer: Trainer) -> None:
        assert trainer.best.parameters is not None
        kept.append(trainer.best.parameters.tobytes())

    train_as("ae", epochs=3, validation=0.2).run(on_epoch=on_epoch)
    assert kept[0] == kept[1] == kept[2]


def test_fit_leaves_the_best_weights_in_the_model_when_it_may_stop_early(validation_losses: Script) -> None:
    x = np.random.default_rng(0).random((40, 6))
    seen: list[bytes] = []
    model = npae.AE(6, (5,), 2, backend="numpy")
    validation_losses([3, 1, 2, 2, 2])
    options: dict[str, Any] = {"epochs": 5, "batch_size": 10, "validation": x[:10], "patience": 2}
    history = npae.fit(model, x, **options, on_epoch=lambda trainer: seen.append(trainer.model.parameters.value.tobytes()))
    assert len(history) == len(seen) == 4
    assert history.best_epoch == 2
    assert model.parameters.value.tobytes() == seen[1]


def test_the_validation_loss_is_that_of_the_weights_after_the_epoch(train_as: Make) -> None:
    trainer = train_as("vae", epochs=1, validation=0.25)
    trainer.run()
    assert trainer.validation is not None
    again = evaluate_terms(trainer.model, trainer.validation, batch_size=24, seed=0).mean()
    assert trainer.history[0]["validation"] == again
    assert trainer.best.loss == again["total"]


def test_validation_does_not_change_what_is_learned(rows: Array) -> None:
    ends = []
    for validation in (None, rows[:30]):
        model = npae.VAE(64, (8,), 2, backend="numpy", dropout=0.2)
        npae.fit(model, rows, epochs=2, batch_size=24, validation=validation)
        ends.append(model.parameters.value.tobytes())
    assert ends[0] == ends[1]


def test_validation_is_without_dropout_and_the_same_at_every_call(rows: Array) -> None:
    model, plain = (npae.VAE(64, (8,), 2, backend="numpy", dropout=rate) for rate in (0.5, 0.0))
    first, second = (evaluate_terms(model, rows, batch_size=50, seed=3).mean() for _ in range(2))
    assert first == second
    assert first == evaluate_terms(plain, rows, batch_size=50, seed=3).mean()


def test_patience_without_validation_is_refused(train_as: Make) -> None:
    with pytest.raises(npae.InputError, match="patience 3 needs validation"):
        train_as("ae", patience=3)


@pytest.mark.parametrize("patience", [-1, 1.5, True])
def test_a_patience_that_is_no_number_of_epochs_is_refused(patience: Any) -> None:
    x = np.random.default_rng(0).random((40, 6))
    with pytest.raises(npae.InputError, match=f"patience {patience}"):
        npae.fit(npae.AE(6, (5,), 2, backend="numpy"), x, epochs=2, validation=x, patience=patience)
