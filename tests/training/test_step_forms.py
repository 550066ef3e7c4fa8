"""A training with compiled steps: the same history up to rounding, the same interruptions and errors, and a record of what was chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae
import npae.training.step as step_module
from npae.backend import Array
from npae.errors import InputError, NonFiniteError
from npae.models import Terms
from npae.training.configuration import resolve
from npae.training.loop import Trainer
from npae.training.run import describe, prepare

Make = Callable[..., Trainer]
COMPILED = {"backend": "numba", "step": "compiled", "batch_size": 50}  # two batches of 50 rows and one of 20


@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_the_history_is_that_of_ordinary_steps(kind: str, train_as: Make) -> None:
    settings = COMPILED | {"dtype": "float64", "dropout": 0.1, "validation": 0.2, "watch": 9}
    compiled, ordinary = train_as(kind, **settings), train_as(kind, **settings | {"step": "ordinary"})
    assert compiled.several.compiled is not None
    assert ordinary.several.compiled is None
    histories = [trainer.run() for trainer in (compiled, ordinary)]
    rounded = dict.fromkeys(("seconds", "train", "validation", "watched", "fingerprint"))
    for found, expected in zip(*histories, strict=True):
        assert {**found, **rounded} == {**expected, **rounded}
        for part in ("train", "validation", "watched"):
            assert found[part] == pytest.approx(expected[part], rel=1e-8)


@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_a_training_that_is_interrupted_and_goes_on_gives_the_same_bits(kind: str, train_as: Make, state_of: Any, stop_at: Any) -> None:
    straight, stopped = train_as(kind, **COMPILED), train_as(kind, **COMPILED)
    straight.run()
    for epoch, batch in ((0, 1), (2, 2), (3, None)):
        stop_at(stopped, epoch, batch)
    stopped.run()
    assert state_of(stopped) == state_of(straight)


def test_on_batch_is_called_after_each_batch_if_every_one_is_asked_for(train_as: Make) -> None:
    seen: list[tuple[int, int, int]] = []

    def on_batch(trainer: Trainer, terms: Terms) -> None:
        seen.append((trainer.epoch, trainer.batch, trainer.optimizer.steps))

    train_as("ae", **COMPILED).run(on_batch=on_batch)
    assert seen == [(epoch, batch, 3 * epoch + batch) for epoch in range(4) for batch in (1, 2, 3)]
    trainer = train_as("ae", **COMPILED)
    trainer.several.seconds = 1e-9  # so that all that are left take no time
    several: list[int] = []
    trainer.run(on_batch=lambda trainer, terms: several.append(trainer.batch), every_batch=False)
    assert several[:2] == [2, 3]


def test_a_loss_that_is_not_finite_is_reported_as_by_ordinary_steps(train_as: Make) -> None:
    errors = []
    for step in ("compiled", "ordinary"):
        trainer = train_as("ae", **COMPILED | {"step": step, "learning_rate": 1e30})
        with pytest.raises(NonFiniteError) as raised:
            trainer.run()
        errors.append(str(raised.value))
    assert errors[0] == errors[1]
    assert errors[0].startswith("step 2 (epoch 1, batch 2 of 3): loss is ")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"clip_norm": 1.0}, "clip_norm 1.0"),
        ({"binarise": "dynamic"}, "binarise dynamic"),
        ({"backend": "numpy"}, "backend numpy"),
    ],
)
def test_what_a_compiled_step_does_not_cover_is_refused_in_one_line(settings: dict[str, Any], reason: str, train_as: Make) -> None:
    with pytest.raises(InputError, match=f"^step 'compiled' does not cover {reason}.*; take step auto or ordinary$"):
        train_as("vae", **COMPILED | settings)


def test_auto_compiles_where_an_epoch_is_long_enough_and_covered(train_as: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    short = train_as("ae", backend="numba", step="auto")
    assert short.several.record["form"] == "ordinary"
    assert short.several.record["why"].endswith("multiplications in an epoch: compiling pays from 1e+10")
    monkeypatch.setattr(step_module, "WORTH", 1e5)
    assert train_as("ae", backend="numba", step="auto").several.record["form"] == "compiled"
    refused = train_as("ae", backend="numba", step="auto", clip_norm=1.0)
    assert refused.several.record["form"] == "ordinary"
    assert refused.several.record["why"].startswith("not covered: clip_norm 1.0")


def test_the_number_of_epochs_does_not_choose_the_form(train_as: Make) -> None:
    """A run that is resumed for more epochs would otherwise go on with other roundings than one that was never stopped."""
    records = [train_as("ae", backend="numba", step="auto", epochs=epochs).several.record for epochs in (1, 10**6)]
    assert records[0] == records[1]


def test_the_run_record_says_which_step_and_why(few_digits: Path, tmp_path: Path) -> None:
    run = prepare(resolve("ae", flags={"data": str(few_digits), "hidden": [8], "backend": "numba", "step": "compiled"}))
    describe(run, tmp_path)
    assert json.loads((tmp_path / "environment.json").read_text())["step"] == {"form": "compiled", "why": "as asked"}


def test_fit_takes_the_form_too(rows: Array) -> None:
    models = [npae.AE(64, (8,), 2, dtype="float64", seed=1) for _ in range(2)]
    for model, step in zip(models, ("compiled", "ordinary"), strict=True):
        npae.fit(model, rows, epochs=2, batch_size=50, step=step)
    np.testing.assert_allclose(models[0].parameters.value, models[1].parameters.value, atol=1e-9)
