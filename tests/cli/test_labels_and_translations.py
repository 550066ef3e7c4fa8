"""A model that reads labels and one that translates, from the command line: what they draw, say and refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import npae as library
from npae.cli import main

SMALL = ["--epochs", "2", "--hidden", "8", "--latent", "2", "--backend", "numpy", "--quiet"]


@pytest.fixture(scope="module")
def dates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on dates that has hardly begun."""
    folder = tmp_path_factory.mktemp("runs") / "dates"
    words = ["train", "paired", "--data", "dates", "--epochs", "1", "--hidden", "8", "--backend", "numpy", "--quiet"]
    assert main([*words, "--out", str(folder)]) == 0
    return folder


def test_generate_draws_every_class_in_turn_and_keeps_their_labels(npae: Any, run_of: Any) -> None:
    folder = run_of("cvae")
    said = npae("generate", folder, "--rows", 25, "--seed", 4)
    assert (said.status, said.err) == (0, "")
    assert "25 rows of 10 classes in turn" in said.out
    with np.load(folder / "generated.npz", allow_pickle=False) as content:
        np.testing.assert_array_equal(content["y"], np.arange(25) % 10)
        expected = library.load(folder, backend="numpy").sample(25, seed=4, y=np.arange(25) % 10)
        np.testing.assert_array_equal(content["x"], expected)


def test_generate_draws_one_class_where_it_is_named(npae: Any, run_of: Any) -> None:
    folder = run_of("cvae")
    found = json.loads(npae("generate", folder, "--rows", 4, "--label", 3, "--json").out)
    assert (found["rows"], found["label"]) == (4, 3)
    with np.load(folder / "generated.npz", allow_pickle=False) as content:
        np.testing.assert_array_equal(content["x"], library.load(folder, backend="numpy").sample(4, y=np.full(4, 3)))
    with Image.open(found["picture"]) as image:
        image.verify()


@pytest.mark.parametrize(
    ("kind", "label", "message"),
    [
        ("cvae", 10, "--label 10: this run has 10 classes, 0 to 9; give one of them"),
        ("cvae", -1, "--label -1: this run has 10 classes, 0 to 9; give one of them"),
        ("vae", 3, "--label 3: this run is a vae, which reads no labels; leave it out, or train a cvae"),
    ],
)
def test_a_label_that_the_run_does_not_know_is_refused(npae: Any, run_of: Any, kind: str, label: int, message: str) -> None:
    said = npae("generate", run_of(kind), "--label", label)
    assert (said.status, said.out, said.err) == (2, "", f"npae: error: {message}\n")


def test_a_conditional_run_is_evaluated_and_reconstructed_with_its_labels(npae: Any, run_of: Any, images: Any) -> None:
    folder = run_of("cvae")
    found = json.loads(npae("evaluate", folder, "--likelihood-rows", 10, "--samples", 5, "--json").out)
    assert found["log_likelihood"]["importance_weighted"] >= found["log_likelihood"]["elbo"]
    assert npae("reconstruct", folder).status == 0
    with np.load(folder / "reconstructed.npz", allow_pickle=False) as content:
        rows = [int(np.flatnonzero((images[0].reshape(-1, 64) == x).all(axis=1))[0]) for x in content["x"]]
        y = library.load(folder, backend="numpy").reconstruct(content["x"], images[1][rows])
        np.testing.assert_allclose(content["reconstruction"], y, rtol=1e-6)


def test_data_without_labels_are_refused_for_training_and_for_evaluation(npae: Any, run_of: Any, tmp_path: Path, images: Any) -> None:
    np.save(tmp_path / "bare.npy", images[0])
    for words in (["train", "cvae", "--data", "bare.npy", *SMALL], ["evaluate", run_of("cvae"), "--data", "bare.npy"]):
        said = npae(*words)
        assert (said.status, said.out) == (2, "")
        assert "needs a label for each row, and the training rows of 'bare" in said.err
        assert said.err.count("\n") == 1


