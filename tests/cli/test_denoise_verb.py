"""`npae denoise`: what it takes for noisy, what it measures, and for sounds as for pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae as library
from npae.cli import main
from npae.corruption import draw_corrupted
from npae.evaluation.decibels import psnr, snr


@pytest.fixture(scope="module")
def cleaner(tmp_path_factory: pytest.TempPathFactory, few: Path) -> Path:
    """A denoising run."""
    folder = tmp_path_factory.mktemp("runs") / "cleaner"
    words = ["train", "denoising", "--data", str(few), "--out", str(folder), "--hidden", "64", "--latent", "16", "--epochs", "60"]
    noise = ["--set", "corruption=clipped_gaussian", "--set", "level=0.4", "--batch-size", "20"]
    assert main([*words, *noise, "--backend", "numpy", "--quiet", "--json"]) == 0
    return folder


def arrays(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def test_clean_rows_are_made_noisy_and_what_is_left_of_it_is_measured(npae: Any, cleaner: Path, few: Path) -> None:
    found = json.loads(npae("denoise", cleaner, few, "--corrupt", "clipped_gaussian:0.4", "--json").out)
    content = arrays(Path(found["arrays"]))
    x = np.load(few)["x"].reshape(120, -1)
    np.testing.assert_array_equal(content["clean"], x)
    np.testing.assert_array_equal(content["noisy"], draw_corrupted("clipped_gaussian", 0.4, x, seed=0))
    np.testing.assert_array_equal(content["denoised"], library.load(cleaner, backend="numpy").reconstruct(content["noisy"]))
    for name, measure in (("psnr", psnr), ("snr", snr)):
        assert found["decibels"][name] == {"before": measure(content["noisy"], x), "after": measure(content["denoised"], x)}
    assert found["decibels"]["psnr"]["after"] > found["decibels"]["psnr"]["before"] + 2
    assert found["trained_to_denoise"]
    assert Path(found["picture"]).is_file()


def test_the_noise_of_the_training_is_what_a_denoising_run_takes_by_itself(npae: Any, cleaner: Path) -> None:
    found = json.loads(npae("denoise", cleaner, "--json").out)
    assert found["noise"] == {"kind": "clipped_gaussian", "level": 0.4}
    assert found["data"] == "validation rows"


def test_the_seed_decides_the_noise(npae: Any, cleaner: Path) -> None:
    drawn = [json.loads(npae("denoise", cleaner, "--seed", seed, "--json").out)["decibels"]["psnr"]["before"] for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_noisy_rows_are_taken_as_they_are(npae: Any, cleaner: Path, few: Path) -> None:
    np.save("noisy.npy", draw_corrupted("masking", 0.2, np.load(few)["x"].reshape(120, -1), seed=5).reshape(120, 8, 8))
    said = npae("denoise", cleaner, "noisy.npy", "--rows", 9, "--out", "clean.npz")
    assert (said.status, said.err) == (0, "")
    assert "dB" not in said.out
    content = arrays(Path("clean.npz"))
    assert list(content) == ["noisy", "denoised"]
    np.testing.assert_array_equal(content["noisy"], np.load("noisy.npy").reshape(120, -1)[:9])


def test_a_run_that_never_saw_noise_is_used_and_the_reader_told(npae: Any, run_of: Any) -> None:
    said = npae("denoise", run_of("ae"), "--corrupt", "gaussian:0.3")
    assert said.status == 0
    assert "was not trained to denoise" in said.out


def test_rows_that_are_no_pictures_are_drawn_as_sounds(npae: Any) -> None:
    time = np.arange(64) / 8000
    tones = 0.5 + 0.4 * np.sin(2 * np.pi * np.linspace(300, 900, 40)[:, None] * time)
    np.save("tones.npy", tones.astype(np.float32))
    words = ("--data", "tones.npy", "--hidden", "8", "--latent", "4", "--epochs", "2", "--backend", "numpy", "--quiet")
    npae("train", "denoising", *words, "--out", "sounds", "--set", "corruption=clipped_gaussian", "--set", "level=0.1")
    said = npae("denoise", "sounds")
    assert (said.status, said.err) == (0, "")
    assert "SNR" in said.out
    assert Path("sounds/figures/denoised.png").is_file()


REFUSED = {
    "noise without a level": (["RUN", "--corrupt", "gaussian"], ["--corrupt gaussian", "gaussian:0.3"]),
    "an unknown noise": (["RUN", "--corrupt", "gausian:0.3"], ["corruption 'gausian' is not known; did you mean 'gaussian'?"]),
    "noise of nothing": (["RUN", "--corrupt", "masking:0"], ["--corrupt masking:0 makes no noise", "above 0"]),
    "no noise at all": (["VAE"], ["was not trained on noisy rows", "--corrupt clipped_gaussian:0.3"]),
    "noise that leaves the data's range": (["VAE", "--corrupt", "gaussian:0.3"], ["leaves [0, 1]", "clipped_gaussian:0.3"]),
    "no rows": (["RUN", "--rows", "0"], ["--rows 0", "at least 1"]),
    "images of another size": (["RUN", "small.npy"], ["rows of 4 numbers", "64"]),
    "another kind of file": (["RUN", "--out", "clean.png"], ["--out clean.png", ".npz or .csv"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_denoised_is_said_in_one_line(case: str, npae: Any, cleaner: Path, run_of: Any) -> None:
    np.save("small.npy", np.zeros((3, 2, 2), np.float32))
    words, parts = REFUSED[case]
    said = npae("denoise", *({"RUN": cleaner, "VAE": run_of("vae")}.get(word, word) for word in words))
    assert (said.status, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    for part in parts:
        assert part in said.err
