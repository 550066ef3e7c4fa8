"""`python -m bench step`: agreement before timing, who is absent, who cannot, bad input, and the whole of it once."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import peers, step
from bench.__main__ import main
from bench.catalogue import DEFAULT, settings_of
from bench.errors import Disagreement
from bench.interleave import Plan
from bench.machine import VARIABLES, cores, installed, pinned
from bench.problem import Written, answer, make_model, read, write_model
from bench.step import cannot, check, command, verdict
from bench.workers import Worker

ROOT = Path(__file__).parents[2]
TRUTH = {"terms": {"nll": 200.0, "kl": 3.0}, "later": 190.0}


def test_a_contender_within_the_tolerances_agrees() -> None:
    found = {"terms": {"nll": 200.0, "kl": 3.0 * (1 + 9e-6)}, "later": 190.0 * (1 + 9e-5)}
    assert check("torch", "vae", found, TRUTH) == pytest.approx(9e-6, rel=1e-3)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"terms": {"nll": 200.0, "kl": 3.0001}, "later": 190.0}, r"torch disagrees on vae: kl is 3\.0001, the truth is 3"),
        ({"terms": {"nll": 200.0}, "later": 190.0}, "kl is nan"),
        ({"terms": {"nll": 200.0, "kl": 3.0}, "later": 190.1}, r"total after three steps is 190\.1"),
        ({"terms": {"nll": float("nan"), "kl": 3.0}, "later": 190.0}, "nll is nan"),
    ],
)
def test_a_contender_that_computes_something_else_is_named_with_the_numbers(found: dict[str, Any], message: str) -> None:
    with pytest.raises(Disagreement, match=message):
        check("torch", "vae", found, TRUTH)


def test_a_disagreement_stops_the_bench_with_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def disagree(**_: object) -> None:
        check("jax", "wae", {"terms": {}, "later": 0.0}, TRUTH)

    monkeypatch.setattr(step, "run", disagree)
    assert main(["step"]) == 1
    assert "jax disagrees on wae: nll is nan, the truth is 200" in capsys.readouterr().err


@pytest.fixture
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """step.run without data, rates and workers."""
    monkeypatch.setattr(step, "write_data", lambda folder: "no data")
    monkeypatch.setattr(step, "share_of_nonzeros", lambda folder: 0.2)
    monkeypatch.setattr(step, "rates", lambda threads: {"gemm_flops": 1e9, "exponentials": 1e9, "copy_bytes": 1e9})
    monkeypatch.setattr(step, "write_model", lambda folder, model, batch, dtype: Written({}, 100, 1, None))
    monkeypatch.setattr(step, "bench_model", lambda *arguments: [])


@pytest.mark.usefixtures("nothing_is_measured")
def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(peers, "installed", lambda package: None if package == "jaxlib" else "1.0")
    assert main(["step", "--models", "ae", "--peers", "jax", "--patience", "0"]) == 0
    assert "jax is absent: not installed: pip install -e '.[bench]'" in capsys.readouterr().out


def test_a_peer_without_the_compiler_that_it_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "installed", lambda package: "1.0")
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert peers.PEERS["torch-compile"].absent() == "no C++ compiler, which it needs: install g++, or name another in CXX"
    assert peers.PEERS["torch"].absent() == ""


@pytest.mark.usefixtures("nothing_is_measured")
def test_patience_is_shared_by_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[Plan] = []

    def remember(*arguments: Any) -> list[dict[str, Any]]:
        plans.append(arguments[-1])
        return []

    monkeypatch.setattr(step, "bench_model", remember)
    monkeypatch.setattr(Plan, "wait", lambda self: None)
    step.run(models="ae,vae,wae", backends="numpy", peers="none", batch=100, threads=1, plan=Plan(1, 0.1, 60.0))
    assert [plan.patience for plan in plans] == [20.0, 20.0, 20.0]


def test_a_cached_start_is_the_median_of_three_and_the_first_is_none_of_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Silent:
        def __init__(self, *arguments: Any, **named: Any) -> None:
            self.open = True

        def __enter__(self) -> Silent:
            return self

        def __exit__(self, *error: object) -> None:
            self.open = False

        def ask(self, question: str) -> dict[str, Any]:
            assert self.open
            return {"terms": TRUTH["terms"], "later": TRUTH["later"]}

    seconds = iter([20.0, 1.0, 5.0, 2.0])
    monkeypatch.setattr(step, "Worker", Silent)
    monkeypatch.setattr(step, "start", lambda worker: next(seconds))
    with contextlib.ExitStack() as stack:
        worker, row = step._started("compiled", "vae", tmp_path, {}, Written(TRUTH, 100, 1, None), stack)
        assert isinstance(worker, Silent)
        assert worker.open
    assert row["start_seconds"] == {"first": 20.0, "next": {"q1": 1.5, "median": 2.0, "q3": 3.5}}
    assert next(seconds, None) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["step", "--models", "vea"], "--models 'vea' is not known; did you mean 'vae'?"),
        (["step", "--models", "torch_ae"], "--models 'torch_ae' is not known; did you mean 'torch-ae'?"),
        (["step", "--peers", "tensorflow"], "--peers 'tensorflow' is not known"),
        (["step", "--backends", "none", "--peers", "none"], "nothing to measure"),
        (["step", "--threads", "4096"], "--threads 4096: this process may use"),
        (["step", "--threads", "0"], "--threads 0: this process may use"),
        (["step", "--rounds", "0"], "--rounds 0 is not above 0"),
        (["step", "--batch", "0"], "--batch 0 is not above 0"),
        (["step", "--json", "no/such/folder/result.json"], "its folder does not exist"),
        (["step", "--plot", "bars.pdf"], "--plot bars.pdf: suffix '.pdf' is not .png or .svg"),
        (["step", "--plot", "no/such/folder/bars.png"], "its folder does not exist"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_threads_are_pinned_by_cores_and_by_variables() -> None:
    before = cores()
    with pinned(1) as variables:
        assert cores() == 1
        assert variables == dict.fromkeys(VARIABLES, "1")
    assert cores() == before


@pytest.mark.parametrize("model", DEFAULT)
def test_numba_agrees_with_the_truth(model: str, small_problem: Path) -> None:
    written = write_model(small_problem, model, 20)
    problem = read(small_problem, model)
    found = answer(*make_model(settings_of(model, "numba"), problem.parameters), problem.x, problem.noise)
    check("numba", model, found, written.truth)


def test_the_problem_is_hard_enough_to_tell_a_wrong_optimiser(small_problem: Path) -> None:
    written = write_model(small_problem, "flux-vae", 20)
    problem = read(small_problem, "flux-vae")
    network, adam = make_model(settings_of("flux-vae", "numpy"), problem.parameters)
    adam.learning_rate *= 1.01
    with pytest.raises(Disagreement, match="total after three steps"):
        check("numpy", "flux-vae", answer(network, adam, problem.x, problem.noise), written.truth)


def test_a_peers_process_agrees_with_the_truth_and_then_steps(small_problem: Path, tmp_path: Path) -> None:
    written = write_model(small_problem, "relu-ae", 20)
    words = command("sklearn", small_problem, "relu-ae")
    with Worker("sklearn", words, folder=tmp_path, variables={"OMP_NUM_THREADS": "1"}) as worker:
        check("sklearn", "relu-ae", worker.ask("agree"), written.truth)
        assert worker.ask("steps", count=1)["steps"] >= 1
        assert worker.ask("about")["peak_bytes"] > 1e6


def test_who_cannot_run_a_model_says_why() -> None:
    unknown = Written({}, 100, 1, None, cannot={"peers": "the objective of a sparse", "compiled": "penalty kl"})
    assert cannot("jax", unknown) == "the peers do not know the objective of a sparse"
    assert cannot("compiled", unknown) == "penalty kl"
    assert cannot("numba", unknown) == ""


def row(name: str, rounds: list[float]) -> dict[str, Any]:
    return {"name": name, "rounds": rounds, "milliseconds": {"median": sorted(rounds)[len(rounds) // 2]}}


def test_the_verdict_is_npaes_fastest_over_the_fastest_peer_round_by_round() -> None:
    rows = [row("numpy", [9.0, 9.0, 9.0]), row("compiled", [1.0, 2.0, 4.0]), row("jax", [2.0, 4.0, 8.0]), row("torch", [5.0, 5.0, 5.0])]
    found = verdict(rows)
    assert found == {"npae": "compiled", "peer": "jax", "ratio": {"q1": 0.5, "median": 0.5, "q3": 0.5}}
    assert verdict(rows[:2]) is None
    assert verdict(rows[2:]) is None


def test_the_whole_runs_and_leaves_ratios_as_json_and_a_picture(tmp_path: Path) -> None:
    result, picture = tmp_path / "result.json", tmp_path / "bars.png"
    options = "--models ae --backends numpy --peers naive-numpy,sklearn --rounds 2 --seconds 0.02 --patience 0 --batch 20"
    run = [sys.executable, "-m", "bench", "step", *options.split(), "--json", str(result), "--plot", str(picture)]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "numpy / this" in done.stdout
    assert "sklearn cannot: MLPRegressor's hidden layers cannot be leaky_relu" in done.stdout
    content = json.loads(result.read_text())
    assert {"command", "date", "machine", "versions", "rates", "models", "rows"} <= set(content)
    assert content["models"]["flux-ae"]["verdict"]["peer"] == "naive-numpy"
    rows = {row["name"]: row for row in content["rows"]}
    assert rows["numpy"]["base_over_this"] == {"q1": 1.0, "median": 1.0, "q3": 1.0}
    assert rows["naive-numpy"]["base_over_this"]["median"] > 0
    assert len(rows["numpy"]["rounds"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bars.png", "result.json"]


def test_versions_of_absent_packages_are_none() -> None:
    assert installed("numpy")
    assert installed("no-such-package") is None
