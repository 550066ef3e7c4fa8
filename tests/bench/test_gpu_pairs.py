"""MMD and distances on a GPU beside other libraries, on a stand-in: every form agrees with the truth, and the whole of it once."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_gpu import FakeGpu

from bench import floors, kernel_peers
from bench.__main__ import main
from bench.command_kernels import CUDA_SIZES, SIZES, sizes_of
from bench.gpu import results
from bench.gpu.targets import AS_WRITTEN
from bench.machine import installed
from bench.peers_of_kernels import contenders, processes
from bench.peers_of_kernels.agreement import differences, truth_of
from bench.peers_of_kernels.contenders import CUDA_CONTENDERS, OWN, OWN_ON_GPU, Contender, contenders_on
from bench.peers_of_kernels.problem import Problem, Size, make
from bench.peers_of_kernels.processes import NotRun, check
from npae.kernels.registry import resolve

SIZE = Size(60, 50, 3)
TABLE = [(comparison, name) for comparison, table in CUDA_CONTENDERS.items() for name in table if name != "keops-cuda"]


class HostClock:
    """In place of a library's events."""

    def __init__(self, *_: Any) -> None:
        pass

    def seconds(self, work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    def extra(self, call: Callable[[], Any]) -> tuple[Any, int | None]:
        return call(), 0


@pytest.fixture
def on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's forms with the CPU as their device."""
    if installed("torch"):
        from bench.peers_of_kernels import torch_cuda_forms

        monkeypatch.setattr(torch_cuda_forms, "DEVICE", "cpu")
        monkeypatch.setattr(torch_cuda_forms, "TorchClock", HostClock)


def truth_for(problem: Problem) -> dict[str, Any]:
    reference = resolve("distance_order_statistic", "reference")
    of_zw, of_zz = problem.ranks
    picked = [reference(problem.z, problem.w, of_zw), reference(problem.z, problem.z, of_zz)]
    return truth_of(problem, {"distances": np.array(picked if problem.comparison == "mmd" else [])})


@pytest.mark.usefixtures("gpu", "on_a_cpu")
@pytest.mark.parametrize(("comparison", "name"), TABLE)
def test_every_form_agrees_with_the_truth_and_reads_only_when_asked_to(comparison: str, name: str) -> None:
    contender = CUDA_CONTENDERS[comparison][name]
    if not all(map(installed, contender.packages)):
        pytest.skip(f"{name} is not installed")
    module, function = contender.form.split(":")
    problem = make(comparison, SIZE, "float32")
    form = getattr(importlib.import_module(module), function)(problem)
    given, extra = form.clock.extra(form.call)
    read = form.read(given)
    found = {"value": read[0], "dz": np.asarray(read[2])} if isinstance(read, tuple) else {"d2": np.asarray(read)}
    assert max(differences(name, SIZE, "float32", found, truth_for(problem)).values()) < 1e-4
    assert form.clock.seconds(form.call) > 0
    assert extra is None or extra >= 0


@pytest.mark.usefixtures("gpu")
def test_npaes_picks_are_exact_to_the_last_bit() -> None:
    from bench.peers_of_kernels.npae_cuda_forms import mmd

    problem = make("mmd", SIZE, "float32")
    form = mmd(problem)
    reference = resolve("distance_order_statistic", "reference")
    of_zw, of_zz = problem.ranks
    exact = reference(problem.z, problem.w, of_zw), reference(problem.z, problem.z, of_zz)
    assert form.read(form.call())[1] == exact


def test_npae_comes_first_and_its_form_on_the_gpu_before_all() -> None:
    assert next(iter(contenders_on(["cpu"], "mmd"))) == OWN
    assert list(contenders_on(["cpu", "cuda"], "mmd"))[:2] == [OWN_ON_GPU, OWN]
    assert AS_WRITTEN in contenders_on(["cuda"], "mmd")


def test_a_gpu_has_larger_sizes_of_its_own() -> None:
    assert [str(size) for size in sizes_of("mmd", None, ("cuda",))] == CUDA_SIZES["mmd"].split(",")
    assert [str(size) for size in sizes_of("mmd", None, ("cpu",))] == SIZES.split(",")
    assert [str(size) for size in sizes_of("mmd", "40x3", ("cpu", "cuda"))] == ["40x3"]


def test_who_finds_no_gpu_and_who_does_not_fit_into_its_memory_is_named(gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = Contender("module:function", (), "", on_gpu=True, probe="raise SystemExit('no CUDA here')")
    with pytest.raises(NotRun, match=r"^absent: finds no GPU: no CUDA here$"):
        check(lacking, SIZE, 4)
    with pytest.raises(NotRun, match=r"^would need 58 GB of arrays, 8 GB are available$"):
        check(Contender("module:function", (), "", matrices=4.0, on_gpu=True), Size(60_000, 10, 8), 4)
    monkeypatch.setattr(processes, "available_memory", lambda: 1)
    check(Contender("module:function", (), "", matrices=4.0, on_gpu=True), Size(6_000, 10, 8), 4)


@pytest.mark.usefixtures("workers_on_fake_gpu")
def test_the_whole_runs_and_who_computes_something_else_is_not_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Contender("bench.peers_of_kernels.npae_cuda_forms:mmd", (), "another kernel", on_gpu=True, variables={})
    monkeypatch.setitem(CUDA_CONTENDERS["mmd-imq"], "jax-cuda", wrong)
    monkeypatch.setitem(contenders.CONTENDERS["mmd-imq"], OWN, contenders.CONTENDERS["mmd-imq"]["numpy"])
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(floors, "SECONDS", 0.0)
    monkeypatch.setattr(floors, "GEMM", 64)
    monkeypatch.setattr(kernel_peers, "OFFSET", 0.5)
    words = ["--kernels", "mmd-imq", "--peers", "jax-cuda,numpy", "--sizes", "40x3", "--rounds", "2", "--seconds", "0.001"]
    assert main(["kernels", "--device", "cpu,cuda", *words, "--patience", "0"]) == 0
    shown = capsys.readouterr().out
    assert "npae-cuda / numpy, the fastest of the others" in shown
    assert "jax-cuda does not take part: jax-cuda disagrees at 40x3" in shown
    (file,) = tmp_path.glob("*.json")
    content = json.loads(file.read_text())
    group = content["compared"]["groups"][0]
    assert [row["name"] for row in group["rows"]] == [OWN_ON_GPU, OWN, "numpy", "jax-cuda"]
    assert set(group["floors_milliseconds"]) == {"cpu", "cuda"}
    assert content["compared"]["gpu"]["driver"] == "550.54.15"
    assert file.with_suffix(".png").stat().st_size > 1000
