"""The command line in this process, and small finished runs to use it on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.datasets import load_digits

from npae.cli import main
from npae.figures import run_figures

SMALL = ["--epochs", "2", "--hidden", "8", "--backend", "numpy"]


class Said(NamedTuple):
    """What a command ended with, and what it printed."""

    status: int
    out: str
    err: str


Npae = Callable[..., Said]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test in an empty folder of its own, with no backend chosen outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NPAE_BACKEND", raising=False)


@pytest.fixture
def pictures() -> None:
    """A test that asks for this gets its pictures drawn; elsewhere they are left out, since they take longer than the training."""


@pytest.fixture(autouse=True)
def without_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """See `pictures`."""
    if "pictures" not in request.fixturenames:
        monkeypatch.setattr(run_figures, "draw_run", lambda run, folder: [])


@pytest.fixture
def npae(capfd: pytest.CaptureFixture[str]) -> Npae:
    """npae("train", "vae", ...): run the command here; words may be paths and numbers."""

    def run(*words: Any) -> Said:
        capfd.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as leaving:  # argparse's own end, after --help and --version
            status = int(leaving.code or 0)
        captured = capfd.readouterr()
        return Said(status, captured.out, captured.err)

    return run


@pytest.fixture
def refused(npae: Npae) -> Callable[[list[str], list[str]], str]:
    """refused(words, fragments): the one line of a refusal, after everything that all of them have in common is checked."""

    def refuse(words: list[str], fragments: list[str]) -> str:
        said = npae(*words)
        assert said.status == 2, said
        assert said.out == ""
        assert said.err.startswith("npae: error: ")
        assert said.err.endswith("\n")
        assert said.err.count("\n") == 1, said.err
        assert "Traceback" not in said.err
        for fragment in fragments:
            assert fragment in said.err, said.err
        return said.err

    return refuse


@pytest.fixture(scope="session")
def images() -> Any:
    """120 images of 8 x 8 in [0, 1], and their labels."""
    digits = load_digits()
    return (digits.images[:120] / 16).astype(np.float32), digits.target[:120]


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory, images: Any) -> Path:
    """They as a .npz with labels."""
    path = tmp_path_factory.mktemp("data") / "few.npz"
    np.savez(path, x=images[0], y=images[1])
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, few: Path) -> Callable[[str], Path]:
    """finished("vae"): a run on them, trained once for all tests; nobody writes into it."""
    runs: dict[str, Path] = {}

    def run(kind: str) -> Path:
        if kind not in runs:
            folder = tmp_path_factory.mktemp("runs") / kind
            words = ["train", kind, *SMALL, "--latent", "2", "--data", str(few), "--out", str(folder), "--quiet", "--json"]
            assert main(words) == 0
            runs[kind] = folder
        return runs[kind]

    return run


@pytest.fixture
def run_of(finished: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """run_of("vae"): a copy of it that a test may do anything to."""

    def copy(kind: str) -> Path:
        folder = tmp_path / f"a-{kind}"
        if not folder.exists():
            shutil.copytree(finished(kind), folder)
        return folder

    return copy
