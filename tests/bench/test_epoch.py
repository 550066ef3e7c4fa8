"""`python -m bench epoch`: losses agree before times count, the scripts train as the presets do, bad input, and its table and picture."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae
from bench import epoch
from bench.__main__ import main
from bench.epoch import BOUNDS, Contender, check
from bench.epoch_process import Finished, run
from bench.epoch_rows import rows
from bench.errors import Disagreement, WorkerError
from bench.interleave import Plan, Sample
from bench.machine import installed
from bench.peers import PEERS, PeerKind
from npae.optim import Adam
from npae.presets import preset
from npae.training.configuration import build_model, resolve

ROWS = 4000


EPOCHS = 2
BY_NAME = {  # what a script knows of its presets: batch and learning rate
    "torch": "{name: (model.batch, model.rate) for name, model in MODELS.items()}",
    "jax": "{name: model[2:4] for name, model in MODELS.items()}",
}
SCRIPT = """
import json, sys
from bench.epoch_{script} import MODELS, main
print(json.dumps({by_name}))
for name in MODELS:
    sys.argv[1:] = [name, {path!r}, "{epochs}"]
    main()
"""


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few images of noise in a file like MNIST's: the best is their mean, which every shuffle and every start soon comes to."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (ROWS, 784)) * (rng.random((ROWS, 784)) < 0.19)
    header = b"\0\0\x08\x03" + np.array([ROWS, 28, 28], ">u4").tobytes()
    path = tmp_path_factory.mktemp("images") / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(header + pixels.astype(np.uint8).tobytes(), 1))
    return path


def npaes_loss(name: str, path: Path) -> float:
    """The mean loss of the last epoch, layer by layer."""
    settings = resolve(name, flags={"backend": "numpy"})
    model, x = build_model(settings, 784), (rows(path) / 255).astype(np.float32)
    adam = Adam(model.parameters, settings["learning_rate"], epsilon=settings["epsilon"])
    history = npae.fit(model, x, epochs=EPOCHS, batch_size=settings["batch_size"], optimizer=adam)
    loss: float = history[-1]["train"]["total"]
    return loss


def test_losses_within_the_bound_agree_and_others_are_named_with_the_numbers() -> None:
    check("flux-wae", 2, {"npae": [25.0, 20.0], "jax": [27.0, 20.0 * 1.059]})
    with pytest.raises(Disagreement, match=r"jax disagrees on flux-wae: its losses are 27, 21\.3; that of epoch 2 should be within 6% of"):
        check("flux-wae", 2, {"npae": [25.0, 20.0], "jax": [27.0, 21.3]})


@pytest.mark.parametrize("found", [[], [25.0], [25.0, float("nan")], [25.0, 20.0, 19.0]])
def test_a_script_that_says_nothing_too_little_too_much_or_nan_does_not_agree(found: list[float]) -> None:
    with pytest.raises(Disagreement, match="torch disagrees on flux-wae"):
        check("flux-wae", 2, {"npae": [25.0, 20.0], "torch": found})


def test_nothing_is_timed_where_losses_disagree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def once(self: Contender) -> Any:
        self.losses = [{"npae": 1.0, "jax": 2.0}[self.name]] * self.epochs
        return Finished(0.1, 0.1, 1, "")

    def timed(self: Contender, count: int) -> Sample:
        raise AssertionError("timed")

    monkeypatch.setattr(Contender, "once", once)
    monkeypatch.setattr(Contender, "measure", timed)
    with pytest.raises(Disagreement, match="jax disagrees on flux-ae"):
        epoch.bench_preset("flux-ae", [1], ["npae", "jax"], tmp_path, {}, Plan(1, 0.01, 0.0))


@pytest.mark.parametrize("script", ["torch", "jax"])
def test_a_script_trains_every_preset_as_npae_does(script: str, images: Path) -> None:
    if installed(script) is None:
        pytest.skip(f"needs {script}: pip install -e '.[bench]'")
    text = SCRIPT.format(script=script, by_name=BY_NAME[script], path=str(images), epochs=EPOCHS)
    known, *said = run([sys.executable, "-c", text], {"OMP_NUM_THREADS": "1"}, images.parent).said.splitlines()
    assert json.loads(known) == {name: [preset(name).settings[key] for key in ("batch_size", "learning_rate")] for name in BOUNDS}
    losses = [float(line.split()[-1]) for line in said if line.startswith("epoch")]
    assert losses[EPOCHS - 1 :: EPOCHS] == pytest.approx([npaes_loss(name, images) for name in json.loads(known)], rel=0.03)


def test_with_no_epochs_a_script_says_nothing(images: Path) -> None:
    if installed("torch") is None:
        pytest.skip("needs torch: pip install -e '.[bench]'")
    command = [sys.executable, "-m", "bench.epoch_torch", "flux-ae", str(images), "0"]
    assert run(command, {"OMP_NUM_THREADS": "1"}, images.parent).said == ""


def test_a_process_that_fails_is_named_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"ended with status 1: .*ValueError: out of fingers"):
        run([sys.executable, "-c", "raise ValueError('out of fingers')"], {}, tmp_path)


def test_a_process_is_measured_from_outside(tmp_path: Path) -> None:
    finished = run([sys.executable, "-c", "x = bytearray(100_000_000); print('hello')"], {}, tmp_path)
    assert finished.said == "hello\n"
    assert finished.seconds > 0
    assert finished.peak_bytes > 1e8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--models", "flux-a"], "--models 'flux-a' is not known; did you mean 'flux-ae'?"),
        (["--models", "none"], "nothing to measure"),
        (["--peers", "keras"], "--peers 'keras' is not known"),
        (["--epochs", "0"], "--epochs '0' is not a list of whole numbers of at least 1"),
        (["--epochs", "two"], "--epochs 'two' is not"),
        (["--plot", "times.pdf"], "suffix '.pdf' is not .png or .svg"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["epoch", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_without_mnist_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NPAE_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["epoch"]) == 2
    assert "MNIST is not on this machine, and whole epochs are timed on it: npae data fetch mnist" in capsys.readouterr().err


def test_times_ratios_and_a_picture_come_out_of_the_rounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = {("npae", 0): 1.0, ("npae", 1): 2.0, ("npae", 5): 4.0, ("jax", 0): 1.5, ("jax", 1): 4.0, ("jax", 5): 8.0}

    def once(self: Contender) -> Any:
        self.losses = [0.04] * self.epochs
        return Finished(seconds[self.name, self.epochs], 0.1, 300_000_000, "")

    monkeypatch.setattr(Contender, "once", once)
    monkeypatch.setattr("bench.interleave.WINDOW", 0.0)
    monkeypatch.setattr(epoch, "find", lambda name: tmp_path)
    monkeypatch.setattr(epoch, "locate", lambda folder, name: tmp_path / name)
    monkeypatch.setitem(PEERS, "jax", PeerKind("jax_step", ()))
    picture, result = tmp_path / "epoch.png", tmp_path / "epoch.json"
    words = ["epoch", "--models", "flux-ae", "--peers", "jax", "--rounds", "2", "--patience", "0"]
    assert main([*words, "--plot", str(picture), "--json", str(result)]) == 0
    said = capsys.readouterr().out
    assert "to first step" in said
    assert "0.500 (0.500 .. 0.500)" in said
    assert picture.stat().st_size > 1000
    assert '"first": 1.5' in result.read_text()
