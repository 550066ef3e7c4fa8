"""`gradcheck`, `data`, `doctor` and `--help`: their exit statuses, what they print, and what they do not import."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae as library
from npae.backend import Array
from npae.cli import VERBS
from npae.data.catalogue import CATALOGUE
from npae.inspection.subjects import subjects
from npae.layers import Dense
from npae.layers.node import _guard_backward
from npae.training.options import OPTIONS

# ---- gradcheck


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_right_gradients_end_with_status_0(backend: str, npae: Any) -> None:
    said = npae("gradcheck", "dense", "--backend", backend)
    assert (said.status, said.err) == (0, "")
    assert "passed: 3 tensors" in said.out
    assert backend in said.out


def test_all_is_the_default_and_covers_every_subject(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.cli import gradcheck

    asked: list[str] = []
    monkeypatch.setattr(gradcheck, "chosen", lambda name: (asked.append(name), subjects()[:1])[1])  # type: ignore[func-returns-value]
    assert npae("gradcheck").status == 0
    assert asked == ["all"]


def break_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """db is forgotten."""

    def backward(self: Dense, dy: Array) -> Array:
        self.backend.matmul(self.x.T, dy, out=self.W.grad, accumulate=True)
        return np.asarray(self.backend.matmul(dy, self.W.value.T, out=self.buffer("dx", self.x.shape)))

    monkeypatch.setattr(Dense, "backward", _guard_backward(backward))


def test_a_broken_gradient_ends_with_status_1_and_is_named(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    break_dense(monkeypatch)
    said = npae("gradcheck", "dense", "--backend", "numpy")
    assert said.status == 1
    assert "FAILED" in said.out
    wrong = [line for line in said.out.splitlines() if "WRONG" in line]
    assert len(wrong) == 1
    assert re.search(r"\bb\b", wrong[0])


def test_a_broken_gradient_in_json(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    good = npae("gradcheck", "dense", "--json", "--backend", "numpy")
    break_dense(monkeypatch)
    bad = npae("gradcheck", "dense", "--json", "--backend", "numpy")
    assert (good.status, bad.status) == (0, 1)
    right, wrong = json.loads(good.out), json.loads(bad.out)
    assert right["passed"] is True
    assert right["error"] <= right["tolerance"] == 1e-7
    assert wrong["passed"] is False
    assert {row["tensor"]: row["passed"] for row in wrong["rows"]} == {"x": True, "W": True, "b": False}


def test_a_broken_gradient_is_seen_through_a_whole_model(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    break_dense(monkeypatch)
    assert npae("gradcheck", "ae", "--backend", "numpy", "--entries", 4).status == 1


# ---- data


def test_the_list_names_every_data_set_and_where_it_lies(npae: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NPAE_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said = npae("data", "list")
    assert (said.status, said.err) == (0, "")
    for name in CATALOGUE:
        assert name in said.out
    assert "npae data fetch mnist" in said.out
    rows = json.loads(npae("data", "list", "--json").out)
    assert [row["name"] for row in rows] == list(CATALOGUE)
    made_here = {"digits": "scikit-learn"} | dict.fromkeys(("tones", "dates", "dates-reverse"), "generated")
    assert {row["name"]: row["where"] for row in rows} == dict.fromkeys(CATALOGUE) | made_here


def put_mnist(folder: Path) -> Path:
    """A folder that looks like MNIST's; the content is not read by `path` and `list`."""
    where = folder / "mnist"
    where.mkdir(parents=True)
    for file in CATALOGUE["mnist"].files:
        (where / file.name).write_bytes(b"")
    return where