def test_a_label_beyond_those_of_the_run_is_refused(npae: Any, run_of: Any, tmp_path: Path, images: Any) -> None:
    np.savez(tmp_path / "more.npz", x=images[0][:20], y=np.arange(20))
    said = npae("evaluate", run_of("cvae"), "--data", "more.npz")
    assert said.status == 2
    assert "label 10 (row 10): this cvae has 10 classes, 0 to 9" in said.err


def test_the_accuracy_on_held_out_texts_is_printed_with_examples_and_stored(npae: Any, dates: Path) -> None:
    said = npae("evaluate", dates)
    assert (said.status, said.err) == (0, "")
    assert "right to the last character" in said.out
    assert "mistakes such as" in said.out
    stored = json.loads((dates / "evaluation.json").read_text())["targets"]
    assert 0 < stored["characters"] < 1
    assert stored["wrong_rows"] == round((1 - stored["exact"]) * 10_000)
    assert all(set(one) == {"given", "said", "wanted"} for one in stored["examples"])


def test_texts_are_translated_a_line_each(npae: Any, dates: Path) -> None:
    said = npae("translate", dates, "3 March 1999", "21 November 2026")
    assert said.status == 0
    assert [line.split(" -> ")[0].strip() for line in said.out.splitlines()] == ["3 March 1999", "21 November 2026"]
    found = json.loads(npae("translate", dates, "3 March 1999", "--json").out)
    assert [set(one) for one in found] == [{"given", "said", "probability"}]
    assert f"-> {found[0]['said']}" in said.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3 März 1999", "'3 März 1999': character 'ä' (at place 4) is unknown here"),
        ("21 November 2026, a Saturday", "has 28 characters: at most 17 are read here"),
        ("", "'' is empty"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(npae: Any, dates: Path, text: str, message: str) -> None:
    said = npae("translate", dates, text)
    assert (said.status, said.out) == (2, "")
    assert message in said.err
    assert said.err.count("\n") == 1


def test_a_run_that_translates_nothing_says_so(npae: Any, run_of: Any) -> None:
    said = npae("translate", run_of("vae"), "3 March 1999")
    assert said.status == 2
    assert "is a run of vae, which translates nothing; npae train paired --data dates" in said.err


def test_a_paired_run_draws_nothing_and_its_training_ends_with_what_it_can_do(npae: Any, dates: Path, tmp_path: Path) -> None:
    said = npae("generate", dates)
    assert said.status == 2
    assert "this run is a paired model, which turns rows into their targets and draws none" in said.err
    out = npae("train", "paired", "--data", "dates", "--epochs", 1, "--hidden", 4, "--backend", "numpy", "--out", tmp_path / "b").out
    assert "npae translate" in out
    assert "npae generate" not in out


def test_targets_that_are_numbers_are_learned_and_judged_with_another_loss(npae: Any, tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((200, 4))
    np.savez(tmp_path / "pairs.npz", x=x, target=np.tanh(x[:, :2]))
    refused = npae("train", "paired", "--data", "pairs.npz", *SMALL)
    assert refused.status == 2
    assert "take --set reconstruction=squared_error" in refused.err
    assert npae("train", "paired", "--data", "pairs.npz", *SMALL, "--set", "reconstruction=squared_error", "--out", "run").status == 0
    found = json.loads(npae("evaluate", "run", "--json").out)["targets"]
    assert found["squared_error_per_feature"] < 2 * found["mean_squared_error_per_feature"]
    said = npae("translate", "run", "3")
    assert said.status == 2
    assert "which is numbers and no text" in said.err


def test_data_without_targets_are_refused(npae: Any) -> None:
    said = npae("train", "paired", "--data", "digits")
    assert said.status == 2
    assert "needs a target for each row, and the training rows of 'digits' have none; take data with targets: dates" in said.err
