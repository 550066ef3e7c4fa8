"""Where the last checkpoint is damaged the one before it is used, in one line, and the training ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from npae.errors import InputError
from npae.training.checkpoint import restore_checkpoint, save_checkpoint, weights_file
from npae.training.loop import Trainer
from npae.training.manifest import Damaged, read_manifest, tensors_of

Make = Callable[..., Trainer]
State = Callable[[Trainer], dict[str, Any]]


def flipped(path: Path) -> None:
    """One bit, in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def last(run: Path, *, tensors: bool) -> Path:
    """A file of the last checkpoint."""
    path = run / "checkpoint" / "last.json"
    return tensors_of(run, read_manifest(run)) if tensors else path


DAMAGES: dict[str, tuple[bool, Callable[[Path], Any]]] = {
    "a bit of the tensors flipped": (True, flipped),
    "the tensors truncated": (True, lambda path: path.write_bytes(path.read_bytes()[:-100])),
    "the tensors gone": (True, Path.unlink),
    "a bit of the manifest flipped": (False, flipped),
    "the manifest truncated": (False, lambda path: path.write_bytes(path.read_bytes()[:-100])),
    "the manifest empty": (False, lambda path: path.write_bytes(b"")),
    "the manifest gone": (False, Path.unlink),
}


@pytest.fixture
def run(train_as: Make, tmp_path: Path) -> Path:
    """Three epochs, with a checkpoint after each."""
    trainer = train_as("vae", validation=0.2, epochs=3)
    trainer.run(on_epoch=lambda trainer: save_checkpoint(trainer, tmp_path))
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_checkpoint_before_it_is_used_and_nothing_is_lost(damage: str, run: Path, train_as: Make, state_of: State) -> None:
    tensors, spoil = DAMAGES[damage]
    spoil(last(run, tensors=tensors))
    straight, resumed = train_as("vae", validation=0.2, epochs=5), train_as("vae", validation=0.2, epochs=5)
    straight.run()
    said = restore_checkpoint(resumed, run)
    assert said is not None
    assert said.endswith("; going on from the checkpoint before it: epoch 2, step 8")
    assert "\n" not in said
    assert (resumed.epoch, resumed.optimizer.steps, len(resumed.history)) == (2, 8, 2)
    save_checkpoint(resumed, run)  # as npae train --resume does before its first step
    assert read_manifest(run)["epoch"] == 2
    resumed.run(on_epoch=lambda trainer: save_checkpoint(trainer, run))
    assert state_of(resumed) == state_of(straight)
    assert (read_manifest(run)["epoch"], read_manifest(run, "previous.json")["epoch"]) == (5, 4)
    assert weights_file(run).name == "best.safetensors"


def test_a_damaged_checkpoint_never_becomes_the_previous_one(run: Path, train_as: Make) -> None:
    flipped(last(run, tensors=True))
    resumed = train_as("vae", validation=0.2, epochs=4)
    restore_checkpoint(resumed, run)
    save_checkpoint(resumed, run)
    resumed.run()
    save_checkpoint(resumed, run)
    for name, epoch in (("last.json", 4), ("previous.json", 2)):
        manifest = read_manifest(run, name)
        tensors_of(run, manifest)
        assert manifest["epoch"] == epoch


def test_where_both_are_damaged_the_line_is_that_of_the_last(run: Path, train_as: Make) -> None:
    flipped(last(run, tensors=True))
    (run / "checkpoint" / "previous.json").write_text("{")
    trainer = train_as("vae", validation=0.2)
    with pytest.raises(Damaged, match=r"last-00000012-.*is damaged.*train again"):
        restore_checkpoint(trainer, run)


def test_a_whole_checkpoint_is_restored_without_a_word(run: Path, train_as: Make) -> None:
    assert restore_checkpoint(train_as("vae", validation=0.2), run) is None


def test_the_checkpoint_of_another_model_is_refused_and_the_one_before_it_is_not_tried(run: Path, train_as: Make) -> None:
    with pytest.raises(InputError, match="a checkpoint of a vae, expected one of a ae"):
        restore_checkpoint(train_as("ae", validation=0.2), run)


def test_best_weights_that_are_damaged_are_not_used(run: Path, train_as: Make) -> None:
    flipped(run / "checkpoint" / "best.safetensors")
    with pytest.raises(Damaged, match=rf"best.safetensors is damaged.*; npae train --resume {run} mends it"):
        weights_file(run)
    resumed = train_as("vae", validation=0.2, epochs=3)
    restore_checkpoint(resumed, run)
    save_checkpoint(resumed, run)
    assert weights_file(run).name == "best.safetensors"
