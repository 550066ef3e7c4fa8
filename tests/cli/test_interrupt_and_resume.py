"""Ctrl-C saves and says how to go on; --resume goes on bit for bit, and refuses what would make it another run."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import npae as library
from npae.cli.progress import TrainingProgress
from npae.models import Model
from npae.optim import Adam
from npae.training import loop
from npae.training.history import History
from npae.training.loop import Trainer

TRAIN = ("--epochs", 3, "--hidden", 8, "--latent", 2, "--batch-size", 24, "--backend", "numpy", "--validation", 0.2)


def end_of(run: str) -> tuple[Any, ...]:
    """What a training ended with: parameters and moments, the best weights, the history without seconds, the place."""
    manifest = json.loads(Path(run, "checkpoint", "last.json").read_text())
    tensors = load_file(Path(run, "checkpoint", manifest["tensors"]))
    best = Path(run, "checkpoint", "best.safetensors")
    history = [{key: value for key, value in row.items() if key != "seconds"} for row in History.read(Path(run, "history.jsonl"))]
    assert [{key: value for key, value in row.items() if key != "seconds"} for row in manifest["history"]] == history
    return (
        {name: array.tobytes() for name, array in tensors.items()},
        {name: array.tobytes() for name, array in load_file(best).items()} if best.is_file() else None,
        history,
        tuple(manifest[key] for key in ("steps", "epoch", "batch", "best")),
    )


def ctrl_c_after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, call: int) -> None:
    """A real SIGINT, raised right after (and so inside of whatever called) that call of owner.name, once."""
    function, calls = getattr(owner, name), iter(range(1, 10**6))

    def interrupted(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if next(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return result

    monkeypatch.setattr(owner, name, interrupted)


MOMENTS: dict[str, tuple[Any, str, int]] = {
    "in the middle of a step, before the parameters move": (Model, "forward_backward", 6),
    "in the middle of a step, after the parameters moved": (Adam, "update", 6),
    "in the last step of an epoch": (Adam, "update", 8),
    "between two batches": (TrainingProgress, "on_batch", 7),
    "in the first step of all": (Adam, "update", 1),
    "in validation": (loop, "evaluate_terms", 2),
    "at the end of an epoch": (TrainingProgress, "on_epoch", 1),
    "in the very last step": (Adam, "update", 12),
    "in the last validation": (loop, "evaluate_terms", 3),
}


@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_at_any_moment_loses_nothing(moment: str, kind: str, npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = (*TRAIN, "--data", few, "--set", "dropout=0.1", "--set", "schedule=cosine", "--set", "warmup=3", "--patience", 2)
    assert npae("train", kind, *settings, "--out", "straight", "--quiet").status == 0
    with monkeypatch.context() as patch:
        ctrl_c_after(patch, *MOMENTS[moment])
        said = npae("train", kind, *settings, "--out", "stopped", "--quiet")
    if moment not in ("in the last validation", "in the very last step"):
        assert said.status == 130
        assert said.out.strip().endswith("npae train --resume stopped")
    assert npae("train", "--resume", "stopped", "--quiet").status == 0
    assert end_of("stopped") == end_of("straight")
    assert not list(Path("stopped").rglob("*.tmp"))


def test_an_interrupted_run_says_where_it_is_and_how_to_go_on(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        ctrl_c_after(patch, TrainingProgress, "on_batch", 6)
        said = npae("train", "ae", *TRAIN, "--data", few, "--out", "run", "--json")
    found = json.loads(said.out)
    assert (said.status, found["finished"], found["epochs"]) == (130, False, 1)
    assert Path("run/config.toml").is_file()
    assert len(History.read(Path("run/history.jsonl"))) == 1
    assert "Traceback" not in said.err


def test_an_interrupted_run_can_be_looked_at_before_it_goes_on(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        ctrl_c_after(patch, TrainingProgress, "on_batch", 6)
        npae("train", "vae", *TRAIN, "--data", few, "--out", "run")
    assert npae("evaluate", "run", "--json").status == 0
    assert npae("reconstruct", "run", "--rows", 2).status == 0


def test_a_run_that_died_goes_on_from_its_last_checkpoint(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history on disk may be longer than the checkpoint, or end in half a line."""
    settings = (*TRAIN, "--data", few)
    assert npae("train", "vae", *settings, "--out", "straight", "--quiet").status == 0
    with monkeypatch.context() as patch:
        ctrl_c_after(patch, TrainingProgress, "on_batch", 5)
        npae("train", "vae", *settings, "--out", "died", "--quiet")
    with Path("died/history.jsonl").open("a") as file:
        file.write(json.dumps({"epoch": 2}) + '\n{"epoch": 3, "st')
    assert npae("train", "--resume", "died", "--quiet").status == 0
    assert end_of("died") == end_of("straight")


