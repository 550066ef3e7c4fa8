"""`npae detect`: what it trains on, what it writes, what it prints, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae as library
from npae.evaluation.detection import strangeness
from npae.evaluation.ranking import rank

SMALL = ("--epochs", "1", "--hidden", "4", "--latent", "2", "--backend", "numpy", "--batch-size", "10", "--samples", "3", "--quiet")
MEASURED = ["reconstruction_error", "negative_elbo", "negative_log_likelihood", "one_class_svm", "isolation_forest"]


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory, images: Any) -> Path:
    """80 images that train and 40 that test, labelled 0, 1 or 2."""
    path = tmp_path_factory.mktemp("data") / "halves.npz"
    x, y = images[0], images[1] % 3
    np.savez(path, x=x[:80], y=y[:80], x_test=x[80:], y_test=y[80:])
    return path


def test_a_model_is_trained_on_normal_rows_and_judged_on_all_test_rows(npae: Any, halves: Path) -> None:
    said = npae("detect", "vae", "--data", halves, "--normal", "1", *SMALL, "--json")
    assert (said.status, said.err) == (0, "")
    found = json.loads(said.out)["runs"][0]
    assert (found["normal"], found["rows"]) == ([1], 40)
    assert list(found["measured"]) == MEASURED
    folder = Path(found["run"])
    assert folder == Path("runs/detect-vae-halves/normal-1")
    with np.load(folder / "scores.npz") as scores, np.load(halves) as data:
        np.testing.assert_array_equal(scores["label"], data["y_test"])
        model = library.load(folder, backend="numpy")
        np.testing.assert_allclose(
            scores["reconstruction_error"], strangeness(model, data["x_test"].reshape(40, -1))["reconstruction_error"]
        )
        ranking = rank(scores["isolation_forest"], data["y_test"] != 1)
    assert found["measured"]["isolation_forest"] == ranking.as_dict()
    kept = round(0.1 * 80)
    normal_rows = json.loads((folder / "environment.json").read_text())["data"]
    with np.load(halves) as data:
        assert normal_rows["train"][0] + normal_rows["validation"][0] == (data["y"] == 1).sum()
    assert 0 < normal_rows["validation"][0] < kept + 1
    assert (folder / "figures" / "roc.png").is_file()
    assert json.loads((folder / "detection.json").read_text())["runs"][0]["measured"] == found["measured"]


def test_each_label_in_turn_makes_a_table_with_the_mean(npae: Any, halves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("detect", "ae", "--data", halves, "--normal", "all", "--out", "series", *SMALL)
    found = json.loads(npae(*words, "--json").out)
    assert [run["normal"] for run in found["runs"]] == [[0], [1], [2]]
    areas = [run["measured"]["reconstruction_error"]["auroc"]["value"] for run in found["runs"]]
    assert found["mean"]["auroc"]["reconstruction_error"] == pytest.approx(np.mean(areas))
    assert (Path("series") / "auroc.png").is_file()
    stamps = [path.stat().st_mtime_ns for path in sorted(Path("series").glob("*/checkpoint/last.json"))]
    monkeypatch.setattr("npae.cli.detect.draw", lambda found, path: None)
    said = npae(*words)
    assert [path.stat().st_mtime_ns for path in sorted(Path("series").glob("*/checkpoint/last.json"))] == stamps  # nothing trained again
    assert said.status == 0
    assert [line.split()[0] for line in said.out.splitlines() if line.strip() and line[0] in "012m"] == ["0", "1", "2", "mean"] * 2
    assert f"{np.mean(areas):.3f}" in said.out


def test_a_run_scores_other_rows_into_a_table(npae: Any, run_of: Any, tmp_path: Path) -> None:
    folder = run_of("vae")
    np.save(tmp_path / "new.npy", np.random.default_rng(0).random((7, 8, 8)).astype(np.float32))
    said = npae("detect", folder, "--data", "new.npy", "--scores", "new.csv")
    assert (said.status, said.err) == (0, "")
    assert "the rows have no labels, so nothing is judged" in said.out
    with Path("new.csv").open() as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["row", "reconstruction_error", "negative_elbo", "negative_log_likelihood"]
    assert [row["row"] for row in table] == [str(number) for number in range(7)]
    scores = strangeness(library.load(folder, backend="numpy"), np.load("new.npy").reshape(7, -1))
    assert [float(row["reconstruction_error"]) for row in table] == scores["reconstruction_error"].tolist()


def test_a_run_is_judged_where_normal_says_which_labels_are(npae: Any, run_of: Any) -> None:
    said = npae("detect", run_of("vae"), "--normal", "0,1,2,3,4")
    assert said.status == 0
    assert "normal is label 0,1,2,3,4; 12 rows of validation rows" in said.out
    assert "one-class SVM" in said.out
    assert "trained on rows of every label" in said.out
    assert "nothing is judged" in npae("detect", run_of("vae")).out


def test_a_trained_detector_remembers_what_is_normal(npae: Any, halves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npae.cli.detect.draw", lambda found, path: None)
    npae("detect", "ae", "--data", halves, "--normal", "2", "--out", "series", *SMALL)
    said = npae("detect", "series/normal-2")
    assert "normal is label 2" in said.out
    assert "every label" not in said.out
    said = npae("detect", "series/normal-2", "--normal", "1")
    assert said.status == 2
    assert "was trained on rows of label 2; leave --normal out" in said.err


REFUSED = {
    "neither run nor model": ("detect vea", ["'vea' is no run folder, and no model or preset either"]),
    "nothing normal": ("detect vae", ["--normal is missing", "--normal 3"]),
    "a normal word": ("detect vae --normal threes", ["--normal 'threes' is not a label"]),
    "a label of no row": ("detect vae --normal 12 --quiet", ["--normal 12: none of the", "has label 12"]),
    "a model that reads labels": ("detect cvae --normal 3", ["this cvae reads labels"]),
    "no samples": ("detect vae --normal 3 --samples 0", ["--samples 0", "at least 1"]),
    "a table of another kind": ("detect RUN --scores scores.xls", ["--scores scores.xls", ".npz or .csv"]),
    "a run and a setting": ("detect RUN --epochs 3", ["is trained already", "--epochs", "leave it out"]),
    "a run and a folder": ("detect RUN --out elsewhere", ["is trained already", "--out"]),
    "a run and all labels": ("detect RUN --normal all", ["--normal all", "one run"]),
    "a setting that detect decides": ("detect vae --normal 3 --set keep=1", ["--set keep=1", "leave it out"]),
    "scores of a training": ("detect vae --normal 3 --scores s.npz", ["--scores s.npz is for a run"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_detected_is_said_in_one_line(case: str, npae: Any, run_of: Any) -> None:
    words, parts = REFUSED[case]
    said = npae(*(run_of("vae") if word == "RUN" else word for word in words.split()))
    assert (said.status, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    for part in parts:
        assert part in said.err


def test_a_series_with_other_settings_is_not_overwritten(npae: Any, halves: Path) -> None:
    words = ("detect", "ae", "--data", halves, "--normal", "2", "--out", "series", *SMALL)
    npae(*words)
    said = npae(*words, "--learning-rate", "0.5")
    assert said.status == 2
    assert "series/normal-2 was made with learning_rate = 0.002, not 0.5; give another --out, or remove that folder" in said.err


def test_control_c_keeps_what_is_done(npae: Any, halves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.cli import series

    words = ("detect", "ae", "--data", halves, "--normal", "all", "--out", "series", *SMALL)
    train_run, trained = series.train_run, []

    def interrupted(run: Any, folder: Path, *, quiet: bool) -> int:
        trained.append(folder.name)
        return 130 if len(trained) == 3 else train_run(run, folder, quiet=quiet)

    monkeypatch.setattr(series, "train_run", interrupted)
    monkeypatch.setattr("npae.cli.detect.draw", lambda found, path: None)
    monkeypatch.setattr("npae.cli.detect.baseline_strangeness", lambda train, x, *, seed: {})
    said = npae(*words)
    assert said.status == 130
    assert "stopped after 2 of 3; the same command goes on from there" in said.out
    assert npae(*words).status == 0
    assert trained == ["normal-0", "normal-1", "normal-2", "normal-2"]
