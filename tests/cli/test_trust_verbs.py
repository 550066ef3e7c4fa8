"""npae verify, replay, replay-step; one training in a folder; SIGTERM; folders that cannot be written to."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.cli import progress
from npae.models import Model
from npae.training.history import History
from npae.training.lock import locked
from npae.training.repro import read_step
from npae.training.verify import BAD, GOOD, REMARK, verify

TRAIN = ("--epochs", 3, "--hidden", 8, "--latent", 2, "--batch-size", 24, "--backend", "numpy", "--validation", 0.2)


def flip(path: Path) -> None:
    """One bit, in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def edit(path: Path, old: str, new: str) -> None:
    """Put new in the place of old, or at the end."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new) if old else text + new)


def tensors(run: Path) -> Path:
    """The tensors of the last checkpoint."""
    return run / "checkpoint" / json.loads((run / "checkpoint" / "last.json").read_text())["tensors"]


def test_a_run_that_ended_quietly_is_whole(npae: Any, few: Path, pictures: None) -> None:
    npae("train", "vae", *TRAIN, "--data", few, "--out", "run")
    npae("evaluate", "run", "--json")
    said = npae("verify", "run")
    assert said.status == 0
    assert "run: whole" in said.out
    found = json.loads(npae("verify", "run", "--json").out)
    assert found["whole"]
    assert {one["state"] for one in found["findings"]} == {GOOD}
    files = {path.relative_to("run").as_posix() for path in Path("run").rglob("*") if path.is_file()}
    assert {one["file"] for one in found["findings"]} == {name for name in files if not name.startswith("checkpoint/last-")}


SPOILS: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "configuration": (lambda run: (run / "config.toml").write_text("latent = "), "config.toml", "is not TOML"),
    "an unknown setting": (lambda run: (run / "config.toml").write_text('name = "vae"\nmodel = "vae"\nx = 1'), "config.toml", "'x'"),
    "configuration gone": (lambda run: (run / "config.toml").unlink(), "config.toml", "no config.toml"),
    "environment": (lambda run: (run / "environment.json").write_text("[]"), "environment.json", "backend and data"),
    "a history line": (lambda run: edit(run / "history.jsonl", "", '{"epoch": 3, "st'), "history.jsonl", "history.jsonl:3"),
    "a number in the history": (
        lambda run: edit(run / "history.jsonl", '"epoch": 2, "step": 4', '"epoch": 2, "step": 5'),
        "history.jsonl",
        "epoch 2 is not as in the checkpoint; npae train --resume",
    ),
    "history gone": (lambda run: (run / "history.jsonl").unlink(), "history.jsonl", "no such file"),
    "the last tensors": (lambda run: flip(tensors(run)), "checkpoint/last.json", "is damaged: SHA-256"),
    "the last manifest": (lambda run: flip(run / "checkpoint" / "last.json"), "checkpoint/last.json", "is damaged"),
    "the previous manifest": (lambda run: flip(run / "checkpoint" / "previous.json"), "checkpoint/previous.json", "is damaged"),
    "the best weights": (lambda run: flip(run / "checkpoint" / "best.safetensors"), "checkpoint/best.safetensors", "--resume"),
    "the best weights gone": (
        lambda run: (run / "checkpoint" / "best.safetensors").unlink(),
        "checkpoint/best.safetensors",
        "no such file",
    ),
    "a picture": (lambda run: (run / "figures" / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n"), "figures/x.png", "whole picture"),
    "a drawing": (lambda run: (run / "figures" / "x.svg").write_text("<svg>"), "figures/x.svg", "whole picture"),
    "a result": (lambda run: (run / "evaluation.json").write_text("{"), "evaluation.json", "not JSON"),
}


@pytest.mark.parametrize("name", SPOILS)
def test_what_is_damaged_is_found_and_named(name: str, npae: Any, run_of: Any) -> None:
    run = run_of("vae")
    spoil, file, fragment = SPOILS[name]
    spoil(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    said = npae("verify", run, "--json")
    bad = [one for one in json.loads(said.out)["findings"] if one["state"] == BAD]
    assert said.status == 1
    assert file in [one["file"] for one in bad]
    assert fragment in next(one["says"] for one in bad if one["file"] == file)
    assert all("\n" not in one["says"] for one in bad)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert npae("verify", run).status == 1


def test_weights_that_are_not_those_of_the_history_are_found(npae: Any, few: Path) -> None:
    """Every checksum fits: the history's fingerprint alone tells."""
    npae("train", "ae", *TRAIN, "--data", few, "--out", "one")
    npae("train", "ae", *TRAIN, "--data", few, "--out", "two", "--seed", 1)
    for name in ("last.json", tensors(Path("two")).name):
        Path("one/checkpoint", name).write_bytes(Path("two/checkpoint", name).read_bytes())
    states = {finding.file: finding.state for finding in verify(Path("one"))}
    assert (states["checkpoint/last.json"], states["history.jsonl"]) == (GOOD, BAD)


