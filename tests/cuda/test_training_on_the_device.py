"""`npae train --backend cupy` and the verbs that read its run: the same numbers as on a CPU, saved, resumed, replayed and looked at."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.datasets import load_digits

from npae.captured.batch import BatchStep
from npae.cli import main
from npae.cli.progress import TrainingProgress
from npae.figures import run_figures
from npae.kernels.cuda.device import Device
from npae.models import AE
from npae.optim import Adam
from npae.training import loop
from npae.training.history import History
from npae.training.loop import Trainer

SMALL = ["--hidden", "6", "--latent", "2", "--batch-size", "16", "--dtype", "float64", "--epochs", "2", "--quiet"]
ROWS, HARD_ROW = 60, 17
Npae = Callable[..., str]


@pytest.fixture
def npae(gpu: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Npae:
    """npae("train", "vae", ...) in an empty folder with the data `few.npz`: what it printed, once its exit status is as expected."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_figures, "draw_run", lambda run, folder: [])
    digits = load_digits()
    np.savez("few.npz", x=(digits.images[:ROWS] / 16).astype(np.float32), y=digits.target[:ROWS])

    def run(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        found = main(list(words))
        said = capsys.readouterr()
        assert found == status, said.err
        return said.out + said.err

    return run


def train(npae: Npae, kind: str, out: str, *words: str, computing: str = "cupy", status: int = 0) -> str:
    return npae("train", kind, *SMALL, "--data", "few.npz", "--backend", computing, "--out", out, *words, status=status)


def history(run: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in History.read(Path(run, "history.jsonl"))]


def weights(run: str) -> dict[str, Any]:
    """Parameters and moments as they were saved."""
    manifest = json.loads(Path(run, "checkpoint/last.json").read_text())
    return load_file(Path(run, "checkpoint", manifest["tensors"]))


def assert_nearly(found: Any, wanted: Any, rel: float = 1e-6) -> None:
    """Numbers inside of dictionaries and lists are nearly equal, everything else is equal."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            assert_nearly(found[key], value, rel)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_nearly(one, other, rel)
    else:
        assert found == (pytest.approx(wanted, rel=rel, abs=1e-9) if isinstance(wanted, float) else wanted)


@pytest.mark.parametrize("kind", ["ae", "vae", "wae", "cvae"])
def test_a_run_holds_what_a_run_on_the_cpu_holds(npae: Npae, kind: str) -> None:
    for computing in ("cupy", "numpy"):
        train(npae, kind, computing, computing=computing)
    for row, other in zip(history("cupy"), history("numpy"), strict=True):
        assert_nearly(row | {"fingerprint": ""}, other | {"fingerprint": ""})
    assert weights("cupy").keys() == weights("numpy").keys()
    for name, array in weights("numpy").items():
        np.testing.assert_allclose(weights("cupy")[name], array, rtol=1e-6, atol=1e-9)
    record = json.loads(Path("cupy/environment.json").read_text())
    assert record["backend"] == {"name": "cupy", "kernels": "gpu"}


def test_a_captured_and_an_eager_run_are_the_same_to_the_last_bit(npae: Npae) -> None:
    train(npae, "vae", "captured", "--set", "dropout=0.2")
    train(npae, "vae", "eager", "--set", "dropout=0.2", "--eager")
    assert history("captured") == history("eager")
    assert all(array.tobytes() == weights("eager")[name].tobytes() for name, array in weights("captured").items())


MOMENTS: dict[str, tuple[Any, str, int]] = {
    "between the launches of a step": (BatchStep, "launch", 2),
    "between two batches": (TrainingProgress, "on_batch", 3),
    "in validation": (loop, "evaluate_terms", 1),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_interrupted_is_resumed_to_the_last_bit(npae: Npae, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ["--set", "schedule=cosine", "--patience", "5"]
    train(npae, "vae", "straight", *settings)
    owner, name, call = MOMENTS[moment]
    function, calls = getattr(owner, name), iter(range(1, 1000))

    def interrupted(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if next(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        assert "npae train --resume stopped" in train(npae, "vae", "stopped", *settings, status=130)
    npae("train", "--resume", "stopped", "--quiet")
    assert history("stopped") == history("straight")
    assert all(array.tobytes() == weights("straight")[name].tobytes() for name, array in weights("stopped").items())


def test_early_stopping_ends_and_keeps_the_best_epoch_as_on_a_cpu(npae: Npae) -> None:
    for computing in ("cupy", "numpy"):
        train(npae, "ae", computing, "--epochs", "9", "--patience", "1", "--learning-rate", "3", computing=computing)
    assert len(history("cupy")) == len(history("numpy")) < 9
    best = [load_file(Path(run, "checkpoint/best.safetensors")) for run in ("cupy", "numpy")]
    for name, array in best[1].items():
        np.testing.assert_allclose(best[0][name], array, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("kind", ["vae", "wae", "cvae", "iwae"])
def test_an_evaluation_finds_the_same_numbers(npae: Npae, kind: str) -> None:
    found = []
    for computing in ("cupy", "numpy"):
        train(npae, kind, "run", computing=computing)
        words = ["evaluate", "run", "--samples", "3", "--likelihood-rows", "8", "--gap-rows", "4", "--json"]
        found.append(json.loads(npae(*words)))
        Path("run").rename(f"run-{computing}")
    assert_nearly(found[0], found[1], rel=1e-4)


VERBS: dict[str, list[str]] = {
    "generate": ["generate", "run"],
    "generate by a mixture": ["generate", "run", "--sampler", "mixture"],
    "reconstruct": ["reconstruct", "run"],
    "embed": ["embed", "run"],
    "probe": ["probe", "run"],
    "detect": ["detect", "run"],
    "verify": ["verify", "run"],
    "trace": ["trace", "run"],
    "influence": ["influence", "run"],
}


def test_every_verb_reads_the_run(npae: Npae) -> None:
    train(npae, "vae", "run")
    for words in VERBS.values():
        npae(*words)
    train(npae, "denoising", "noisy")
    npae("denoise", "noisy")


def test_a_replay_makes_the_same_weights_again(npae: Npae) -> None:
    train(npae, "vae", "run", "--set", "dropout=0.2")
    assert "same" in npae("replay", "run")


def test_a_training_that_breaks_off_stores_its_step_and_the_step_shows_where(npae: Npae) -> None:
    said = train(npae, "vae", "run", "--learning-rate", "1e200", status=2)
    assert said.startswith("npae: error: step 2 (epoch 1, batch 2 of ")
    assert said.count("\n") == 1
    assert "nan" in npae("replay-step", "run/guard/step-00000002.safetensors", status=1)


def guarded(computing: str, guard: str, learning_rate: float, *, hard: bool) -> Trainer:
    """A training in float32; `hard` gives one row a number whose squared error overflows."""
    x = np.random.default_rng(1).random((ROWS, 10)).astype(np.float32)
    x[HARD_ROW, 4] = 1e30 if hard else 0.5
    model = AE(10, hidden=(6,), latent=2, seed=2, backend=computing)
    step = "auto" if computing == "cupy" else "ordinary"
    trainer = Trainer(model, Adam(model.parameters, learning_rate), x, 2, 16, 0, step=step, guard=guard)
    trainer.run()
    return trainer


def test_the_guard_skips_the_same_batches(gpu: Device) -> None:
    ours, theirs = (guarded(computing, "skip", 1e-2, hard=True) for computing in ("cupy", "numpy"))
    assert ours.history.column("batches") == theirs.history.column("batches") == [3, 3]
    for row, other in zip(ours.history.rows, theirs.history.rows, strict=True):
        assert [one["batch"] for one in row["guard"]] == [one["batch"] for one in other["guard"]]
    value = ours.model.backend.to_host(ours.model.parameters.value)
    np.testing.assert_allclose(value, theirs.model.parameters.value, rtol=1e-3, atol=1e-5)


def test_the_guard_goes_back_as_often(gpu: Device) -> None:
    ours, theirs = (guarded(computing, "halve", 1e8, hard=False) for computing in ("cupy", "numpy"))
    assert ours.guarded.halvings == theirs.guarded.halvings > 0
    assert ours.optimizer.learning_rate == theirs.optimizer.learning_rate
    assert ours.optimizer.steps == theirs.optimizer.steps == 8
