"""Every example in the help of every verb, run as it stands there, on few rows: MNIST and Fashion-MNIST are small copies of that name."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import re
import shlex
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from npae.cli import VERBS, main
from npae.data.catalogue import CATALOGUE
from npae.figures import run_figures, style

DOWNLOADS = {"npae data fetch mnist"}  # what cannot run here: it has to come as far as the network, which is switched off

# What an example takes minutes for is cut short by words behind it; nothing of it is left out or replaced.
SHORTER = {
    "npae train paired --data dates": "--epochs 1",
    "npae train denoising --data mnist --set corruption=gaussian --set level=0.5": "--epochs 2",
    "npae detect vae --data mnist --normal 3": "--epochs 2",
    "npae detect vae --data mnist --normal all": "--epochs 2 --samples 2",
    "npae sweep vae --latent 1,2,4,8 --set beta=0.5": "--epochs 2",
    "npae influence vae --data mnist --steps 1800 --picture hardest.png": "--hidden 8",
    "npae train denoising --data tones --hidden 256 --latent 32 --set corruption=clipped_gaussian --set level=0.1": "--epochs 1",
    "npae reproduce keras-vae": "--seeds 1",
    "npae reproduce all": "--presets flux-wae",
    "npae claim pca": "--epochs 2 --seeds 1",
    "npae claim all --out claims.json": "--epochs 1 --seeds 1",
    "npae gradcheck": "--entries 1 --backend numpy",
    "npae gradcheck vae": "--entries 2",
    "npae test --calibrate": "--runs 10 --permutations 19",
}

# Verbs that end with 1 where a check fails: a step that is not finite, another distribution, numbers that were not published of few rows.
CHECKS = ("npae audit", "npae trace --diff", "npae replay-step", "npae reproduce", "npae test")


def examples_of(verb: str) -> list[str]:
    """What stands on the lines of its help that begin with npae, up to what explains it; one line may hold several commands."""
    lines = re.findall(r"^(?:  )?(npae [a-z].*)$", import_module(f"npae.cli.{verb.replace('-', '_')}").__doc__ or "", flags=re.M)
    return [re.split(r" {2,}| > ", line)[0] for line in lines]


EXAMPLES = [(verb, line) for verb in VERBS for line in dict.fromkeys(examples_of(verb))]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs and files that the examples name."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        here(patch, folder)
        for name in ("mnist", "fashion-mnist"):
            write_small(folder / "data" / name, name)
        files()
        runs()
    return folder


def here(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """In that folder, with its data; pictures are coarse, and there are none beside those that are asked for."""
    (folder / "data").mkdir(exist_ok=True)
    patch.chdir(folder)
    patch.setenv("NPAE_DATA_DIR", str(folder / "data"))
    patch.setenv("NPAE_OFFLINE", "1")
    patch.setattr(run_figures, "draw_run", lambda run, folder: [])
    patch.setattr(style, "DPI", 30)
    for name in ("mnist", "fashion-mnist"):
        contents = {file.name: content for file, content in zip(CATALOGUE[name].files, idx_files(name), strict=True)}
        sums = [dataclasses.replace(f, content_sha256=hashlib.sha256(contents[f.name]).hexdigest()) for f in CATALOGUE[name].files]
        patch.setitem(CATALOGUE, name, dataclasses.replace(CATALOGUE[name], files=tuple(sums)))


def idx_files(name: str) -> list[bytes]:
    """scikit-learn's digits at 28 x 28, 300 to train and 100 to test, in the order of the catalogue's files; darker for garments."""
    digits = load_digits()
    images = np.pad(np.kron(digits.images[:400] * (15 if name == "mnist" else 7), np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))).astype(
        np.uint8
    )
    labels = digits.target[:400].astype(np.uint8)
    made = []
    for part in (slice(0, 300), slice(300, 400)):
        made.append(bytes([0, 0, 8, 3]) + np.array(images[part].shape, ">i4").tobytes() + images[part].tobytes())
        made.append(bytes([0, 0, 8, 1]) + np.array(labels[part].shape, ">i4").tobytes() + labels[part].tobytes())
    return made


def write_small(folder: Path, name: str) -> None:
    """As files."""
    folder.mkdir()
    for file, content in zip(CATALOGUE[name].files, idx_files(name), strict=True):
        (folder / file.name).write_bytes(gzip.compress(content, 1))


def files() -> None:
    """What a person would have of their own."""
    from PIL import Image

    rng = np.random.default_rng(0)
    rows = rng.random((60, 784), np.float32)
    for name in ("a.npy", "b.npy", "noisy.npy"):
        np.save(name, rows + 0.1 * (name == "b.npy") * rng.random(784, np.float32))
    for name in ("faces.npy", "new_faces.npy"):
        np.save(name, rng.random((60, 8, 8), np.float32))
    np.savez("new.npz", x=rows, y=np.arange(60) % 10)
    for name in ("yesterday.csv", "today.csv"):
        np.savetxt(name, rng.random((40, 5)), delimiter=",")
    Path("my.toml").write_text('model = "vae"\ndata = "digits"\nhidden = [8]\nlatent = 2\n')
    for folder in ("clean_pngs", "my_images"):
        Path(folder).mkdir()
        for number in range(20):
            Image.fromarray((255 * rng.random((28, 28))).astype(np.uint8)).save(f"{folder}/{number}.png")


def runs() -> None:
    """Of each kind one, trained for two epochs."""
    small = ["--epochs", "2", "--hidden", "16", "--quiet", "--json"]
    data = {"mnist": "mnist", "digits": "digits", "faces": "faces.npy", "dates": "dates", "tones": "tones"}
    named = "vae-mnist wae-mnist gan-mnist ae-mnist cvae-mnist denoising-mnist vae-digits cvae-digits ae-faces paired-dates denoising-tones"
    for name in named.split():
        kind, _, of = name.partition("-")
        more = ["--batch-size", "2000"] if of in ("dates", "tones") else []
        assert main(["train", kind, "--data", data[of], "--latent", "4", *small, *more, "--out", f"runs/{name}"]) == 0
    for name in ("vae", "a", "b"):
        shutil.copytree("runs/vae-mnist", f"runs/{name}")
    assert main(["train", "vae", *small, "--learning-rate", "1e30", "--out", "burst"]) == 2
    (step,) = Path("burst/guard").iterdir()
    Path("runs/vae/guard").mkdir()
    for path in ("runs/vae/guard/step-00000812.safetensors", "FILE"):
        shutil.copy(step, path)


@pytest.mark.parametrize(("verb", "example"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_runs(verb: str, example: str, world: Path, npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here(monkeypatch, world)
    if example in DOWNLOADS:
        assert "NPAE_OFFLINE" in npae(*example.split()[1:]).err
        return
    for command in example.split("; "):
        said = npae(*shlex.split(command)[1:], *SHORTER.get(example, "").split())
        assert said.status in ((0, 1) if command.startswith(CHECKS) else (0,)), said
        assert said.out


def test_every_verb_has_an_example_and_no_exception_is_of_one_that_is_gone() -> None:
    assert {verb for verb, line in EXAMPLES if line.startswith(f"npae {verb}")} == set(VERBS)
    assert {*DOWNLOADS, *SHORTER} <= {line for _, line in EXAMPLES}