def test_a_killed_training_is_a_remark(npae: Any, run_of: Any) -> None:
    run = run_of("ae")
    (run / "training.lock").write_text('{"pid": 999999999, "host": ""}'.replace('""', json.dumps(os.uname().nodename)))
    (run / "checkpoint" / "last.json.tmp").write_text("{")
    remarks = {finding.file: finding.says for finding in verify(run) if finding.state == REMARK}
    assert set(remarks) == {"training.lock", "checkpoint/last.json.tmp"}
    assert "--resume" in remarks["training.lock"]
    assert npae("verify", run).status == 0


def test_a_training_that_runs_is_a_remark(npae: Any, run_of: Any) -> None:
    with locked(run_of("ae")):
        assert f"process {os.getpid()}" in npae("verify", run_of("ae")).out


def test_what_is_no_run_is_refused(npae: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for words in (("verify", "nowhere"), ("verify", "empty"), ("replay", "nowhere"), ("replay", "empty"), ("replay-step", "nothing")):
        said = npae(*words)
        assert (said.status, said.out) == (2, "")
        assert said.err.count("\n") == 1
        assert words[1] in said.err


def test_a_replay_says_that_it_is_the_same(npae: Any, run_of: Any) -> None:
    said = npae("replay", run_of("vae"))
    assert said.status == 0
    assert "2 epochs trained again, the weights after each are the same to the last bit" in said.out
    assert [line.split()[:3] for line in said.err.splitlines()] == [["epoch", "1", "same"], ["epoch", "2", "same"]]
    said = npae("replay", run_of("vae"), "--epochs", 1, "--quiet", "--json")
    found = json.loads(said.out)
    assert (said.err, found["same"], found["recorded_epochs"], found["replayed_epochs"]) == ("", True, 2, 1)


def test_a_replay_that_differs_says_where_and_what_is_different(npae: Any, run_of: Any) -> None:
    run = run_of("vae")
    config = run / "config.toml"
    config.write_text(config.read_text().replace('backend = "numpy"', 'backend = "numba"'))
    said = npae("replay", run)
    assert said.status == 1
    assert "epoch 1 is the first that differs: training loss" in said.out
    assert "backend.name" in said.out
    assert "numpy -> numba" in said.out
    assert "epoch 1  DIFFERS" in said.err


def test_two_trainings_in_one_folder_refuse_each_other(npae: Any, few: Path, run_of: Any) -> None:
    run = run_of("vae")
    with locked(run):
        said = npae("train", "--resume", run, "--epochs", 9)
        assert said.status == 2
        assert f"process {os.getpid()}" in said.err
        assert said.err.count("\n") == 1
    assert npae("train", "--resume", run, "--epochs", 3).status == 0
    assert not (run / "training.lock").exists()


def test_sigterm_saves_as_ctrl_c_does(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = (*TRAIN, "--data", few)
    npae("train", "vae", *settings, "--out", "straight", "--quiet")
    step, calls = Model.forward_backward, iter(range(1, 10**6))

    def terminated(*arguments: Any, **named: Any) -> Any:
        if next(calls) == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Model, "forward_backward", terminated)
        said = npae("train", "vae", *settings, "--out", "stopped")
    assert said.status == 130
    assert said.out.strip().endswith("npae train --resume stopped")
    assert json.loads(Path("stopped/checkpoint/last.json").read_text())["steps"] == 6
    assert npae("train", "--resume", "stopped", "--quiet").status == 0
    fingerprints = [History.read(Path(run, "history.jsonl")).column("fingerprint") for run in ("straight", "stopped")]
    assert fingerprints[0] == fingerprints[1]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_damaged_checkpoint_is_said_in_one_line_and_the_one_before_it_used(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SAVE_SECONDS", -1.0)
    settings = (*TRAIN, "--data", few, "--quiet")
    npae("train", "vae", *settings, "--out", "run")
    rows = History.read(Path("run/history.jsonl")).column("fingerprint")
    flip(tensors(Path("run")))
    said = npae("train", "--resume", "run", "--quiet")
    assert said.status == 0
    assert said.err.startswith("npae: run/checkpoint/last-")
    assert said.err.rstrip().endswith("going on from the checkpoint before it: epoch 2, step 8")
    assert said.err.count("\n") == 1
    assert History.read(Path("run/history.jsonl")).column("fingerprint") == rows
    assert npae("verify", "run").status == 0


def test_a_run_that_was_killed_before_its_first_checkpoint_begins(npae: Any, few: Path) -> None:
    npae("train", "ae", *TRAIN, "--data", few, "--out", "straight", "--quiet")
    npae("train", "ae", *TRAIN, "--data", few, "--out", "run", "--quiet")
    for path in Path("run").rglob("*"):
        if path.is_file() and path.name not in ("config.toml", "environment.json"):
            path.unlink()
    assert npae("train", "--resume", "run", "--quiet").status == 0
    assert tensors(Path("run")).read_bytes() == tensors(Path("straight")).read_bytes()


def test_a_run_whose_checkpoints_were_removed_is_refused(npae: Any, run_of: Any) -> None:
    run = run_of("ae")
    for path in (run / "checkpoint").iterdir():
        path.unlink()
    said = npae("train", "--resume", run)
    assert said.status == 2
    assert "holds no checkpoint" in said.err


def test_a_disk_that_fills_up_says_how_to_go_on(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from npae.training import loop

    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "run/checkpoint/last.json.tmp")

    def after_an_epoch(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(os, "fsync", full)
        return evaluate(*arguments, **named)

    evaluate = loop.evaluate_terms
    monkeypatch.setattr(loop, "evaluate_terms", after_an_epoch)
    said = npae("train", "ae", *TRAIN, "--data", few, "--out", "run", "--quiet")
    assert said.status == 2
    where, _, rest = said.err.partition(": No space left on device; ")
    assert where == "npae: error: run/checkpoint/last.json.tmp"
    assert rest == "what was stored before is whole: make room, or make it writable, and go on with npae train --resume run\n"
    monkeypatch.undo()
    assert not list(Path("run").rglob("*.tmp"))
    assert not Path("run/training.lock").exists()


def test_the_guards_line_and_file_lead_to_the_step(npae: Any, few: Path, images: Any) -> None:
    said = npae("train", "vae", *TRAIN, "--data", few, "--out", "run", "--learning-rate", 1e30, "--quiet")
    assert said.status == 2
    assert said.err.count("\n") == 1
    (path,) = Path("run/guard").iterdir()
    assert said.err.rstrip().endswith(f"; see npae replay-step {path}")
    assert "first in " in said.err
    step = read_step(path)
    assert np.array_equal(step.x, images[0].reshape(120, -1)[step.rows]), "rows are numbered as in the data, validation rows counted too"
    shown = npae("replay-step", path)
    assert shown.status == 1
    assert "first not finite: " in shown.out
    assert said.err.partition("first in ")[2].partition(",")[0].partition(";")[0] in shown.out
    found = json.loads(npae("replay-step", path, "--json", "--backend", "numba").out)
    assert (found["step"], found["backend"]) == (int(path.stem.partition("-")[2]), "numba")
    rows = {(row["node"], row["tensor"]): row for row in found["tensors"]}
    assert rows["batch", "x"]["shape"] == [24, 64]
    assert rows["encoder.0", "y"]["shape"] == [24, 8]
    assert any(row["bad"] for row in rows.values())
    assert npae("verify", "run").status == 0


def test_what_the_guard_did_is_said_and_recorded(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, made = iter(range(1, 10**6)), Model.forward_backward

    def failing(self: Model, x: Any, *arguments: Any) -> Any:
        if next(calls) == 3:
            x[4, 2] = np.nan
        return made(self, x, *arguments)

    monkeypatch.setattr(Model, "forward_backward", failing)
    said = npae("train", "ae", *TRAIN, "--data", few, "--out", "run", "--quiet", "--set", "guard=skip")
    assert said.status == 0
    assert said.err.count("\n") == 1
    assert "batch 3 of 4" in said.err
    assert said.err.rstrip().endswith(": batch skipped")
    (incident,) = History.read(Path("run/history.jsonl"))[0]["guard"]
    assert (incident["action"], incident["step"], incident["batch"]) == ("skip", 3, 3)


@pytest.mark.parametrize("damage", ["truncated", "no step", "empty"])
def test_a_file_that_holds_no_step_is_refused(damage: str, npae: Any, few: Path, run_of: Any) -> None:
    npae("train", "vae", *TRAIN, "--data", few, "--out", "burst", "--learning-rate", 1e30, "--quiet")
    (path,) = Path("burst/guard").iterdir()
    content = {"truncated": path.read_bytes()[:-9], "no step": tensors(run_of("vae")).read_bytes(), "empty": b""}
    path.write_bytes(content[damage])
    said = npae("replay-step", path)
    assert (said.status, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert npae("verify", "burst").status == 1
