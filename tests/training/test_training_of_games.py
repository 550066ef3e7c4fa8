"""A training of two players: the settings it starts from, that it stops and goes on bit for bit, and that it keeps no best epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae
from npae.backend import Array
from npae.errors import InputError
from npae.models import GAN, MODELS, VAE
from npae.training.checkpoint import restore_checkpoint, save_checkpoint
from npae.training.configuration import resolve, stored
from npae.training.loop import Trainer
from npae.training.model_file import load, save
from npae.training.options import OPTIONS, help_text

Make = Callable[..., Trainer]
State = Callable[[Trainer], dict[str, Any]]
StopAt = Callable[[Trainer, int, int | None], None]

GAMES = ("gan", "wae-gan")


@pytest.mark.parametrize("kind", GAMES)
@pytest.mark.parametrize("stop", [(0, 1), (1, 2), (1, -1), (2, None)])
def test_a_resumed_game_is_the_uninterrupted_one_byte_for_byte(
    kind: str, stop: tuple[int, int | None], train_as: Make, state_of: State, stop_at: StopAt, tmp_path: Path
) -> None:
    settings = {"discriminator_hidden": [6], "dropout": 0.2, "validation": 0.2}
    straight = train_as(kind, **settings)
    straight.run()
    stopped = train_as(kind, **settings)
    stop_at(stopped, *stop)
    save_checkpoint(stopped, tmp_path)
    resumed = train_as(kind, **settings)
    restore_checkpoint(resumed, tmp_path)
    resumed.run()
    assert state_of(resumed) == state_of(straight)


@pytest.mark.parametrize("kind", GAMES)
def test_the_same_seed_gives_the_same_game_and_another_seed_another(kind: str, train_as: Make, state_of: State) -> None:
    trainers = [train_as(kind, discriminator_hidden=[6], epochs=2, seed=seed) for seed in (3, 3, 4)]
    for trainer in trainers:
        trainer.run()
    first, again, other = (state_of(trainer)["parameters"] for trainer in trainers)
    assert first == again != other


@pytest.mark.parametrize("kind", GAMES)
def test_no_epoch_of_a_game_is_the_best_one(kind: str, train_as: Make, tmp_path: Path) -> None:
    trainer = train_as(kind, discriminator_hidden=[6], epochs=2, validation=0.2)
    trainer.run()
    assert (trainer.best.epoch, trainer.history.best_epoch) == (0, None)
    assert all(set(row["validation"]) >= {"total", "discriminator"} for row in trainer.history)
    save_checkpoint(trainer, tmp_path)
    assert not (tmp_path / "checkpoint" / "best.safetensors").exists()


@pytest.mark.parametrize("kind", GAMES)
def test_patience_is_refused_for_a_game(kind: str, train_as: Make) -> None:
    with pytest.raises(InputError, match=f"patience 2: the losses of a {kind} cannot be compared between epochs"):
        train_as(kind, patience=2, validation=0.2)


def test_a_game_in_a_file_is_the_same_after_loading(tmp_path: Path, rows: Array) -> None:
    model = GAN(64, (9,), 3, discriminator_hidden=(7, 5), label_smoothing=0.2)
    npae.fit(model, rows, epochs=1)
    again = load(save(model, tmp_path / "gan.safetensors"))
    assert again.spec == {**model.spec, "backend": None, "hidden": [9], "discriminator_hidden": [7, 5]}
    np.testing.assert_array_equal(again.sample(4), model.sample(4))


def test_a_kinds_own_settings_of_adam_stand_between_the_defaults_and_what_is_given(tmp_path: Path) -> None:
    own = resolve("gan")
    assert (own["learning_rate"], own.origins["learning_rate"]) == (GAN.training_defaults["learning_rate"], "model")
    assert (own["beta1"], own.origins["beta1"]) == (0.5, "model")
    assert (own["beta2"], own.origins["beta2"]) == (0.999, "default")
    given = resolve("gan", flags={"beta1": 0.7})
    assert (given["beta1"], given.origins["beta1"]) == (0.7, "flag")
    assert resolve("vae")["beta1"] == 0.9
    (tmp_path / "config.toml").write_text(own.as_toml())
    assert stored(tmp_path).values == own.values
    assert stored(tmp_path).origins == {key: origin for key, origin in own.origins.items() if own.values[key] is not None} | {
        key: "default" for key, value in own.values.items() if value is None
    }


def test_every_own_setting_of_a_kind_stands_in_the_help() -> None:
    for kind, model in MODELS.items():
        for key, value in model.training_defaults.items():
            assert f"{kind}: {value}" in help_text(OPTIONS[key])


def test_fit_starts_from_the_kinds_own_settings_unless_it_is_given_others(monkeypatch: pytest.MonkeyPatch, rows: Array) -> None:
    made: list[tuple[float, float]] = []
    original = npae.Adam.update

    def update(self: npae.Adam) -> None:
        made.append((self.learning_rate, self.beta1))
        original(self)

    monkeypatch.setattr(npae.Adam, "update", update)
    for model, given in ((GAN(64, (5,), 2), {}), (GAN(64, (5,), 2), {"learning_rate": 0.03}), (VAE(64, (5,), 2), {})):
        npae.fit(model, rows[:10], epochs=1, **given)  # type: ignore[arg-type]
    assert made == [(GAN.training_defaults["learning_rate"], 0.5), (0.03, 0.5), (1e-3, 0.9)]
