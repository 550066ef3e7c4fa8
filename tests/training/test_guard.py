"""What the guard does about a step that is not finite: it names the place, stores the step, and stops, skips or goes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae
from npae.backend import Array
from npae.data.batches import batch_indices
from npae.errors import InputError, NonFiniteError
from npae.models import Model
from npae.training import guard as guards
from npae.training.checkpoint import restore_checkpoint, save_checkpoint
from npae.training.guard import trace
from npae.training.loop import Trainer
from npae.training.repro import read_step
from npae.training.step import TrainingStep, check_gradient

Make = Callable[..., Trainer]
State = Callable[[Trainer], dict[str, Any]]
BAD_ROW = 17


def spoilt(train_as: Make, kind: str = "vae", **settings: Any) -> Trainer:
    """A training with one row that turned bad after it was checked."""
    trainer = train_as(kind, **settings)
    trainer.x = trainer.x.copy()
    trainer.x[BAD_ROW, 5] = np.nan
    return trainer


def place_of_the_row(trainer: Trainer, epoch: int) -> tuple[int, int]:
    """In which batch of that epoch the row is, and where in it."""
    for number, rows in enumerate(batch_indices(120, 24, seed=0, epoch=epoch, shuffle=True, drop_last=False)):
        if BAD_ROW in rows:
            return number, list(rows).index(BAD_ROW)
    raise AssertionError


def test_the_line_names_node_tensor_and_rows(train_as: Make) -> None:
    trainer = spoilt(train_as)
    batch, place = place_of_the_row(trainer, 0)
    with pytest.raises(NonFiniteError) as refused:
        trainer.run()
    said = str(refused.value)
    assert said.startswith(f"step {batch + 1} (epoch 1, batch {batch + 1} of 5): loss is nan: row {place} of the batch")
    assert said.endswith(f"; first in batch: x[{place}, 5] is nan, batch rows {place} (training rows {BAD_ROW})")
    assert "\n" not in said


def test_skip_leaves_that_batch_out_and_is_otherwise_the_same_training(train_as: Make) -> None:
    trainer = spoilt(train_as, guard="skip", epochs=2)
    history = trainer.run()
    other = train_as("vae", epochs=2)
    step, seen = TrainingStep(other.model, other.optimizer, 0), [0, 0]
    for epoch in range(2):
        for rows in batch_indices(120, 24, seed=0, epoch=epoch, shuffle=True, drop_last=False):
            if BAD_ROW not in rows:
                step(other.x[rows])
                seen[epoch] += 1
    assert seen == [4, 4]
    assert trainer.model.parameters.value.tobytes() == other.model.parameters.value.tobytes()
    assert history.column("batches") == [4, 4]
    assert history.column("step") == [4, 8]
    for epoch, row in enumerate(history):
        (incident,) = row["guard"]
        batch, _ = place_of_the_row(trainer, epoch)
        assert (incident["action"], incident["batch"], incident["node"], incident["tensor"]) == ("skip", batch + 1, "batch", "x")
        assert incident["rows"] == [BAD_ROW]
        json.dumps(row, allow_nan=False)
    assert [line.rpartition(": ")[2] for line in trainer.guarded.lines] == ["batch skipped"] * 2


def test_skipping_cannot_help_where_the_weights_are_not_finite(train_as: Make) -> None:
    trainer = train_as("vae", guard="skip")
    trainer.model.parameters["decoder.0.b"].value[3] = np.inf
    with pytest.raises(NonFiniteError, match=r"first in decoder.0 \(Dense\): b\[3\] is inf; guard=skip cannot help"):
        trainer.run()
    assert trainer.batch == 0


def test_an_epoch_without_a_batch_left_ends_the_training(train_as: Make) -> None:
    trainer = train_as("ae", guard="skip")
    trainer.x = np.full_like(trainer.x, np.nan)
    with pytest.raises(NonFiniteError, match=r"batch 5 of 5.*skipped every other batch"):
        trainer.run()
    assert len(trainer.guarded.incidents) == 4


def bursting(trainer: Trainer, epoch: int, batch: int, times: int = 1) -> Trainer:
    """Its step before which `batch` batches of that epoch are done is not finite, until the learning rate was halved so often."""
    step, target = trainer.take_step, epoch * trainer.batches + batch

    def failing(x: Array, *given: Array) -> Any:
        if trainer.optimizer.steps == target and trainer.guarded.halvings < times:
            raise NonFiniteError("as if")
        return step(x, *given)

    trainer.take_step = failing  # type: ignore[assignment]
    if trainer.several.compiled:
        run = trainer.several.compiled.run

        def ending(batches: Any) -> Any:
            """As compiled code does: the steps before it, and then no more."""
            left = target - trainer.optimizer.steps
            few = batches[: max(0, left)] if left < len(batches) and left >= 0 and trainer.guarded.halvings < times else batches
            return run(few) if len(few) else []

        trainer.several.compiled.run = ending  # type: ignore[method-assign]
    return trainer


FORMS = {"ordinary": {}, "compiled": {"backend": "numba", "step": "compiled"}}


@pytest.mark.parametrize("form", FORMS)
def test_halve_goes_back_to_the_epochs_beginning_with_half_the_learning_rate(form: str, train_as: Make) -> None:
    trainer = bursting(train_as("vae", guard="halve", learning_rate=0.008, **FORMS[form]), 0, 3, times=2)
    history = trainer.run()
    other = train_as("vae", learning_rate=0.002, **FORMS[form])
    other.run()
    assert trainer.model.parameters.value.tobytes() == other.model.parameters.value.tobytes()
    assert history.column("fingerprint") == other.history.column("fingerprint")
    assert history.column("learning_rate") == [0.002] * 4
    assert [(row["action"], row["batch"], row["learning_rate"]) for row in history[0]["guard"]] == [
        ("halve", 4, 0.004),
        ("halve", 4, 0.002),
    ]
    assert trainer.guarded.lines[1].endswith("as if: back to the beginning of epoch 1 with learning rate 0.002")


def test_halve_in_a_later_epoch_leaves_the_earlier_ones(train_as: Make) -> None:
    trainer = bursting(train_as("vae", guard="halve"), 2, 1)
    history, other = trainer.run(), train_as("vae")
    other.run()
    assert history.column("fingerprint")[:2] == other.history.column("fingerprint")[:2]
    assert history.column("learning_rate") == [2e-3, 2e-3, 1e-3, 1e-3]
    assert ["guard" in row for row in history] == [False, False, True, False]


def test_halving_cannot_help_where_the_epoch_begins_with_it(train_as: Make) -> None:
    with pytest.raises(NonFiniteError, match=r"batch 1 of 5\): as if; guard=halve cannot help"):
        bursting(train_as("vae", guard="halve"), 1, 0).run()


def test_halve_gives_up_after_so_many_times(train_as: Make) -> None:
    trainer = spoilt(train_as, guard="halve")
    assert place_of_the_row(trainer, 0)[0] > 0
    with pytest.raises(NonFiniteError, match=r"row \d+ of the batch.*; after 20 halvings"):
        trainer.run()
    assert trainer.guarded.halvings == guards.HALVINGS


@pytest.mark.parametrize("where", [(0, 1), (0, 3), (1, 2)])
def test_a_guarded_training_that_was_stored_in_mid_epoch_goes_on_bit_for_bit(
    where: tuple[int, int], train_as: Make, state_of: State, stop_at: Any, tmp_path: Path
) -> None:
    """The step that is not finite may come after the stop: what it goes back to is the beginning of an epoch of another process."""
    straight, stopped, resumed = (bursting(train_as("ae", guard="halve", epochs=3), where[0], 3) for _ in range(3))
    straight.run()
    assert straight.guarded.halvings == 1
    stop_at(stopped, *where)
    save_checkpoint(stopped, tmp_path)
    restore_checkpoint(resumed, tmp_path)
    resumed.run()
    assert state_of(resumed) == state_of(straight)
    assert resumed.optimizer.learning_rate == straight.optimizer.learning_rate


def test_a_validation_that_is_not_finite_is_answered_by_going_back(train_as: Make) -> None:
    trainer = train_as("vae", guard="halve", learning_rate=1e30, batch_size=1000, validation=0.2, epochs=1)
    with pytest.raises(NonFiniteError, match="validation after epoch 1"):
        trainer.run()
    assert trainer.guarded.halvings == guards.HALVINGS  # a millionth of 1e30 is still too much
    assert len(trainer.history) == 0


@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_the_stored_step_is_that_step(kind: str, train_as: Make, tmp_path: Path) -> None:
    trainer = spoilt(train_as, kind)
    trainer.guarded.folder = tmp_path / "guard"
    with pytest.raises(NonFiniteError) as refused:
        trainer.run()
    (path,) = (tmp_path / "guard").iterdir()
    assert str(refused.value).endswith(f"; see npae replay-step {path}")
    step = read_step(path)
    batch, place = place_of_the_row(trainer, 0)
    assert (step.steps, step.rows[place], step.seed, step.model.kind) == (batch, BAD_ROW, 0, kind)
    assert step.model.parameters.value.tobytes() == trainer.model.parameters.value.tobytes()
    assert step.optimizer.m.tobytes() == trainer.optimizer.m.tobytes()
    assert step.optimizer.v.tobytes() == trainer.optimizer.v.tobytes()
    assert np.array_equal(step.x, trainer.x[step.rows], equal_nan=True)
    first = trace(step).first
    assert first is not None
    assert (first.node, first.rows) == ("batch", (place,))


def test_the_stored_step_of_a_finite_batch_makes_the_same_next_weights(train_as: Make, tmp_path: Path) -> None:
    """All that the step depends on is in the file: taken up from there, with the schedule's learning rate, it is the training's own."""
    from npae.training.repro import Step, write_step

    trainer = train_as("vae", schedule="cosine", warmup=3, dropout=0.2, clip_norm=0.5, epochs=1)
    rows = trainer.coming_rows()
    assert rows is not None
    for _ in range(2):
        trainer.take_step(*trainer.inputs(rows)[:1])
    step = read_step(write_step(tmp_path / "step.safetensors", Step.of(trainer, rows, "")))
    trainer.take_step(*trainer.inputs(rows)[:1])
    TrainingStep(step.model, step.optimizer, step.seed)(step.x)
    assert step.model.parameters.value.tobytes() == trainer.model.parameters.value.tobytes()


def test_only_the_first_few_steps_are_stored(train_as: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "FILES", 2)
    trainer = spoilt(train_as, guard="skip")
    trainer.guarded.folder = tmp_path / "guard"
    trainer.run()
    assert len(trainer.history) == 4
    assert len(list((tmp_path / "guard").iterdir())) == 2


def test_a_gradient_that_is_not_finite_stops_before_anything_moves(train_as: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = train_as("ae")
    before = trainer.model.parameters.value.copy()
    backward = type(trainer.model).backward

    def spoil(self: Any) -> None:
        backward(self)
        self.parameters["decoder.0.W"].grad[0, 0] = np.inf

    monkeypatch.setattr(type(trainer.model), "backward", spoil)
    with pytest.raises(NonFiniteError, match=r"step 1 .*: the gradient of decoder.0.W is not finite"):
        trainer.run()
    assert trainer.model.parameters.value.tobytes() == before.tobytes()
    assert trainer.optimizer.steps == 0


def test_a_gradient_whose_square_is_not_finite_is_refused_unless_it_is_clipped(train_as: Make) -> None:
    model = train_as("ae").model
    model.parameters.zero_grad()
    model.parameters["encoder.0.b"].grad[2] = 1e25
    with pytest.raises(NonFiniteError, match=r"the square of the gradient of encoder\.0\.b is not finite"):
        check_gradient(model, clipped=False)
    check_gradient(model, clipped=True)
    model.parameters.grad[...] = 1.7e19  # each square is finite, their sum is not
    check_gradient(model, clipped=False)


def test_an_unknown_guard_is_refused(train_as: Make, rows: Array) -> None:
    with pytest.raises(InputError, match=r"guard 'hop'"):
        train_as("ae", guard="hop")
    with pytest.raises(InputError, match=r"guard 'hop' is not one of stop, skip, halve"):
        npae.fit(npae.AE(64, (8,), 2, backend="numpy"), rows, epochs=1, guard="hop")


def test_fit_takes_a_guard(rows: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    model, calls = npae.VAE(64, (8,), 2, backend="numpy"), iter(range(100))
    made = Model.forward_backward

    def failing(self: Model, *arguments: Any) -> Any:
        if next(calls) == 2:
            raise NonFiniteError("as if")
        return made(self, *arguments)

    monkeypatch.setattr(Model, "forward_backward", failing)
    history = npae.fit(model, rows, epochs=2, batch_size=24, guard="skip")
    assert history.column("batches") == [4, 5]