@pytest.mark.parametrize("name", ["my data", "data[old]", "data[b]bold[/b]", "[/red]"])
def test_a_folder_is_printed_as_it_is_called(name: str, npae: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    where = put_mnist(tmp_path / name)
    monkeypatch.setenv("NPAE_DATA_DIR", str(tmp_path / name))
    assert npae("data", "path", "mnist") == (0, f"{where}\n", "")
    assert str(where) in npae("data", "list").out


def test_a_data_set_that_is_not_here_is_said_with_the_way_to_get_it(npae: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NPAE_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said = npae("data", "path", "mnist")
    assert (said.status, said.out) == (2, "")
    assert "npae data fetch mnist" in said.err
    assert str(tmp_path) in said.err


def test_fetch_offline_is_refused_in_one_line(npae: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NPAE_OFFLINE", "1")
    monkeypatch.delenv("NPAE_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said = npae("data", "fetch", "mnist")
    assert said.status == 2
    assert "NPAE_OFFLINE" in said.err
    assert said.err.count("\n") == 1


# ---- doctor


def test_doctor_says_what_was_found_and_what_will_be_used(npae: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NPAE_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said = npae("doctor")
    assert (said.status, said.err) == (0, "")
    for fragment in ("python", "numpy", "numba", "threads", "gpu", "will use      numba", "chosen by: default", "digits", "mnist"):
        assert fragment in said.out
    found = json.loads(npae("doctor", "--json").out)
    assert (found["backend"], found["works"], found["backends"]["numpy"]) == ("numba", True, "works")
    assert set(found["data"]) == set(CATALOGUE)
    assert found["gemm_gflops"] > 0


def test_doctor_says_who_chose_the_backend(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPAE_BACKEND", "numpy")
    found = json.loads(npae("doctor", "--json").out)
    assert (found["backend"], found["backend_chosen_by"]) == ("numpy", "NPAE_BACKEND")


def test_doctor_ends_with_status_1_when_the_backend_that_would_be_used_does_not_work(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.cli import doctor

    broken = "cannot be imported: No module named 'llvmlite'"
    monkeypatch.setattr(doctor, "_try_backend", lambda name: broken if name == "numba" else "works")
    said = npae("doctor")
    assert said.status == 1
    assert broken in said.out


# ---- help


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_help_lists_every_verb(words: list[str], npae: Any) -> None:
    said = npae(*words)
    assert (said.status, said.err) == (0, "")
    for verb, text in VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(text)}$", said.out, flags=re.M)


def test_the_version_is_printed(npae: Any) -> None:
    assert npae("--version") == (0, f"npae {library.__version__}\n", "")


def options_of(verb: str) -> set[str]:
    """The options that the verb adds to its parser, seen from outside."""
    import argparse

    parser = argparse.ArgumentParser(add_help=False)
    importlib.import_module(f"npae.cli.{verb.replace('-', '_')}").add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_mentions_every_option_and_what_it_means(verb: str, npae: Any) -> None:
    said = npae(verb, "--help")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"usage: npae {verb}")
    for option in options_of(verb):
        assert re.search(rf"^  {option}\b.*(\n +)?\S", said.out, flags=re.M), option
    assert f"npae {verb}" in said.out.split("\n\n", 1)[1]  # an example


def test_the_help_of_train_lists_every_setting(npae: Any) -> None:
    shown = npae("train", "--help").out
    for key, option in OPTIONS.items():
        assert ("--" + key.replace("_", "-") if option.flag else f"  {key} ") in shown
    flags = options_of("train")
    settings = "data epochs batch-size learning-rate hidden latent beta lambda seed dtype backend validation patience keep"
    assert flags == {f"--{name}" for name in (settings + " device eager out resume set config json quiet no-figures").split()}


HEAVY = ("numpy", "numba", "matplotlib", "scipy", "sklearn", "rich", "safetensors")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["nonsense"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    program = (
        "import sys\nfrom npae.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_the_help_of_train_needs_neither_a_compiler_nor_pictures() -> None:
    program = "import sys\nfrom npae.cli import main\ntry:\n    main(['train', '--help'])\nexcept SystemExit:\n    pass\n"
    program += "print('LOADED', [name for name in ('numba', 'matplotlib', 'sklearn') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize(
    ("words", "first"), [("train --help", "usage: npae train"), ("explain", "npae explain"), ("explain vae", "vae, a model")]
)
def test_a_pipe_that_closes_early_is_no_error(words: str, first: str) -> None:
    piped = f"{sys.executable} -m npae {words} | head -c {len(first)}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == first


def test_a_table_leaves_no_blanks_at_the_end_of_its_lines(npae: Any) -> None:
    lines = npae("explain").out.splitlines()
    assert "layers" in lines
    assert [line for line in lines if line != line.rstrip()] == []
