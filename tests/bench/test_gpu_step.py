"""`python -m bench step --device cuda` on a stand-in: every worker's step agrees with the truth, and who fails has a row that says why."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_gpu import FakeGpu

from bench import peers, step
from bench.__main__ import main
from bench.captured_step import CapturedStep
from bench.catalogue import settings_of
from bench.devices import HIDDEN, backends_on
from bench.errors import WorkerError
from bench.gpu import results
from bench.machine import installed
from bench.peers import CUDA_PEERS, PEERS, changing_epsilon, peers_on
from bench.problem import Written, make_model, write_model
from bench.step import check, command, environment, verdict
from bench.step_floor import floor_on_gpu

BATCH = 3


@pytest.mark.parametrize(("model", "form"), [("flux-ae", "eager"), ("flux-vae", "in-turn"), ("flux-wae", "captured")])
def test_npaes_own_step_agrees_and_counts_what_it_does(
    gpu: FakeGpu, form: str, model: str, small_problem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write_model(small_problem, f"{model}@8", BATCH)
    monkeypatch.setattr(sys, "argv", ["captured_step", str(small_problem), f"{model}@8", form])
    monkeypatch.setattr("bench.captured_step.UNIT", 4)
    worker = CapturedStep()
    assert check(form, model, worker.agree(), written.truth) < 1e-5
    done = worker.steps(5)
    assert done["steps"] == 8
    assert done["seconds"] > 0
    assert worker.about()["upload_bytes"] == worker.problem.data.nbytes


def on_a_cpu(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's workers for a GPU, with the CPU as their device."""
    from bench import torch_cuda_step, torch_graph_step

    class HostClock:
        def stop(self, steps: int, total: Any) -> dict[str, float]:
            return {"steps": steps, "seconds": 1.0, "processor_seconds": 1.0, "loss": float(total) / steps}

    def recorded(work: Callable[[], None]) -> Callable[[], None]:
        for _ in range(torch_graph_step.WARM_UP):
            work()
        return work

    monkeypatch.setattr(torch_cuda_step.TorchCudaStep, "device", "cpu")
    monkeypatch.setattr(torch_graph_step, "recorded", recorded)
    for each in (torch_cuda_step, torch_graph_step):
        monkeypatch.setattr(each, "DeviceClock", HostClock)


