"""`trace`, `audit` and `influence` on a run and on a model: what they print, write and refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SMALL = ("--hidden", "8", "--latent", "2", "--backend", "numpy")


def test_a_trace_of_a_run_is_a_table_a_file_and_a_picture(npae: Any, run_of: Callable[[str], Path]) -> None:
    said = npae("trace", run_of("vae"), "--npz", "t.npz", "--picture", "t.png")
    assert (said.status, said.err) == (0, "")
    assert "of a vae" in said.out
    assert "encoder.2.mu" in said.out
    assert "loss " in said.out.splitlines()[-1]
    with np.load("t.npz", allow_pickle=False) as arrays:
        assert arrays["encoder.0.dW"].shape == (64, 8)
    assert Path("t.png").read_bytes().startswith(b"\x89PNG")


def test_a_runs_step_is_the_same_however_it_is_come_to(npae: Any, run_of: Callable[[str], Path], few: Path) -> None:
    again = npae("trace", run_of("vae"), "--step", 2, "--json")
    anew = npae("trace", "vae", "--step", 2, "--json", *SMALL, "--epochs", 2, "--data", few)
    tensors = [json.loads(said.out)["tensors"] for said in (again, anew)]
    assert tensors[0] == tensors[1]
    assert json.loads(again.out)["step"] == 2


def test_a_run_does_not_part_from_its_own_trace_and_does_from_another(npae: Any, run_of: Callable[[str], Path], few: Path) -> None:
    run = run_of("vae")
    Path("own.json").write_text(npae("trace", run, "--json").out)
    said = npae("trace", "--diff", run, "own.json")
    assert (said.status, said.err) == (0, "")
    assert "the two agree" in said.out
    Path("other.json").write_text(npae("trace", "vae", "--seed", 5, "--json", *SMALL, "--data", few).out)
    said = npae("trace", "--diff", "own.json", "other.json")
    assert said.status == 1
    assert "they part first in batch.x" in said.out
    assert json.loads(npae("trace", "--diff", "own.json", "other.json", "--json").out)["first"] == "batch.x"


def test_float64_and_another_backend_can_be_asked_of_a_run(npae: Any, run_of: Callable[[str], Path]) -> None:
    run = run_of("vae")
    for name, words in {"a": [], "b": ["--dtype", "float64"], "c": ["--backend", "numba"]}.items():
        assert npae("trace", run, "--npz", f"{name}.npz", *words).status == 0
    assert npae("trace", "--diff", "a.npz", "b.npz").status == 0
    assert npae("trace", "--diff", "a.npz", "c.npz").status == 0
    assert npae("trace", "--diff", "a.npz", "b.npz", "--tolerance", "0").status == 1


def test_a_trace_leaves_the_run_as_it_was(npae: Any, run_of: Callable[[str], Path]) -> None:
    run = run_of("vae")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for verb in (["trace"], ["trace", "--step", 5], ["audit"], ["influence"]):
        npae(verb[0], run, *verb[1:])
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_an_audit_ends_with_1_where_something_is_wrong_and_with_0_where_nothing_is(npae: Any, few: Path) -> None:
    good = npae("audit", "vae", *SMALL, "--data", few, "--steps", 10)
    assert good.status == 0, good
    assert good.out.endswith("nothing is wrong\n")
    bad = npae("audit", "vae", *SMALL, "--data", few, "--steps", 10, "--set", "free_bits=50")
    assert bad.status == 1
    assert "wrong  kl: clamped" in bad.out
    assert json.loads(npae("audit", "vae", *SMALL, "--data", few, "--steps", 10, "--json").out)["wrong"] is False


def test_an_audit_reads_a_configuration_file_and_a_run(npae: Any, run_of: Callable[[str], Path], few: Path) -> None:
    Path("mine.toml").write_text(f'model = "vae"\ndata = "{few}"\nhidden = [8]\nlatent = 2\nbackend = "numpy"\neta = 0.5\n')
    said = npae("audit", "mine.toml", "--steps", 5)
    assert said.status == 1
    assert "though it is set (file mine.toml)" in said.out
    said = npae("audit", run_of("vae"))
    assert said.status == 0
    assert "beta in nats: 1" in said.out


def test_the_rows_that_pull_hardest_are_listed_and_drawn(npae: Any, run_of: Callable[[str], Path], images: Any) -> None:
    said = npae("influence", run_of("vae"), "--rows", 100, "--top", 5, "--picture", "h.png")
    assert (said.status, said.err) == (0, "")
    assert "gradient-noise scale" in said.out
    assert Path("h.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads(npae("influence", run_of("vae"), "--rows", 100, "--top", 5, "--json").out)
    norms = [one["norm"] for one in content["hardest"]]
    assert [one["label"] for one in content["hardest"]] == [images[1][one["row"]] for one in content["hardest"]]
    assert len(norms) == 5
    assert norms == sorted(norms, reverse=True)
    assert norms[0] == pytest.approx(content["norms"]["1"])


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["trace"], ["nothing to trace", "npae trace vae"]),
        (["trace", "vea"], ["'vea' is no run folder, configuration file, model or preset; did you mean 'vae'?"]),
        (["trace", "xyz"], ["'xyz' is no run folder", "known: adcme-vae, ae,"]),
        (["audit", "runs/vea"], ["'runs/vea' is no run folder, configuration file, model or preset\n"]),
        (["influence", "notes.txt"], ["notes.txt is a file, and no configuration (.toml)"]),
        (["trace", "vae", "--step", "0"], ["--step 0: steps count from 1"]),
        (["trace", "vae", "--npz", "x.csv"], ["--npz x.csv", ".npz"]),
        (["trace", "vae", "--tolerance", "1"], ["--tolerance", "--diff A B"]),
        (["trace", "vae", "--diff", "a", "b"], ["--diff A B compares two traces"]),
        (["trace", "--diff", "a.npz", "b.npz"], ["a.npz: no such file"]),
        (["audit", "vae", "--steps", "-1"], ["--steps -1"]),
        (["audit", "missing.toml"], ["missing.toml: no such file"]),
        (["influence", "vae", "--top", "0"], ["--top 0"]),
        (["influence", "gan", "--steps", "0"], ["game of several losses"]),
        (["influence", "ae", "--rows", "1", "--steps", "0"], ["1 rows: at least 2"]),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(words: list[str], fragments: list[str], refused: Any) -> None:
    Path("notes.txt").write_text("to do")
    refused(words, fragments)


def test_a_setting_of_a_new_training_is_refused_for_a_run(refused: Any, run_of: Callable[[str], Path]) -> None:
    refused(["trace", str(run_of("vae")), "--latent", "3"], ["latent belongs to a new training"])
