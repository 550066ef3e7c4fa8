"""Checkpoints: what is damaged or foreign is refused in one line, and a write that fails leaves the one before it as it was."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from npae.errors import InputError
from npae.training import manifest
from npae.training.checkpoint import restore_checkpoint, save_checkpoint, weights_file
from npae.training.files import write_json
from npae.training.loop import Trainer
from npae.training.manifest import read_manifest
from npae.training.model_file import load

Make = Callable[..., Trainer]
State = Callable[[Trainer], dict[str, Any]]
StopAt = Callable[[Trainer, int, int | None], None]


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal_of(call: Callable[..., Any], *arguments: Any) -> str:
    """The one line with which the call refuses."""
    with pytest.raises(InputError) as refused:
        call(*arguments)
    message = str(refused.value)
    assert "\n" not in message
    return message


def tensors_of(run: Path) -> Path:
    """The tensors file that the manifest names."""
    return run / "checkpoint" / str(read_manifest(run)["tensors"])


@pytest.fixture
def run(train_as: Make, stop_at: StopAt, tmp_path: Path) -> Path:
    """A run folder with a checkpoint in the middle of its second epoch, best weights included."""
    trainer = train_as("vae", validation=0.2)
    stop_at(trainer, 1, 2)
    save_checkpoint(trainer, tmp_path)
    return tmp_path


def test_a_checkpoint_the_one_before_it_and_the_best_weights_are_kept_and_older_ones_are_gone(run: Path, train_as: Make) -> None:
    names = [tensors_of(run).name]
    assert {path.name for path in (run / "checkpoint").iterdir()} == {"last.json", names[0], "best.safetensors"}
    resumed = train_as("vae", validation=0.2)
    restore_checkpoint(resumed, run)
    (run / "checkpoint" / "last.json.tmp").write_text("half a")  # as kill -9 leaves it
    for epochs in (2, 3):
        resumed.epochs = epochs
        resumed.run()
        save_checkpoint(resumed, run)
        names.append(tensors_of(run).name)
        files = {"last.json", "previous.json", *names[-2:], "best.safetensors"}
        assert {path.name for path in (run / "checkpoint").iterdir()} == files
        assert read_manifest(run, "previous.json")["tensors"] == names[-2]


@pytest.mark.parametrize("damage", ["truncated", "empty", "one bit flipped", "appended to", "gone", "another file"])
def test_a_damaged_tensors_file_is_refused_by_name_and_left_as_it_is(damage: str, run: Path, train_as: Make) -> None:
    path = tensors_of(run)
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    broken = {
        "truncated": content[:-7],
        "empty": b"",
        "one bit flipped": flipped,
        "appended to": content + b"\0",
        "another file": b"PK\3\4",
    }
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(broken[damage])
    before = files_of(run)
    trainer = train_as("vae", validation=0.2)
    message = refusal_of(restore_checkpoint, trainer, run)
    assert str(path) in message
    assert ("no such file" if damage == "gone" else "damaged") in message
    assert "train again" in message
    assert files_of(run) == before


MANIFEST_DAMAGE: dict[str, Callable[[str], str]] = {
    "truncated": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "not an object": lambda text: "[1, 2]",
    "a number": lambda text: "3",
    "binary": lambda text: "\x00\x01\x02",
    "an empty object": lambda text: "{}",
}


def without(key: str) -> Callable[[str], str]:
    """The manifest without one of its keys."""
    return lambda text: json.dumps({name: value for name, value in json.loads(text).items() if name != key})


def with_value(key: str, value: Any) -> Callable[[str], str]:
    """The manifest with one value of the wrong kind."""
    return lambda text: json.dumps({**json.loads(text), key: value})


KEYS = ("tensors", "sha256", "steps", "epoch", "batch", "averages", "seconds", "history", "best")
MANIFEST_DAMAGE |= {f"no {key}": without(key) for key in KEYS}
MANIFEST_DAMAGE |= {f"{key} of the wrong kind": with_value(key, value) for key in KEYS for value in (["x"],) if key != "history"}
MANIFEST_DAMAGE |= {"history of the wrong kind": with_value("history", 7), "averages without rows": with_value("averages", {"sums": 3})}
MANIFEST_DAMAGE |= {"one digit changed": lambda text: text.replace('"batch": 2', '"batch": 3')}


@pytest.mark.parametrize("damage", MANIFEST_DAMAGE)
def test_a_damaged_manifest_is_refused_in_one_line_and_nothing_is_touched(damage: str, run: Path, train_as: Make) -> None:
    path = run / "checkpoint" / "last.json"
    path.write_text(MANIFEST_DAMAGE[damage](path.read_text()))
    before = files_of(run)
    message = refusal_of(restore_checkpoint, train_as("vae", validation=0.2), run)
    assert "last.json" in message
    assert files_of(run) == before


def test_a_manifest_that_names_a_file_elsewhere_is_refused(run: Path, train_as: Make, tmp_path: Path) -> None:
    path = run / "checkpoint" / "last.json"
    content = {**json.loads(path.read_text()), "tensors": "../../../elsewhere.safetensors"}
    content.pop("checksum")
    path.write_text(json.dumps({"checksum": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(), **content}))
    assert "elsewhere.safetensors" in refusal_of(restore_checkpoint, train_as("vae", validation=0.2), run)


def test_a_folder_without_a_checkpoint_is_refused(train_as: Make, tmp_path: Path) -> None:
    assert "holds no checkpoint" in refusal_of(restore_checkpoint, train_as("ae"), tmp_path)
    assert "holds no checkpoint" in refusal_of(weights_file, tmp_path)


OTHERS: dict[str, tuple[str, dict[str, Any], str]] = {
    "another kind": ("ae", {}, "a checkpoint of a vae, expected one of a ae"),
    "another latent": ("vae", {"latent": 3}, "(8, 2), expected (8, 3)"),
    "another width": ("vae", {"hidden": [9]}, "(64, 8), expected (64, 9)"),
    "another depth": ("vae", {"hidden": [8, 8]}, "another model or of other widths"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_model_is_refused(name: str, run: Path, train_as: Make, state_of: State) -> None:
    kind, settings, expected = OTHERS[name]
    before = files_of(run)
    trainer = train_as(kind, **settings)
    assert expected in refusal_of(restore_checkpoint, trainer, run)
    assert files_of(run) == before
    assert trainer.optimizer.steps == trainer.epoch == trainer.batch == 0


@pytest.mark.parametrize("kind", ["ae", "wae"])
def test_the_widths_of_another_model_are_compared_by_name(kind: str, train_as: Make, tmp_path: Path) -> None:
    trainer = train_as(kind, hidden=[8, 7])
    save_checkpoint(trainer, tmp_path)
    message = refusal_of(restore_checkpoint, train_as(kind, hidden=[8]), tmp_path)
    assert "parameter encoder.2" in message


def full(*arguments: Any, **named: Any) -> None:
    """A disk without room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")


