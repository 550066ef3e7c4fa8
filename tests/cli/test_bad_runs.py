"""Runs that a verb cannot go on with: asked for what they cannot give, damaged, or in the way; refused in one line and not touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_a_folder_that_holds_a_run_is_not_overwritten(refused: Any, run_of: Any) -> None:
    folder = run_of("ae")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    refused(["train", "ae", "--out", str(folder)], ["already holds a run", f"--resume {folder}"])
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


ON_A_RUN: dict[str, tuple[str, list[str]]] = {
    "no rows to draw": ("generate RUN --rows 0", ["0", "at least 1"]),
    "fewer rows than none": ("generate RUN --rows -4", ["-4", "at least 1"]),
    "a negative seed to draw with": ("generate RUN --seed -1", ["seed -1", "2^64"]),
    "no rows to reconstruct": ("reconstruct RUN --rows 0", ["--rows 0", "at least 1"]),
    "no samples": ("evaluate RUN --samples 0", ["samples 0", "at least 1"]),
    "no likelihood rows": ("evaluate RUN --likelihood-rows 0", ["--likelihood-rows 0", "at least 1"]),
    "fewer than no rows for the gap": ("evaluate RUN --gap-rows -1", ["--gap-rows -1", "0 to leave the amortisation gap out"]),
    "other data that are not there": ("evaluate RUN --data nope", ["--data nope", "no such file"]),
    "rows of another width": ("reconstruct RUN --data d.npy", ["d.npy", "6", "64"]),
    "another model's checkpoint": ("train ae --resume RUN", ["is a run of vae, not of ae"]),
    "another model's checkpoint and epochs": ("train wae --resume RUN --epochs 9", ["is a run of vae, not of wae"]),
}


@pytest.mark.parametrize("name", ON_A_RUN)
def test_a_verb_that_reads_a_run_refuses_in_one_line(name: str, refused: Any, run_of: Any) -> None:
    command, fragments = ON_A_RUN[name]
    np.save("d.npy", np.random.default_rng(0).random((20, 6)))  # rows narrower than those it was trained on
    refused(command.replace("RUN", str(run_of("vae"))).split(), fragments)


def damage_config(folder: Path) -> None:
    """A model that there is not."""
    path = folder / "config.toml"
    path.write_text(path.read_text().replace('model = "vae"', 'model = "vea"'))


def damage_weights(folder: Path) -> None:
    """Best weights cut off."""
    path = folder / "checkpoint" / "best.safetensors"
    path.write_bytes(path.read_bytes()[:-9])


def no_weights(folder: Path) -> None:
    """Neither best nor last."""
    for path in (folder / "checkpoint").iterdir():
        path.unlink()


def other_latent(folder: Path) -> None:
    """A config.toml that says another width than the checkpoint has."""
    path = folder / "config.toml"
    path.write_text(path.read_text().replace("latent = 2", "latent = 3"))


def damage_manifests(folder: Path) -> None:
    """Half of every manifest, so that there is none to fall back on."""
    for path in (folder / "checkpoint").glob("*.json"):
        path.write_text(path.read_text()[:100])


def damage_environment(folder: Path) -> None:
    """Half of environment.json."""
    path = folder / "environment.json"
    path.write_text(path.read_text()[:40])


DAMAGED: dict[str, tuple[Callable[[Path], None], str, list[str]]] = {
    "its config": (damage_config, "evaluate RUN", ["config.toml", "'vea'"]),
    "its weights": (damage_weights, "evaluate RUN", ["best.safetensors", "damaged"]),
    "its weights, for generate": (damage_weights, "generate RUN", ["best.safetensors"]),
    "all its weights gone": (no_weights, "reconstruct RUN", ["no checkpoint"]),
    "another width in its config": (other_latent, "train --resume RUN", ["other widths"]),
    "its manifests": (damage_manifests, "train --resume RUN", ["last.json", "damaged"]),
    "its environment": (damage_environment, "train --resume RUN", ["environment.json"]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_run_is_refused_in_one_line_and_not_touched(name: str, refused: Any, run_of: Any) -> None:
    damage, command, fragments = DAMAGED[name]
    folder = run_of("vae")
    damage(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    refused(command.replace("RUN", str(folder)).split(), fragments)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
