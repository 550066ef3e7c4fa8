"""`npae sweep`: a run a size, the errors beside PCA's, and a series that can be stopped, continued and extended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae as library
from npae.evaluation.pca import fit_pca

SMALL = ("--epochs", "1", "--hidden", "4", "--backend", "numpy", "--validation", "none", "--quiet")


@pytest.fixture
def plain(images: Any, tmp_path: Path) -> Path:
    """60 rows."""
    np.save(tmp_path / "plain.npy", images[0][:60])
    return tmp_path / "plain.npy"


def test_every_size_has_a_run_and_a_row_beside_pca(npae: Any, plain: Path) -> None:
    said = npae("sweep", "ae", "--data", plain, "--latent", "3,1", *SMALL, "--json")
    assert (said.status, said.err) == (0, "")
    found = json.loads(said.out)
    assert found["finished"]
    assert json.loads(Path("runs/sweep-ae-plain/sweep.json").read_text()) == found
    assert Path(found["picture"]).is_file()
    x = np.load(plain).reshape(60, -1)
    for row, size in zip(found["runs"], (1, 3), strict=True):
        model = library.load(row["run"], backend="numpy")
        assert (row["latent"], model.latent) == (size, size)
        assert row["squared_error"] == pytest.approx(np.mean((model.reconstruct(x) - x) ** 2, dtype=np.float64), rel=1e-5)
        assert row["pca_squared_error"] == pytest.approx(np.mean((fit_pca(x, size).reconstruct(x) - x) ** 2), rel=1e-5)


def test_the_same_command_trains_nothing_twice_and_more_sizes_are_added(npae: Any, plain: Path) -> None:
    words = ("sweep", "ae", "--data", plain, "--out", "sizes", *SMALL)
    npae(*words, "--latent", "1,2")
    stamp = Path("sizes/latent-1/checkpoint/last.json").stat().st_mtime_ns
    said = npae(*words, "--latent", "1,2,4")
    assert Path("sizes/latent-1/checkpoint/last.json").stat().st_mtime_ns == stamp
    assert [line.split()[0] for line in said.out.splitlines() if line.strip()[:1].isdigit()] == ["1", "2", "4"]


def test_control_c_keeps_the_sizes_that_are_done_and_says_how_to_go_on(npae: Any, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.cli import series

    train_run, trained = series.train_run, []

    def interrupted(run: Any, folder: Path, *, quiet: bool) -> int:
        trained.append(folder.name)
        return 130 if len(trained) == 2 else train_run(run, folder, quiet=quiet)

    monkeypatch.setattr(series, "train_run", interrupted)
    words = ("sweep", "ae", "--data", plain, "--latent", "1,2,4", "--out", "sizes", *SMALL)
    said = npae(*words)
    assert said.status == 130
    assert "stopped after 1 of 3 sizes; the same command goes on from there" in said.out
    assert npae(*words).status == 0
    assert trained == ["latent-1", "latent-2", "latent-2", "latent-4"]


def test_a_size_that_was_stopped_goes_on_where_it_was(npae: Any, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that two halves make is that of one piece, to the last bit."""
    from npae.training import loop

    words = ("sweep", "ae", "--data", plain, "--latent", "2", "--epochs", "4", *SMALL[2:])
    npae(*words, "--out", "whole")
    finish, epochs = loop.Trainer._finish_epoch, []

    def stop(trainer: Any, started: float) -> None:
        finish(trainer, started)
        epochs.append(trainer.epoch)
        if len(epochs) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop.Trainer, "_finish_epoch", stop)
    assert npae(*words, "--out", "halves").status == 130
    assert npae(*words, "--out", "halves").status == 0
    assert epochs == [1, 2, 3, 4]
    one, two = (library.load(f"{name}/latent-2", backend="numpy").parameters.value for name in ("whole", "halves"))
    np.testing.assert_array_equal(one, two)


REFUSED = {
    "sizes that are words": ("sweep ae --latent few", ["--latent 'few' is not a list of sizes", "2,4,8"]),
    "a size of nothing": ("sweep ae --latent 0,2", ["--latent '0,2'", "at least 1"]),
    "no such model": ("sweep oe", ["'oe' is neither a model nor a preset"]),
    "another model's option": ("sweep ae --beta 2", ["'beta' does not apply to model 'ae'"]),
    "a latent by the back door": ("sweep ae --set latent=3", ["--set latent=3", "leave it out"]),
    "a model that rebuilds nothing": ("sweep gan", ["this gan does not rebuild its rows"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_swept_is_said_in_one_line(case: str, npae: Any) -> None:
    words, parts = REFUSED[case]
    said = npae(*words.split())
    assert (said.status, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    for part in parts:
        assert part in said.err
