"""A loss that is not finite stops the training, says where, and leaves what was stored before as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae
from npae.backend import Array
from npae.errors import InputError, NonFiniteError
from npae.models import Model
from npae.training.checkpoint import restore_checkpoint, save_checkpoint
from npae.training.loop import Trainer

Make = Callable[..., Trainer]
State = Callable[[Trainer], dict[str, Any]]


def poison(trainer: Trainer, monkeypatch: pytest.MonkeyPatch, at_step: int) -> None:
    """Put a NaN among the parameters right before that step (counted from 1)."""
    before = Model.forward_backward

    def forward_backward(self: Model, *arguments: Any, **named: Any) -> Any:
        if trainer.optimizer.steps == at_step - 1:
            self.parameters["decoder.0.W"].value[0, 0] = np.nan
        return before(self, *arguments, **named)

    monkeypatch.setattr(Model, "forward_backward", forward_backward)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_the_line_names_step_epoch_batch_and_the_parameter(
    kind: str, backend: str, train_as: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = train_as(kind, backend=backend)
    poison(trainer, monkeypatch, at_step=8)
    with pytest.raises(NonFiniteError) as refused:
        trainer.run()
    message = str(refused.value)
    assert message.startswith("step 8 (epoch 2, batch 3 of 5): loss is nan: parameter decoder.0.W is no longer finite")
    assert "lower the learning rate" in message
    assert "\n" not in message
    assert isinstance(refused.value, InputError)


@pytest.mark.parametrize("rate", [1e6, 1e30])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_a_huge_learning_rate_ends_in_one_line_and_no_warning(kind: str, backend: str, rate: float, train_as: Make) -> None:
    """Warnings are errors in these tests: NumPy's own "overflow encountered" would come out instead."""
    trainer = train_as(kind, backend=backend, learning_rate=rate, dtype="float32", epochs=40)
    refusal: NonFiniteError | None = None
    try:
        trainer.run()
    except NonFiniteError as error:
        refusal = error
    if refusal is None:
        assert np.isfinite(trainer.history.column("train.total")).all()
    else:
        assert str(refusal).startswith("step ")
        assert "lower the learning rate or --set clip_norm" in str(refusal)


def test_a_huge_learning_rate_does_overflow_a_vae(train_as: Make) -> None:
    with pytest.raises(NonFiniteError, match=r"^step (\d) \(epoch 1, batch \1 of 5\): (loss|the square of the gradient of \S+) is "):
        train_as("vae", learning_rate=1e6).run()


def test_a_validation_loss_that_is_not_finite_stops_the_training_before_it_is_recorded(train_as: Make) -> None:
    trainer = train_as("vae", learning_rate=1e30, batch_size=1000, validation=0.2)
    with pytest.raises(NonFiniteError, match=r"validation after epoch 1.*loss is (nan|inf)"):
        trainer.run()
    assert len(trainer.history) == 0
    assert trainer.best.parameters is None


def test_earlier_checkpoints_stay_as_they_were(train_as: Make, state_of: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = train_as("vae")
    poison(trainer, monkeypatch, at_step=13)
    with pytest.raises(NonFiniteError, match=r"^step 13 \(epoch 3, batch 3 of 5\)"):
        trainer.run(on_epoch=lambda trainer: save_checkpoint(trainer, tmp_path))
    again = train_as("vae")
    restore_checkpoint(again, tmp_path)
    assert (again.epoch, again.optimizer.steps) == (2, 10)
    assert np.isfinite(again.model.parameters.value).all()
    monkeypatch.undo()
    straight = train_as("vae")
    straight.run()
    again.run()
    assert state_of(again) == state_of(straight)


def test_the_parameters_are_not_moved_by_the_failing_step(train_as: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = train_as("ae")
    moments: list[bytes] = []

    def note(trainer: Trainer, terms: object) -> None:
        moments.append(trainer.optimizer.m.tobytes())

    poison(trainer, monkeypatch, at_step=4)
    with pytest.raises(NonFiniteError):
        trainer.run(on_batch=note)
    assert trainer.optimizer.steps == 3
    assert trainer.optimizer.m.tobytes() == moments[-1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_data_that_are_not_finite_are_refused_by_row_and_column(value: float, rows: Array) -> None:
    broken = rows.copy()
    broken[7, 5] = value
    with pytest.raises(NonFiniteError, match=r"x\[7, 5\] is"):
        npae.fit(npae.AE(64, (8,), 2, backend="numpy"), broken, epochs=1)
    with pytest.raises(NonFiniteError, match=r"x\[7, 5\] is"):
        npae.fit(npae.AE(64, (8,), 2, backend="numpy"), rows, epochs=1, validation=broken)


def test_the_model_can_be_used_after_a_failed_step(train_as: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = train_as("vae")
    poison(trainer, monkeypatch, at_step=2)
    with pytest.raises(NonFiniteError):
        trainer.run()
    monkeypatch.undo()
    trainer.model.parameters.initialise(0)
    assert np.isfinite(trainer.model.loss_and_grad(trainer.x, noise=trainer.model.draw(0, 0, len(trainer.x))).total)
