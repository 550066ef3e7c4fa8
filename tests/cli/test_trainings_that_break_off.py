"""Trainings that break off: a loss that is not finite, and Ctrl-C before the first step, each in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SMALL = ("--epochs", "2", "--hidden", "8", "--backend", "numpy")


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_a_loss_that_is_not_finite_says_at_which_step_and_nothing_else(kind: str, backend: str, refused: Any, few: Path) -> None:
    words = ["train", kind, "--hidden", "8", "--data", str(few), "--batch-size", "20", "--backend", backend, "--learning-rate", "1e30"]
    line = refused([*words, "--out", "run", "--quiet"], ["step ", "epoch 1", "loss is", "lower the learning rate"])
    assert "RuntimeWarning" not in line


def test_a_loss_that_is_not_finite_in_validation_says_so_and_is_not_recorded(refused: Any, few: Path) -> None:
    words = ["train", "vae", "--hidden", "8", "--data", str(few), "--batch-size", "500", "--backend", "numpy", "--learning-rate", "1e30"]
    refused([*words, "--out", "run", "--quiet"], ["validation", "epoch 1", "lower the learning rate"])
    assert Path("run/history.jsonl").read_text() == ""


def test_a_control_c_before_anything_began_says_so(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.cli import train

    def interrupt(configuration: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "prepare", interrupt)
    assert npae("train", "vae", *SMALL) == (130, "", "npae: interrupted\n")
