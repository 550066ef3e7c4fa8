"""npae train, evaluate, generate for the models with two players, and one clear line where a verb has no meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RunOf = Callable[[str], Path]


def test_a_game_trains_into_a_folder_of_its_name(npae: Any, few: Path) -> None:
    said = npae("train", "wae-gan", "--epochs", 1, "--hidden", 8, "--set", "discriminator_hidden=6", "--data", few, "--quiet")
    assert said.status == 0, said.err
    assert said.out.startswith("runs/wae-gan-few: 1 epochs\n")
    config = Path("runs/wae-gan-few/config.toml").read_text()
    assert 'beta1 = "model"' in config
    assert "discriminator_hidden = [6]" in config


def test_the_pictures_of_a_gan_are_its_losses_and_its_samples(npae: Any, few: Path, pictures: None) -> None:
    said = npae("train", "gan", "--epochs", 1, "--hidden", 8, "--data", few, "--out", "a-gan", "--quiet")
    assert said.status == 0, said.err
    assert sorted(path.name for path in Path("a-gan/figures").glob("*.png")) == ["loss.png", "samples.png"]
    assert "npae generate a-gan" in said.out
    assert "reconstruct" not in said.out


def test_a_gan_draws_rows_and_is_judged_by_both_losses(npae: Any, run_of: RunOf) -> None:
    run = run_of("gan")
    said = npae("generate", run, "--rows", 7, "--json")
    assert said.status == 0, said.err
    assert json.loads(said.out)["codes_from"] == "the prior N(0, I)"
    assert np.load(run / "generated.npz")["x"].shape == (7, 8, 8) or np.load(run / "generated.npz")["x"].shape == (7, 64)
    said = npae("evaluate", run)
    assert said.status == 0, said.err
    assert "= generator " in said.out
    assert "discriminator's objective" in said.out
    assert "squared error" not in said.out


def test_a_wae_gan_is_reconstructed_and_evaluated_as_every_autoencoder(npae: Any, run_of: RunOf) -> None:
    run = run_of("wae-gan")
    assert npae("reconstruct", run).status == 0
    said = npae("evaluate", run)
    assert said.status == 0, said.err
    assert "10 adversarial" in said.out
    assert "codes: MMD^2 to the prior" in said.out


@pytest.mark.parametrize("verb", ["reconstruct"])
def test_a_verb_that_needs_codes_refuses_a_gan_in_one_line(npae: Any, run_of: RunOf, verb: str) -> None:
    said = npae(verb, run_of("gan"))
    assert said.status == 2
    assert "a gan has no encoder: it draws new rows (sample, decode), and has no code for a given one" in said.err
    assert said.err.count("\n") == 1


def test_patience_and_data_outside_the_unit_interval_are_refused_in_one_line(npae: Any, few: Path) -> None:
    said = npae("train", "gan", "--data", few, "--patience", 3)
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert "the losses of a gan cannot be compared between epochs; leave patience at 0" in said.err
    np.save("wide.npy", 3 * np.random.default_rng(0).standard_normal((20, 9)))
    said = npae("train", "gan", "--data", "wide.npy")
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert "this gan draws values in [0, 1]" in said.err


def test_the_help_shows_the_settings_that_a_kind_starts_from(npae: Any) -> None:
    text = " ".join(npae("train", "--help").out.split())
    assert "Adam's memory of the gradient [0.9; wae-gan: 0.5; gan: 0.5]" in text
