"""`python -m bench epoch|scale --device cuda` on a stand-in: the script trains, an epoch's own seconds are kept, who fails is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_gpu import FakeGpu

from bench import epoch, peers, scale_step
from bench.__main__ import main
from bench.devices import HIDDEN
from bench.epoch import Contender
from bench.epoch_process import Finished
from bench.errors import WorkerError
from bench.gpu import results
from bench.machine import installed
from npae.training.history import History

SECONDS = {"npae": 9.0, "npae-cuda": 3.0, "jax-cuda": 6.0}
SAID = "epoch 1  seconds 5  loss 0.05\nepoch 2  seconds 0.25  loss 0.04\nepoch 3  seconds 0.75  loss 0.04\n"


@pytest.mark.parametrize(("preset", "batches"), [("flux-ae", 2), ("torch-ae", 7)])
def test_the_script_sees_every_row_once_an_epoch_and_learns(preset: str, batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if installed("torch") is None:
        pytest.skip("needs torch: pip install -e '.[bench]'")
    import torch

    from bench import epoch_torch_cuda

    monkeypatch.setattr(epoch_torch_cuda, "DEVICE", "cpu")
    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (230, 784)).astype(np.uint8)
    training = epoch_torch_cuda.Training(preset, torch.from_numpy(images), capturable=True)
    seen: list[int] = []

    def step() -> None:
        seen.extend(training.order[int(training.place)].tolist())
        training.step()

    losses = [training.epoch(step) for _ in range(3)]
    rows = len(seen) // 3
    assert (training.batches, rows) == (batches, batches * training.model.batch)
    assert len(set(seen[:rows])) == rows
    assert sorted(seen[:rows]) != sorted(seen[rows : 2 * rows])
    assert losses[2] < losses[0]


def contender(name: str, tmp_path: Path, epochs: int = 3) -> Contender:
    return Contender(name, "flux-ae", epochs, tmp_path / "images", tmp_path, {"OMP_NUM_THREADS": "1"})


def test_each_contender_has_its_command_and_its_device(tmp_path: Path) -> None:
    assert contender("npae", tmp_path).command(tmp_path)[-5:-2] == ["--set", "step=compiled", "--no-figures"]
    assert contender("npae-cuda", tmp_path).command(tmp_path)[-5:-2] == ["--backend", "cupy", "--no-figures"]
    assert contender("torch", tmp_path).command(tmp_path)[2:4] == ["bench.epoch_torch", "flux-ae"]
    graph = contender("torch-cuda-graph", tmp_path).command(tmp_path)
    assert (graph[2], graph[-1]) == ("bench.epoch_torch_cuda", "graph")
    assert contender("jax-cuda", tmp_path).command(tmp_path)[2] == "bench.epoch_jax"
    assert contender("jax-cuda", tmp_path).environment()["JAX_PLATFORMS"] == "cuda"
    for name in ("npae", "torch", "jax"):
        assert HIDDEN.items() <= contender(name, tmp_path).environment().items()
    assert contender("npae-cuda", tmp_path).environment() == {"OMP_NUM_THREADS": "1"}


def test_an_epochs_seconds_are_the_runs_own_without_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch, "run", lambda command, variables, folder: Finished(9.0, 1.0, 1, SAID))
    one = contender("jax-cuda", tmp_path)
    one.once()
    assert (one.losses, one.epoch_seconds) == ([0.05, 0.04, 0.04], [0.25, 0.75])
    one.once()
    assert one.epoch_seconds == [0.25, 0.75, 0.25, 0.75]

    class Read:
        rows = [{"seconds": 4.0}, {"seconds": 0.5}]  # noqa: RUF012

        def column(self, name: str) -> list[float]:
            return [0.05, 0.04]

    monkeypatch.setattr(History, "read", lambda path: Read())
    own = contender("npae-cuda", tmp_path, 2)
    own.once()
    assert own.epoch_seconds == [0.5]


def test_the_whole_on_both_devices(
    gpu: FakeGpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def once(self: Contender) -> Any:
        if self.name == "torch-cuda":
            raise WorkerError("CUDA error: out of memory")
        self.losses, self.epoch_seconds = [0.04] * self.epochs, [0.01] if self.epochs > 1 else []
        return Finished(SECONDS[self.name], 0.1, 300_000_000, "")

    monkeypatch.setattr(Contender, "once", once)
    monkeypatch.setattr(epoch, "find", lambda name: tmp_path)
    monkeypatch.setattr(epoch, "locate", lambda folder, name: tmp_path / name)
    monkeypatch.setattr(peers, "why_no_gpu", lambda probe, variables: "")
    monkeypatch.setattr(peers, "installed", lambda package: "1.0")
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    words = ["epoch", "--device", "cpu,cuda", "--models", "flux-ae", "--peers", "torch-cuda,jax-cuda", "--rounds", "2", "--patience", "0"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert "torch-cuda on flux-ae is left out: CUDA error: out of memory" in err
    assert "npae-cuda / this" in out
    assert "0.500 (0.500 .. 0.500)" in out
    assert "flux-ae, five epochs of MNIST   at most 60 ms     50 ms  met" in out
    (file,) = tmp_path.glob("epoch*.json")
    rows = json.loads(file.read_text())["rows"]
    assert [(row["name"], row["epochs"]) for row in rows if row["epochs"] == 5] == [("npae-cuda", 5), ("npae", 5), ("jax-cuda", 5)]
    assert file.with_suffix(".png").stat().st_size > 1000


@pytest.mark.usefixtures("workers_on_fake_gpu")
def test_steps_are_scaled_there_too(
    small_problem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def few_rows(at: Any) -> str:
        (at.folder / "data.npy").symlink_to(small_problem / "data.npy")
        np.save(at.folder / "order.npy", np.load(small_problem / "order.npy")[:16])
        return "sixteen rows"

    monkeypatch.setattr(scale_step, "prepare", few_rows)
    monkeypatch.setattr("bench.floors.SECONDS", 0.0)
    monkeypatch.setattr("bench.floors.GEMM", 64)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr("bench.command_scale.known", lambda: ("flux-ae@8",))
    words = ["--models", "flux-ae@8", "--axes", "batch", "--sizes", "2,4", "--backends", "captured", "--peers", "none", "--rounds", "2"]
    assert main(["scale", "--device", "cuda", *words, "--seconds", "0.001", "--patience", "0"]) == 0
    shown = capsys.readouterr().out
    assert "gpu       NVIDIA H100 80GB HBM3" in shown
    (file,) = tmp_path.glob("scale*.json")
    (row,) = json.loads(file.read_text())["axes"]["batch"]
    assert (row["name"], list(row["seconds"])) == ("captured", ["2", "4"])
    assert file.with_suffix(".png").stat().st_size > 1000
