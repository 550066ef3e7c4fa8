"""`npae train`: the run folder it leaves, what it prints where, and that its configuration goes round."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import npae as library
from npae.cli import progress
from npae.figures import run_figures
from npae.figures.of_runs import decoded, encoded, rebuilt
from npae.training import loop
from npae.training.averages import Averages
from npae.training.history import History

SMALL = ("--epochs", 2, "--hidden", 8, "--backend", "numpy")


def files_of(folder: Path) -> set[str]:
    """Every file below the folder; the checkpoint's own name left open."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {re.sub(r"last-\d{8}-[0-9a-f]+", "last-STEPS-HASH", name) for name in names}


CHECKPOINTS = {"checkpoint/last.json", "checkpoint/previous.json", "checkpoint/last-STEPS-HASH.safetensors"}
ALWAYS = {"config.toml", "history.jsonl", "environment.json"} | CHECKPOINTS
PICTURES = {"figures/loss.png", "figures/reconstructions.png", "figures/samples.png"}
PLANE = {"figures/codes.png", "figures/manifold.png"}
BEST = {"checkpoint/best.safetensors"}


@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_digits_leave_a_run_folder_with_exactly_these_files(kind: str, npae: Any, pictures: None, tmp_path: Path) -> None:
    said = npae("train", kind, *SMALL)
    folder = tmp_path / "runs" / f"{kind}-digits"
    assert said.status == 0
    assert files_of(folder) == ALWAYS | BEST | PICTURES
    assert {path.name for path in folder.iterdir()} == {"config.toml", "history.jsonl", "environment.json", "checkpoint", "figures"}
    for picture in (folder / "figures").iterdir():
        with Image.open(picture) as image:
            image.verify()


def test_two_numbers_in_a_code_add_the_plane(npae: Any, pictures: None) -> None:
    npae("train", "vae", *SMALL, "--latent", 2, "--out", "run")
    assert files_of(Path("run")) == ALWAYS | BEST | PICTURES | PLANE


def test_rows_that_are_no_images_have_no_manifold(npae: Any, pictures: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded, "SAMPLE_PROFILES", 2)
    monkeypatch.setattr(rebuilt, "HELD_OUT", 2)
    np.save("rows.npy", np.random.default_rng(0).random((20, 3)))
    npae("train", "ae", *SMALL, "--latent", 2, "--data", "rows.npy", "--out", "run")
    assert files_of(Path("run")) == ALWAYS | BEST | PICTURES | {"figures/codes.png"}


def test_without_validation_there_are_no_best_weights(npae: Any) -> None:
    npae("train", "ae", *SMALL, "--validation", "none", "--out", "run")
    assert files_of(Path("run")) == ALWAYS
    assert History.read(Path("run/history.jsonl")).column("validation") == [None, None]