@pytest.mark.parametrize("model", ["flux-vae", "flux-wae", "iwae-network"])
@pytest.mark.parametrize("worker", ["torch_cuda_step.TorchCudaStep", "torch_graph_step.TorchGraphStep"])
def test_pytorchs_steps_agree(worker: str, model: str, small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if installed("torch") is None:
        pytest.skip("needs torch: pip install -e '.[bench]'")
    import importlib

    module, name = worker.split(".")
    found = importlib.import_module(f"bench.{module}")
    on_a_cpu(found, monkeypatch)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(sys, "argv", [name, str(small_problem), model])
    written = write_model(small_problem, model, 20)
    peer = getattr(found, name)()
    assert check(name, model, peer.agree(), written.truth) < 1e-5
    before = [tensor.detach().clone() for pair in peer.parameters.values() for tensor in pair]
    done = peer.steps(3)
    assert done["steps"] == 3
    assert 0 < done["loss"] < 1e4
    after = [tensor for pair in peer.parameters.values() for tensor in pair]
    assert all(not old.equal(new) for old, new in zip(before, after, strict=True))


def test_a_graph_takes_one_batch_after_the_other(small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if installed("torch") is None:
        pytest.skip("needs torch: pip install -e '.[bench]'")
    from bench import torch_graph_step

    on_a_cpu(torch_graph_step, monkeypatch)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write_model(small_problem, "flux-ae", 250)
    monkeypatch.setattr(sys, "argv", ["peer", str(small_problem), "flux-ae"])
    peer = torch_graph_step.TorchGraphStep()
    assert peer.order.shape == (4, 250)
    peer.place.zero_()
    places = []
    for _ in range(5):
        peer.replay()
        places.append(int(peer.place))
    assert places == [1, 2, 3, 0, 1]


def test_a_graph_would_freeze_an_epsilon_that_changes() -> None:
    def network(name: str) -> Any:
        return step_network(name)

    assert "changes from step to step" in changing_epsilon(network("adcme-vae"))
    assert changing_epsilon(network("flux-ae")) == ""


def step_network(name: str) -> Any:
    from bench.describe import describe

    settings = settings_of(name, "numpy")
    return describe(*make_model(settings, {}), int(settings["batch_size"]))


def test_who_measures_a_cpu_finds_no_gpu_and_the_others_their_form() -> None:
    folder = Path("folder")
    assert environment("jax", folder, "ae")["JAX_PLATFORMS"] == "cpu"
    assert all(environment("compiled", folder, "ae")[name] == value for name, value in HIDDEN.items())
    assert environment("jax-cuda", folder, "ae")["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"
    assert "CUDA_VISIBLE_DEVICES" not in environment("captured", folder, "ae")
    assert command("eager", folder, "ae")[2:] == ["bench.captured_step", "folder", "ae", "eager"]
    assert command("torch-cuda-autotune", folder, "ae")[2:] == ["bench.torch_autotune_step", "folder", "ae", "alone"]
    assert command("compiled", folder, "ae")[2:] == ["bench.compiled_step", "folder", "ae"]
    assert list(peers_on(["cpu", "cuda"])) == [*PEERS, *CUDA_PEERS]
    assert backends_on(["cuda"]) == ("eager", "in-turn", "captured")


def test_a_framework_without_cuda_is_absent_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "installed", lambda package: "1.0")
    kind = peers.PeerKind("torch_cuda_step", ("torch",), probe="raise SystemExit('torch 2.0 sees no CUDA device')")
    assert kind.absent() == "finds no GPU: torch 2.0 sees no CUDA device"
    assert peers.PeerKind("torch_cuda_step", ("torch",), probe="pass").absent() == ""


def test_the_floor_on_a_gpu_is_the_longest_of_arithmetic_memory_and_a_launch() -> None:
    network, rates = step_network("flux-ae"), {"gemm_flops": 5e13, "exponentials": 1e12, "copy_bytes": 2e12, "graph_launch": 1e-9}
    found = floor_on_gpu(network, 100, "float32", rates)
    parameters = sum((layer.inputs + 1) * layer.outputs for layer in network.layers)
    assert found["milliseconds"] == pytest.approx(1e3 * max(found["work"]["gemm_flops"] / 5e13, 24 * parameters / 2e12))
    assert floor_on_gpu(network, 100, "float32", rates | {"graph_launch": 1e-3})["milliseconds"] == 1.0


def test_each_device_has_a_verdict_of_its_own() -> None:
    def row(name: str, milliseconds: float) -> dict[str, Any]:
        return {"name": name, "rounds": [milliseconds], "milliseconds": {"median": milliseconds}}

    rows = [row("compiled", 1.0), row("jax", 2.0), row("captured", 0.02), row("eager", 0.2), row("torch-cuda-graph", 0.08)]
    on_cpu, on_gpu = verdict(rows), verdict(rows, "cuda")
    assert on_cpu is not None
    assert on_gpu is not None
    assert (on_cpu["npae"], on_cpu["peer"], on_cpu["ratio"]["median"]) == ("compiled", "jax", 0.5)
    assert (on_gpu["npae"], on_gpu["peer"], on_gpu["ratio"]["median"]) == ("captured", "torch-cuda-graph", 0.25)


@pytest.mark.usefixtures("workers_on_fake_gpu")
def test_the_whole_runs_on_both_devices_and_who_fails_is_named(
    small_problem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def few_rows(folder: Path) -> str:
        (folder / "data.npy").symlink_to(small_problem / "data.npy")
        np.save(folder / "order.npy", np.load(small_problem / "order.npy")[: 4 * BATCH])  # so that a call is four steps
        return "a few rows"

    def fails(name: str, *rest: Any) -> Any:
        if name == "torch-cuda":
            raise WorkerError("torch-cuda stopped at 'agree': CUDA error: out of memory")
        return started(name, *rest)

    started = step._started
    monkeypatch.setattr(step, "_started", fails)
    monkeypatch.setattr(step, "write_data", few_rows)
    monkeypatch.setattr("bench.floors.SECONDS", 0.0)
    monkeypatch.setattr("bench.floors.GEMM", 64)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(peers, "why_no_gpu", lambda probe, variables: "")
    monkeypatch.setattr(peers, "installed", lambda package: None if package == "no-such-package" else "1.0")
    monkeypatch.setitem(peers.CUDA_PEERS, "jax-cuda", peers.PeerKind("jax_step", ("no-such-package",)))
    monkeypatch.setitem(peers.EVERY_PEER, "jax-cuda", peers.CUDA_PEERS["jax-cuda"])
    words = ["--models", "relu-ae@8", "--batch", "3", "--backends", "numpy,in-turn,captured", "--peers", "naive-numpy,torch-cuda,jax-cuda"]
    monkeypatch.setattr("bench.step.known", lambda: ("relu-ae@8",))
    assert main(["step", "--device", "cpu,cuda", *words, "--rounds", "2", "--seconds", "0.001", "--patience", "0"]) == 0
    shown = capsys.readouterr().out
    assert "captured / this" in shown
    assert "torch-cuda cannot: torch-cuda stopped at 'agree': CUDA error: out of memory" in shown
    assert "jax-cuda is absent: not installed" in shown
    assert "floor on the GPU" in shown
    assert "in-turn: 17 launches, 17 of them one after another: " in " ".join(shown.split())
    assert "captured: 17 launches, 12 of them one after another: " in " ".join(shown.split())
    (file,) = tmp_path.glob("*.json")
    content = json.loads(file.read_text())
    rows = {row["name"]: row for row in content["rows"]}
    assert len(rows["captured"]["rounds"]) == 2
    assert rows["captured"]["upload_bytes"] > 0
    assert rows["captured"]["chain"] == [17, 12]
    assert content["gpu"]["driver"] == "550.54.15"
    assert content["asked"][0]["verdict"] == "not measured"
    assert file.with_suffix(".png").stat().st_size > 1000


def test_a_model_that_only_failing_peers_would_run_has_rows_that_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: Any) -> Any:
        raise WorkerError("no device")

    monkeypatch.setattr(step, "_started", fails)
    written = Written({}, 3, 1, step_network("flux-ae"))
    found = step.bench_model("flux-ae", ["torch-cuda"], tmp_path, {}, written, None)  # type: ignore[arg-type]
    assert found == [{"model": "flux-ae", "name": "torch-cuda", "cannot": "no device"}]