FAILURES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "renaming": lambda patch: patch.setattr(os, "replace", full),
    "flushing to the disk": lambda patch: patch.setattr(os, "fsync", full),
    "writing the manifest": lambda patch: patch.setattr(manifest, "write_json", full),
}


LATER: dict[str, tuple[int, int | None]] = {"a step later": (1, 3), "after the epoch's last batch": (1, -1), "an epoch later": (2, None)}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("later", LATER)
def test_a_write_that_fails_leaves_the_checkpoint_before_it(
    failure: str, later: str, run: Path, train_as: Make, state_of: State, stop_at: StopAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = train_as("vae", validation=0.2)
    restore_checkpoint(trainer, run)
    before = state_of(trainer)
    stop_at(trainer, *LATER[later])
    with monkeypatch.context() as patch:
        FAILURES[failure](patch)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(trainer, run)
    again = train_as("vae", validation=0.2)
    restore_checkpoint(again, run)
    assert state_of(again) == before
    assert not list(run.rglob("*.tmp"))


def test_a_checkpoint_of_the_same_step_never_overwrites_the_tensors_of_the_standing_one(
    train_as: Make, state_of: State, stop_at: StopAt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an epoch's last batch, and after that epoch's validation: as many steps, but now there are best weights."""
    trainer = train_as("vae", validation=0.2)
    stop_at(trainer, 0, -1)
    save_checkpoint(trainer, tmp_path)
    before = state_of(trainer)
    stop_at(trainer, 1, None)
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "write_json", full)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(trainer, tmp_path)
    again = train_as("vae", validation=0.2)
    restore_checkpoint(again, tmp_path)
    assert state_of(again) == before


def test_a_json_file_that_cannot_be_renamed_leaves_the_old_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "evaluation.json"
    write_json(path, {"a": 1})
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(path, {"a": 2})
    assert {file.name: json.loads(file.read_text()) for file in tmp_path.iterdir()} == {"evaluation.json": {"a": 1}}


def test_the_manifest_holds_the_sum_of_its_tensors_and_is_plain_json(run: Path) -> None:
    found = json.loads((run / "checkpoint" / "last.json").read_text())
    assert found["sha256"] == hashlib.sha256(tensors_of(run).read_bytes()).hexdigest()
    assert (found["steps"], found["epoch"], found["batch"]) == (6, 1, 2)
    assert len(found["history"]) == 1
    assert found["best"]["sha256"] == hashlib.sha256((run / "checkpoint" / "best.safetensors").read_bytes()).hexdigest()


def test_the_weights_that_stand_for_a_run_are_its_best(train_as: Make, tmp_path: Path) -> None:
    trainer = train_as("vae", validation=0.2, epochs=2)
    trainer.run()
    trainer.best.epoch, trainer.best.parameters = 1, trainer.model.parameters.value + 1
    last = trainer.model.parameters.value.copy()
    save_checkpoint(trainer, tmp_path)
    assert trainer.model.parameters.value.tobytes() == last.tobytes()
    assert load(tmp_path, backend="numpy").parameters.value.tobytes() == (last + 1).tobytes()


def test_without_validation_no_best_weights_are_stored(train_as: Make, tmp_path: Path) -> None:
    trainer = train_as("ae", epochs=1)
    trainer.run()
    save_checkpoint(trainer, tmp_path)
    assert weights_file(tmp_path) == tensors_of(tmp_path)


def test_a_damaged_last_checkpoint_is_noticed_when_it_stands_for_the_run(train_as: Make, tmp_path: Path) -> None:
    trainer = train_as("ae", epochs=1)
    save_checkpoint(trainer, tmp_path)
    path = tensors_of(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "damaged" in refusal_of(load, tmp_path)