def test_the_files_of_a_run_can_be_read_and_agree(npae: Any) -> None:
    said = npae("train", "vae", *SMALL, "--out", "run", "--seed", 4, "--set", "beta=0.5")
    config = tomllib.loads(Path("run/config.toml").read_text())
    assert (config["name"], config["model"], config["seed"], config["beta"], config["latent"]) == ("vae", "vae", 4, 0.5, 8)
    assert (config["origin"]["seed"], config["origin"]["beta"], config["origin"]["latent"]) == ("flag", "flag", "default")
    environment = json.loads(Path("run/environment.json").read_text())
    assert environment["backend"]["name"] == "numpy"
    assert environment["data"]["name"] == "digits"
    assert environment["data"]["train"] == [1500, 64]
    assert environment["versions"]["numpy"] == np.__version__
    assert {library["user_api"] for library in environment["blas"]} >= {"blas"}
    assert {"python", "system", "cpu", "cores", "variables"} <= environment.keys()
    assert re.fullmatch("[0-9a-f]{64}", environment["data"]["fingerprint"])
    rows = [json.loads(line) for line in Path("run/history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    manifest = json.loads(Path("run/checkpoint/last.json").read_text())
    assert manifest["history"] == rows
    best = min(rows, key=lambda row: row["validation"]["total"])["epoch"]
    assert f"weights of epoch {best} kept" in said.out
    assert library.load("run").spec["latent"] == 8


def test_standard_output_names_the_pictures_and_the_next_commands(npae: Any, pictures: None) -> None:
    said = npae("train", "ae", *SMALL, "--out", "run")
    for picture in ("loss", "reconstructions", "samples"):
        assert f"run/figures/{picture}.png" in said.out
    for verb in ("evaluate", "generate", "reconstruct"):
        assert f"npae {verb} run" in said.out
    lines = said.err.strip().splitlines()
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    assert all("reconstruction" in line and "validation" in line for line in lines)


def test_json_is_all_there_is_on_standard_output(npae: Any) -> None:
    said = npae("train", "vae", *SMALL, "--out", "run", "--json")
    found = json.loads(said.out)
    assert (found["run"], found["finished"], found["epochs"]) == ("run", True, 2)
    assert found["last"] == History.read(Path("run/history.jsonl"))[-1]
    assert found["best_epoch"] in (1, 2)
    assert "epoch 2/2" in said.err


def test_quiet_says_nothing_on_standard_error(npae: Any) -> None:
    assert npae("train", "ae", *SMALL, "--out", "run", "--quiet").err == ""
    said = npae("train", "ae", *SMALL, "--out", "other", "--quiet", "--json")
    assert said.err == ""
    json.loads(said.out)


def test_a_second_run_gets_a_folder_of_its_own(npae: Any) -> None:
    for _ in range(3):
        assert npae("train", "ae", *SMALL, "--quiet").status == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == ["ae-digits", "ae-digits-2", "ae-digits-3"]


def test_the_config_of_a_run_gives_the_same_run_again(npae: Any) -> None:
    npae("train", "vae", *SMALL, "--latent", 2, "--set", "l2=0.01", "--set", "activation=elu", "--out", "one")
    said = npae("train", "--config", "one/config.toml", "--out", "two")
    assert said.status == 0
    one, two = (tomllib.loads(Path(run, "config.toml").read_text()) for run in ("one", "two"))
    origins = two.pop("origin")
    one.pop("origin")
    assert one == two
    assert origins["latent"] == "file one/config.toml"
    assert library.load("one").parameters.value.tobytes() == library.load("two").parameters.value.tobytes()


def test_a_flag_wins_over_the_file_and_the_file_over_the_default(npae: Any) -> None:
    Path("mine.toml").write_text('model = "ae"\nlatent = 5\nepochs = 1\nbackend = "numpy"\nhidden = [8]\n')
    assert npae("train", "--config", "mine.toml", "--latent", 3, "--out", "run", "--quiet").status == 0
    config = tomllib.loads(Path("run/config.toml").read_text())
    assert (config["latent"], config["epochs"], config["batch_size"]) == (3, 1, 100)
    origin = config["origin"]
    assert (origin["latent"], origin["epochs"], origin["batch_size"]) == ("flag", "file mine.toml", "default")


def test_two_runs_of_the_same_seed_leave_the_same_bytes(npae: Any, pictures: None) -> None:
    for run in ("one", "two"):
        npae("train", "vae", *SMALL, "--latent", 2, "--validation", "none", "--out", run, "--quiet")
    left = {run: {path.relative_to(run).as_posix(): path for path in Path(run).rglob("*") if path.is_file()} for run in ("one", "two")}
    assert left["one"].keys() == left["two"].keys()  # the name of the checkpoint is a hash of its content
    for name in left["one"].keys() - {"history.jsonl", "checkpoint/last.json", "environment.json"}:  # these hold seconds
        assert left["one"][name].read_bytes() == left["two"][name].read_bytes(), name


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv", "png"])
def test_ones_own_data_in_every_form(suffix: str, images: Any, npae: Any) -> None:
    pixels, labels = images
    if suffix == "npy":
        np.save("mine.npy", pixels)
    elif suffix == "npz":
        np.savez("mine.npz", x=pixels, y=labels, test=pixels[:20], test_labels=labels[:20])
    elif suffix == "csv":
        header = ",".join([*(f"p{k}" for k in range(64)), "label"])
        np.savetxt("mine.csv", np.column_stack([pixels.reshape(-1, 64), labels]), delimiter=",", header=header, comments="", fmt="%.4f")
    else:
        for place, image in enumerate(pixels[:30]):
            folder = Path("mine.png", f"class {place % 2}")
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray((image * 255).astype(np.uint8)).save(folder / f"{place}.png")
    said = npae("train", "vae", *SMALL, "--latent", 2, "--data", f"mine.{suffix}", "--out", "run")
    assert said.status == 0
    environment = json.loads(Path("run/environment.json").read_text())
    assert environment["data"]["image_shape"] == (None if suffix == "csv" else [8, 8])
    assert environment["data"]["train"][1] == 64


def test_the_image_shape_of_a_table_can_be_said(images: Any, npae: Any) -> None:
    np.savetxt("mine.csv", images[0].reshape(-1, 64), delimiter=",", fmt="%.4f")
    npae("train", "vae", *SMALL, "--latent", 2, "--data", "mine.csv", "--set", "image_shape=8x8", "--out", "run")
    assert json.loads(Path("run/environment.json").read_text())["data"]["image_shape"] == [8, 8]


def test_the_codes_of_ones_own_labelled_rows_are_coloured(few: Path, npae: Any, pictures: None, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    scatter: Any = vars(encoded)["scatter"]

    def noting(codes: Any, labels: Any, *others: Any, **named: Any) -> Any:
        drawn.append((codes, labels))
        return scatter(codes, labels, *others, **named)

    monkeypatch.setattr(encoded, "scatter", noting)
    npae("train", "ae", *SMALL, "--latent", 2, "--data", few, "--out", "run")
    ((codes, labels),) = drawn
    assert labels is not None
    assert len(codes) == len(labels) == 12


def test_early_stopping_is_said(npae: Any) -> None:
    said = npae("train", "ae", "--hidden", 8, "--backend", "numpy", "--epochs", 50, "--patience", 1, "--learning-rate", 0.3, "--out", "run")
    epochs = len(Path("run/history.jsonl").read_text().splitlines())
    assert epochs < 50
    assert f"stopped early after {epochs}" in said.out


def test_the_pictures_are_those_of_the_best_weights(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[bytes] = []
    losses = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(loop, "evaluate_terms", lambda *arguments, **named: Averages({"total": next(losses)}, 1, 1))
    monkeypatch.setattr(run_figures, "draw_run", lambda run, folder: drawn.append(run.model.parameters.value.tobytes()))
    said = npae("train", "ae", "--data", few, "--hidden", 8, "--backend", "numpy", "--epochs", 3, "--out", "run")
    assert "weights of epoch 2 kept (best validation loss 1.0000)" in said.out
    assert drawn == [library.load("run", backend="numpy").parameters.value.tobytes()]


def test_checkpoints_are_written_while_training(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save: Any = vars(progress)["save_checkpoint"]

    def noting(trainer: Any, folder: Path) -> None:
        saved.append(trainer.epoch)
        save(trainer, folder)

    monkeypatch.setattr(progress, "SAVE_SECONDS", -1.0)
    monkeypatch.setattr(progress, "save_checkpoint", noting)
    npae("train", "ae", *SMALL, "--out", "run")
    assert saved == [1, 2]


def test_the_module_runs_as_the_command(tmp_path: Path) -> None:
    words = [sys.executable, "-W", "error", "-m", "npae", "train", "vae", "--epochs", "1", "--hidden", "8", "--out", "run", "--json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["finished"] is True
    assert files_of(tmp_path / "run") == ALWAYS | BEST | PICTURES