def test_a_run_that_died_in_its_first_epoch_can_be_resumed(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = (*TRAIN, "--data", few)
    assert npae("train", "ae", *settings, "--out", "straight", "--quiet").status == 0

    def die(self: Trainer, rows: Any) -> Any:
        raise OSError("the machine was switched off")

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", die)
        assert npae("train", "ae", *settings, "--out", "died", "--quiet").status == 2
    assert npae("train", "--resume", "died", "--quiet").status == 0
    assert end_of("died") == end_of("straight")


def test_a_finished_run_resumed_is_still_the_same(npae: Any, few: Path) -> None:
    npae("train", "vae", *TRAIN, "--data", few, "--out", "run")
    before = end_of("run")
    assert npae("train", "--resume", "run").status == 0
    assert end_of("run") == before


def test_more_epochs_can_be_added(npae: Any, few: Path) -> None:
    npae("train", "vae", *TRAIN, "--data", few, "--out", "run")
    assert npae("train", "--resume", "run", "--epochs", 5).status == 0
    longer = (*TRAIN[:1], 5, *TRAIN[2:])
    npae("train", "vae", *longer, "--data", few, "--out", "straight")
    assert end_of("run") == end_of("straight")
    assert Path("run/config.toml").read_text() == Path("straight/config.toml").read_text()


def test_naming_the_same_settings_again_is_allowed(npae: Any, run_of: Any) -> None:
    folder = run_of("vae")
    assert npae("train", "vae", "--resume", folder, "--latent", 2, "--hidden", 8, "--set", "beta=1").status == 0


def test_naming_the_same_data_again_is_allowed(npae: Any, few: Path) -> None:
    shutil.copy(few, "mine.npz")
    npae("train", "ae", *TRAIN, "--data", "mine.npz", "--out", "run")
    assert npae("train", "ae", "--resume", "run", "--data", "mine.npz").status == 0


def test_an_interrupted_run_stands_for_its_best_weights_so_far(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it was finished once, and had other best weights then."""
    npae("train", "ae", *TRAIN, "--data", few, "--out", "run")
    with monkeypatch.context() as patch:
        ctrl_c_after(patch, TrainingProgress, "on_batch", 10)
        assert npae("train", "--resume", "run", "--epochs", 9).status == 130
    manifest = json.loads(Path("run/checkpoint/last.json").read_text())
    assert manifest["best"]["epoch"] > 3
    best = load_file(Path("run/checkpoint", manifest["tensors"]))["best.parameters"]
    assert library.load("run", backend="numpy").parameters.value.tobytes() == best.tobytes()


def test_a_schedule_is_not_bent_by_more_epochs(npae: Any, few: Path) -> None:
    npae("train", "ae", *TRAIN, "--data", few, "--set", "schedule=cosine", "--out", "run")
    said = npae("train", "--resume", "run", "--epochs", 9)
    assert said.status == 2
    assert "cosine" in said.err
    assert npae("train", "--resume", "run", "--epochs", 3).status == 0


REFUSED: dict[str, tuple[list[str], list[str]]] = {
    "another model": (["wae"], ["is a run of vae, not of wae"]),
    "another width": (["--hidden", "9"], ["hidden = [8], not [9]", "start a new run"]),
    "another latent": (["--set", "latent=3"], ["latent = 2, not 3"]),
    "another seed": (["--seed", "1"], ["seed = 0, not 1"]),
    "other data": (["--data", "digits"], ["data = ", "not digits"]),
    "an option of another model": (["--lambda", "2"], ["'lambda' does not apply to model 'vae'"]),
    "an unknown option": (["--set", "latnet=2"], ["latnet", "latent"]),
    "a config file": (["--config", "x.toml"], ["leave out --config and --out"]),
    "another folder": (["--out", "elsewhere"], ["leave out --config and --out"]),
    "an impatience": (["--patience", "-1"], ["patience -1"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_resumed_run_cannot_become_another(name: str, npae: Any, run_of: Any) -> None:
    folder = run_of("vae")
    words, fragments = REFUSED[name]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    said = npae("train", *words, "--resume", folder)
    assert (said.status, said.out) == (2, "")
    for fragment in fragments:
        assert fragment in said.err
    assert said.err.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_run_whose_data_changed_is_refused(npae: Any, few: Path) -> None:
    shutil.copy(few, "mine.npz")
    npae("train", "ae", *TRAIN, "--data", "mine.npz", "--out", "run")
    with np.load("mine.npz") as content:
        np.savez("mine.npz", x=content["x"][::-1], y=content["y"])
    said = npae("train", "--resume", "run", "--epochs", 4)
    assert said.status == 2
    assert "mine.npz" in said.err
    assert "changed" in said.err


def test_a_run_is_resumed_and_evaluated_from_any_folder(npae: Any, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(few, "mine.npz")
    npae("train", "ae", *TRAIN, "--data", "mine.npz", "--out", "run")
    Path("elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert npae("train", "--resume", "../run", "--epochs", 4).status == 0
    assert npae("evaluate", "../run").status == 0


def test_a_disk_that_is_full_ends_in_one_line_and_leaves_a_run_that_goes_on(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    from npae.cli import progress

    settings = (*TRAIN, "--data", few)
    npae("train", "ae", *settings, "--out", "straight", "--quiet")
    monkeypatch.setattr(progress, "SAVE_SECONDS", -1.0)
    replace, calls = os.replace, iter(range(1, 10**6))

    def full(*arguments: Any) -> None:
        if next(calls) > 7:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[1]))
        replace(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        said = npae("train", "ae", *settings, "--out", "run", "--quiet")
    assert said.status == 2
    assert "No space left" in said.err
    assert said.err.count("\n") == 1
    assert not list(Path("run").rglob("*.tmp"))
    assert npae("train", "--resume", "run", "--quiet").status == 0
    assert end_of("run") == end_of("straight")
