"""Watched rows: the first rows of the training data after each epoch, dropout off, in the history and as pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from npae.cli import main
from npae.errors import InputError
from npae.figures import run_figures
from npae.noise import evaluation_seed
from npae.training.history import History
from npae.training.loop import Trainer

Make = Callable[..., Trainer]
SMALL = ["--epochs", "3", "--hidden", "8", "--backend", "numpy", "--set", "watch=12", "--quiet"]


def test_the_terms_are_those_of_the_first_rows_without_dropout_as_the_epoch_leaves_the_model(train_as: Make) -> None:
    trainer = train_as("vae", dropout=0.4, watch=9)
    seen: list[dict[str, float]] = []

    def on_epoch(trainer: Trainer) -> None:
        model, row = trainer.model, trainer.history[-1]
        noise = model.draw(evaluation_seed(trainer.seed), 0, 9)
        assert row["watched"] == pytest.approx({"total": (terms := model.loss(trainer.x[:9], noise=noise)).total, **terms}, rel=1e-6)
        seen.append(row["watched"])

    trainer.run(on_epoch=on_epoch)
    assert trainer.history.column("watched.kl") == [one["kl"] for one in seen]
    assert len(set(trainer.history.column("watched.kl"))) == len(seen)


def test_watching_changes_nothing_that_is_trained(train_as: Make) -> None:
    watched, alone = train_as("vae", watch=9), train_as("vae")
    watched.run()
    alone.run()
    assert (watched.model.parameters.value == alone.model.parameters.value).all()
    assert "watched" not in alone.history[-1]


@pytest.mark.parametrize("watch", [-1, 10**6, 1.5, True])
def test_a_number_of_rows_that_there_are_not_is_refused(watch: Any, train_as: Make) -> None:
    with pytest.raises(InputError, match=f"watch {watch} is not a (number of rows: it must be a whole number from 0 to the|whole number)"):
        train_as("vae", watch=watch)


def test_a_run_leaves_a_picture_an_epoch_and_a_resumed_one_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_figures, "draw_run", lambda run, folder: [])  # the pictures at the end are another matter
    assert main(["train", "vae", *SMALL, "--out", "straight"]) == 0
    assert main(["train", "vae", *SMALL, "--epochs", "1", "--out", "resumed"]) == 0
    assert main(["train", "--resume", "resumed", "--epochs", "3", "--quiet"]) == 0
    names = ["epoch-001.png", "epoch-002.png", "epoch-003.png"]
    for run in ("straight", "resumed"):
        assert sorted(path.name for path in (tmp_path / run / "figures" / "epochs").iterdir()) == names
    for name in names:
        pictures = [(tmp_path / run / "figures" / "epochs" / name).read_bytes() for run in ("straight", "resumed")]
        assert pictures[0] == pictures[1]
    histories = [History.read(tmp_path / run / "history.jsonl").column("watched.total") for run in ("straight", "resumed")]
    assert histories[0] == histories[1]
    assert len({(tmp_path / "straight" / "figures" / "epochs" / name).read_bytes() for name in names}) == 3
