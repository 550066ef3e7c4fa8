"""`--device` and `--eager`: other words for settings, and refused where they contradict one."""

from __future__ import annotations

import argparse
import sys
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from npae import backend as backends
from npae.cli.reproduce import DEFAULT_FOLDER
from npae.cli.settings import add_settings, given_flags
from npae.kernels.cuda import device

TRAIN = ["train", "ae", "--epochs", "1", "--hidden", "8", "--latent", "2", "--quiet", "--out", "run"]


def flags(*words: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a verb with all settings makes of those words."""
    parser = argparse.ArgumentParser()
    add_settings(parser, without=without)
    return given_flags(parser.parse_args(words), without=without)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ((), {}),
        (("--device", "cpu"), {"backend": "numba"}),
        (("--device", "cuda"), {"backend": "cupy"}),
        (("--device", "cuda", "--backend", "cupy"), {"backend": "cupy"}),
        (("--device", "cuda", "--eager"), {"backend": "cupy", "step": "eager"}),
        (("--eager", "--latent", "3"), {"step": "eager", "latent": 3}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_they_are_other_words_for_backend_and_step(words: tuple[str, ...], meant: dict[str, Any]) -> None:
    assert flags(*words) == meant


def test_a_verb_that_decides_them_itself_has_no_such_words() -> None:
    with pytest.raises(SystemExit):
        flags("--device", "cpu", without=("backend",))
    with pytest.raises(SystemExit):
        flags("--eager", without=("step",))
    assert flags("--latent", "3", without=("backend", "step")) == {"latent": 3}


def test_the_run_records_the_backend_that_the_device_means(npae: Any) -> None:
    assert npae(*TRAIN, "--device", "cpu").status == 0
    assert tomllib.loads(Path("run/config.toml").read_text())["backend"] == "numba"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--device", "cpu", "--backend", "numpy"], "--device cpu means backend numba, and backend numpy is given too; give one of them"),
        (["--device", "cpu", "--set", "backend=numpy"], "backend is given twice, as numba and as numpy; give it once"),
        (["--eager", "--set", "step=compiled"], "step is given twice, as eager and as compiled; give it once"),
        (["--device", "gpu"], "argument --device: invalid choice: 'gpu'"),
        (["--eager", "--backend", "numpy"], "step 'eager' runs on a GPU, and the backend is numpy; take --backend cupy, or step auto"),
        (["--set", "step=captured", "--backend", "numba"], "step 'captured' runs on a GPU, and the backend is numba; take --backend cupy"),
    ],
)
def test_what_contradicts_itself_is_refused_in_one_line(
    refused: Callable[[list[str], list[str]], str], words: list[str], said: str
) -> None:
    refused([*TRAIN, *words], [said])
    assert not Path("run/checkpoint").exists()


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is fetched on a machine without CuPy and without any data."""
    monkeypatch.setitem(sys.modules, "cupy", None)  # its import fails
    monkeypatch.setattr(device, "_chosen", [])
    backends._instance.cache_clear()
    for variable in ("NPAE_DATA_DIR", "XDG_CACHE_HOME"):
        (tmp_path / variable).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.delenv("NPAE_OFFLINE", raising=False)
    asked: list[str] = []

    def urlopen(url: str, **_: Any) -> None:
        asked.append(url)
        raise OSError("no network in tests")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


NO_GPU = "backend 'cupy': CuPy is not installed; pip install -e '.[gpu]', or use --backend numba"


@pytest.mark.parametrize(
    "words",
    [
        "reproduce flux-ae --backend cupy",
        "reproduce all --backend cupy",
        "train flux-ae --device cuda",
        "sweep ae --data mnist --latent 2,4 --backend cupy",
        "detect ae --data mnist --normal all --backend cupy",
        "explain --step flux-ae --backend cupy",
    ],
)
def test_a_gpu_that_is_not_there_is_said_before_any_data_are_fetched(
    refused: Callable[[list[str], list[str]], str], fetched: list[str], words: str
) -> None:
    refused(words.split(), [NO_GPU])
    assert fetched == []
    assert not DEFAULT_FOLDER.exists()


def test_where_the_backend_is_there_the_data_are_fetched(fetched: list[str], npae: Any) -> None:
    said = npae("reproduce", "flux-ae", "--backend", "numpy")
    assert said.status == 2
    assert fetched
