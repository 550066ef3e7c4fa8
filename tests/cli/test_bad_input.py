"""What a person can get wrong: one line that names the thing and the fix, exit status 2, no traceback, nothing written."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SMALL = ("--epochs", "2", "--hidden", "8", "--backend", "numpy")

# words of the command -> fragments of the one line
WRONG: dict[str, tuple[str, list[str]]] = {
    "an unknown verb": ("trian vae", ["'trian' is not a verb", "did you mean 'train'"]),
    "a verb like nothing": ("xyz", ["'xyz' is not a verb", "train", "evaluate"]),
    "an option before the verb": ("--latent 3 train vae", ["'--latent' is not a verb"]),
    "an unknown option": ("train vae --latnet 3", ["'--latnet'", "did you mean '--latent'"]),
    "an unknown option with =": ("train vae --latnet=3", ["--latnet", "did you mean '--latent'"]),
    "an option cut short": ("train vae --lat 3", ["'--lat'"]),
    "a word too many": ("train vae twice", ["'twice'", "npae train --help"]),
    "an option without its value": ("train vae --latent", ["--latent", "expected one argument"]),
    "no model": ("train", ["no model: name one of ae, vae, wae", "flux-vae"]),
    "an unknown model": ("train foo", ["'foo' is neither a model nor a preset", "vae"]),
    "a misspelt model": ("train vea", ["'vea'", "did you mean 'vae'"]),
    "a misspelt preset": ("train flux-vea", ["'flux-vea'", "did you mean 'flux-vae'"]),
    "unknown data": ("train vae --data nope", ["--data nope", "no such file or folder", "digits, ", "mnist"]),
    "misspelt data": ("train vae --data minst", ["--data minst", "did you mean 'mnist'"]),
    "empty data": ("train vae --data=", ["data", "empty"]),
    "no code": ("train vae --latent 0", ["latent 0", "at least 1"]),
    "a negative width": ("train vae --hidden 8,-3", ["hidden -3", "at least 1"]),
    "widths that are no numbers": ("train vae --hidden 8;3", ["hidden '8;3'", "128 or 512,256"]),
    "a weight that is not a number": ("train vae --beta nan", ["beta nan", "finite"]),
    "an infinite weight": ("train vae --beta inf", ["beta inf", "finite"]),
    "a negative weight": ("train wae --lambda -1", ["lambda -1", "at least 0"]),
    "no epoch": ("train vae --epochs 0", ["epochs 0", "at least 1"]),
    "negative epochs": ("train vae --epochs -3", ["epochs -3", "at least 1"]),
    "half an epoch": ("train vae --epochs 1.5", ["epochs '1.5'", "whole number"]),
    "a batch size that is text": ("train vae --batch-size x", ["batch_size 'x'", "whole number"]),
    "an empty batch": ("train vae --batch-size 0", ["batch", "0", "1 or more"]),
    "a batch that is never full": ("train vae --batch-size 5000 --set drop_last=true", ["5000", "1500"]),
    "no learning rate": ("train vae --learning-rate 0", ["learning_rate 0", "above 0"]),
    "a negative seed": ("train vae --seed -1", ["seed -1", "from 0 to 2^64 - 1"]),
    "a seed that is too long": ("train vae --seed 18446744073709551616", ["seed 18446744073709551616", "2^64 - 1"]),
    "a share above one": ("train vae --validation 2", ["validation 2", "between 0 and 1", "test, none, auto"]),
    "patience without validation": ("train vae --patience 3 --validation none", ["patience 3", "validation"]),
    "a negative patience": ("train vae --patience -1", ["patience -1", "at least 0"]),
    "a backend that is not there": ("train vae --backend cupy", ["backend 'cupy'", "--backend numba"]),
    "an unknown backend": ("train vae --backend torch", ["backend 'torch'", "numpy, numba, cupy"]),
    "half precision": ("train vae --dtype float16", ["dtype 'float16'", "float32, float64"]),
    "a setting without =": ("train vae --set foo", ["--set foo", "key=value"]),
    "a setting without a key": ("train vae --set =3", ["''", "known"]),
    "an unknown setting": ("train vae --set latnet=3", ["latnet", "did you mean 'latent'"]),
    "a setting of the wrong kind": ("train vae --set shuffle=maybe", ["shuffle 'maybe'", "true or false"]),
    "a setting given twice": ("train vae --latent 3 --set latent=4", ["latent is given twice", "3", "4"]),
    "another model's option": ("train ae --beta 2", ["'beta' does not apply to model 'ae'", "vae"]),
    "another model's setting": ("train vae --set encoder=deterministic", ["'encoder' does not apply to model 'vae'", "wae"]),
    "dropout of everything": ("train vae --set dropout=1", ["dropout 1", "[0, 1)"]),
    "a shape that does not fit": ("train vae --set image_shape=7x7", ["7", "64"]),
    "a bandwidth of nothing": ("train wae --set bandwidth=0", ["bandwidth 0", "above 0"]),
    "an unknown bandwidth": ("train wae --set bandwidth=mean", ["bandwidth 'mean'", "median"]),
    "a huge model": ("train vae --hidden 100000000000", ["do not fit into memory", "hidden or latent"]),
    "a width beyond all numbers": ("train vae --latent 99999999999999999999", ["do not fit into memory", "hidden or latent"]),
    "a missing file of settings": ("train vae --beta 2 --config missing.toml", ["--config missing.toml", "no such file"]),
    "a folder below a file": ("train vae --out a-file/run", ["--out a-file/run", "cannot be written"]),
    "a folder that is a file": ("train vae --out a-file", ["--out a-file", "cannot be written"]),
    "a batch of one code": ("train wae --batch-size 1499", ["1499", "at least 2", "drop_last"]),
    "one code at a time": ("train wae --batch-size 1", ["batch", "at least 2"]),
    "a resumed run that is none": ("train --resume nowhere", ["nowhere", "not a run folder"]),
    "no run to evaluate": ("evaluate not_a_run", ["not_a_run: no such run folder"]),
    "a folder that is no run": ("evaluate .", ["not a run folder", "config.toml"]),
    "no run at all": ("evaluate", ["RUN", "npae evaluate --help"]),
    "no run to generate from": ("generate not_a_run", ["not_a_run: no such run folder"]),
    "no run to reconstruct with": ("reconstruct not_a_run", ["not_a_run: no such run folder"]),
    "rows that are text": ("generate not_a_run --rows many", ["--rows", "'many'"]),
    "too few seeds": ("reproduce flux-vae --seeds 1", ["--seeds 1", "at least"]),
    "seeds that are text": ("reproduce flux-vae --seeds x", ["--seeds", "'x'"]),
    "an unknown preset": ("reproduce flux-vea", ["'flux-vea'", "did you mean 'flux-vae'"]),
    "no preset": ("reproduce", ["PRESET"]),
    "a model for a preset": ("reproduce vae", ["'vae'", "flux-vae"]),
    "nothing that is checked": ("gradcheck densee", ["'densee'", "did you mean 'dense'"]),
    "no elements to check": ("gradcheck dense --entries 0", ["entries 0", "at least 1"]),
    "fewer elements than none": ("gradcheck dense --entries -5", ["entries -5", "at least 1"]),
    "a check without its backend": ("gradcheck dense --backend cupy", ["backend 'cupy'"]),
    "an unknown action": ("data steal mnist", ["'steal'", "list", "fetch", "path"]),
    "no action": ("data", ["action"]),
    "no data set": ("data fetch", ["data fetch: which data set"]),
    "an unknown data set": ("data path minst", ["'minst'", "did you mean 'mnist'"]),
    "a data set without a path": ("data path digits", ["'digits' is always here (scikit-learn)"]),
    "an option of doctor": ("doctor --fix", ["'--fix'"]),
}


def refused(npae: Any, words: list[str], fragments: list[str]) -> str:
    """The one line, after everything that every refusal has in common is checked."""
    said = npae(*words)
    assert said.status == 2, said
    assert said.out == ""
    assert said.err.startswith("npae: error: ")
    assert said.err.endswith("\n")
    assert said.err.count("\n") == 1, said.err
    assert "Traceback" not in said.err
    for fragment in fragments:
        assert fragment in said.err, said.err
    return str(said.err)


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused_in_one_line(name: str, npae: Any) -> None:
    command, fragments = WRONG[name]
    Path("a-file").write_text("not a folder")
    refused(npae, command.split(" "), fragments)
    assert [path.name for path in Path().iterdir()] == ["a-file"]  # and nothing was written


def idx(array: Any) -> bytes:
    """A file of unsigned bytes in the IDX format."""
    header = bytes([0, 0, 8, array.ndim])
    return header + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array.astype(np.uint8).tobytes())


def csv_with_text() -> None:
    """A word among numbers."""
    Path("d.csv").write_text("0.1,0.2\n0.3,red\n")


def csv_with_a_hole() -> None:
    """An empty cell."""
    Path("d.csv").write_text("0.1,0.2\n0.3,\n")


def mixed_sizes() -> None:
    """Images of 8 x 8, and one of 9 x 8."""
    Path("d").mkdir()
    for place, height in enumerate((8, 8, 9)):
        Image.fromarray(np.zeros((height, 8), np.uint8)).save(f"d/{place}.png")


def truncated_gz() -> None:
    """A packed IDX file that ends early."""
    Path("d").mkdir()
    whole = gzip.compress(idx(np.random.default_rng(0).integers(0, 256, (50, 8, 8))))
    Path("d/train-images-idx3-ubyte.gz").write_bytes(whole[: len(whole) // 2])


def empty_folder() -> None:
    """Nothing in it."""
    Path("d").mkdir()


def not_finite() -> None:
    """A NaN in row 7, column 3."""
    x = np.random.default_rng(0).random((20, 6))
    x[7, 3] = np.nan
    np.save("d.npy", x)


def beyond_one() -> None:
    """Values up to 3."""
    np.save("d.npy", np.linspace(0, 3, 120).reshape(20, 6))


def one_row() -> None:
    """A single row."""
    np.save("d.npy", np.random.default_rng(0).random((1, 6)))


def small() -> None:
    """Nothing wrong with it, and no test rows."""
    np.save("d.npy", np.random.default_rng(0).random((20, 6)))


def pickled() -> None:
    """Objects, which only unpickling could read."""
    np.save("d.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def text_file() -> None:
    """A kind of file that is not read."""
    Path("d.txt").write_text("1 2 3")


BAD_DATA: dict[str, tuple[Callable[[], None], str, list[str]]] = {
    "text in a table": (csv_with_text, "train vae --data d.csv", ["d.csv", "row 2, column 2", "'red'"]),
    "a hole in a table": (csv_with_a_hole, "train vae --data d.csv", ["d.csv", "row 2, column 2", "finite number"]),
    "images of two sizes": (mixed_sizes, "train vae --data d", ["2.png", "9 x 8", "8 x 8"]),
    "a truncated gz": (truncated_gz, "train vae --data d", ["train-images-idx3-ubyte.gz"]),
    "an empty folder": (empty_folder, "train vae --data d", ["d", "empty"]),
    "a NaN": (not_finite, "train vae --data d.npy", ["d.npy", "row 7, column 3", "nan"]),
    "values above one for a vae": (beyond_one, "train vae --data d.npy", ["[0, 3]", "[0, 1]", "scale=minmax"]),
    "one row": (one_row, "train ae --data d.npy", ["1"]),
    "one row and no validation": (one_row, "train ae --data d.npy --validation none", ["1", "at least 2"]),
    "test rows that are not there": (small, "train vae --data d.npy --validation test", ["'test'", "no test rows", "0.1"]),
    "a share that leaves nothing": (small, "train vae --data d.npy --validation 0.01", ["0.01 of 20 rows", "0 to validate"]),
    "pickled objects": (pickled, "train vae --data d.npy", ["d.npy", "plain numbers"]),
    "another kind of file": (text_file, "train vae --data d.txt", ["d.txt", ".npy, .npz, .csv"]),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_data_that_cannot_be_used_are_refused_in_one_line(name: str, npae: Any) -> None:
    make, command, fragments = BAD_DATA[name]
    make()
    refused(npae, command.split(), fragments)
    assert not Path("runs").exists()


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_a_loss_that_is_not_finite_says_at_which_step_and_nothing_else(kind: str, backend: str, npae: Any, few: Path) -> None:
    words = ["train", kind, "--hidden", "8", "--data", str(few), "--batch-size", "20", "--backend", backend, "--learning-rate", "1e30"]
    line = refused(npae, [*words, "--out", "run", "--quiet"], ["step ", "epoch 1", "loss is", "lower the learning rate"])
    assert "RuntimeWarning" not in line


def test_a_loss_that_is_not_finite_in_validation_says_so_and_is_not_recorded(npae: Any, few: Path) -> None:
    words = ["train", "vae", "--hidden", "8", "--data", str(few), "--batch-size", "500", "--backend", "numpy", "--learning-rate", "1e30"]
    refused(npae, [*words, "--out", "run", "--quiet"], ["validation", "epoch 1", "lower the learning rate"])
    assert Path("run/history.jsonl").read_text() == ""


def test_a_folder_that_holds_a_run_is_not_overwritten(npae: Any, run_of: Any) -> None:
    folder = run_of("ae")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    refused(npae, ["train", "ae", "--out", str(folder)], ["already holds a run", f"--resume {folder}"])
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


ON_A_RUN: dict[str, tuple[str, list[str]]] = {
    "no rows to draw": ("generate RUN --rows 0", ["0", "at least 1"]),
    "fewer rows than none": ("generate RUN --rows -4", ["-4", "at least 1"]),
    "a negative seed to draw with": ("generate RUN --seed -1", ["seed -1", "2^64"]),
    "no rows to reconstruct": ("reconstruct RUN --rows 0", ["--rows 0", "at least 1"]),
    "no samples": ("evaluate RUN --samples 0", ["samples 0", "at least 1"]),
    "no likelihood rows": ("evaluate RUN --likelihood-rows 0", ["--likelihood-rows 0", "at least 1"]),
    "fewer than no rows for the gap": ("evaluate RUN --gap-rows -1", ["--gap-rows -1", "0 to leave the amortisation gap out"]),
    "other data that are not there": ("evaluate RUN --data nope", ["--data nope", "no such file"]),
    "rows of another width": ("reconstruct RUN --data d.npy", ["d.npy", "6", "64"]),
    "another model's checkpoint": ("train ae --resume RUN", ["is a run of vae, not of ae"]),
    "another model's checkpoint and epochs": ("train wae --resume RUN --epochs 9", ["is a run of vae, not of wae"]),
}


@pytest.mark.parametrize("name", ON_A_RUN)
def test_a_verb_that_reads_a_run_refuses_in_one_line(name: str, npae: Any, run_of: Any) -> None:
    command, fragments = ON_A_RUN[name]
    small()
    refused(npae, command.replace("RUN", str(run_of("vae"))).split(), fragments)


def damage_config(folder: Path) -> None:
    """A model that there is not."""
    path = folder / "config.toml"
    path.write_text(path.read_text().replace('model = "vae"', 'model = "vea"'))


def damage_weights(folder: Path) -> None:
    """Best weights cut off."""
    path = folder / "checkpoint" / "best.safetensors"
    path.write_bytes(path.read_bytes()[:-9])


def no_weights(folder: Path) -> None:
    """Neither best nor last."""
    for path in (folder / "checkpoint").iterdir():
        path.unlink()


def other_latent(folder: Path) -> None:
    """A config.toml that says another width than the checkpoint has."""
    path = folder / "config.toml"
    path.write_text(path.read_text().replace("latent = 2", "latent = 3"))


def damage_manifest(folder: Path) -> None:
    """Half of last.json, and no best weights to fall back on."""
    path = folder / "checkpoint" / "last.json"
    path.write_text(path.read_text()[:100])


def damage_environment(folder: Path) -> None:
    """Half of environment.json."""
    path = folder / "environment.json"
    path.write_text(path.read_text()[:40])


DAMAGED: dict[str, tuple[Callable[[Path], None], str, list[str]]] = {
    "its config": (damage_config, "evaluate RUN", ["config.toml", "'vea'"]),
    "its weights": (damage_weights, "evaluate RUN", ["best.safetensors", "damaged"]),
    "its weights, for generate": (damage_weights, "generate RUN", ["best.safetensors"]),
    "all its weights gone": (no_weights, "reconstruct RUN", ["no checkpoint"]),
    "another width in its config": (other_latent, "train --resume RUN", ["other widths"]),
    "its manifest": (damage_manifest, "train --resume RUN", ["last.json", "damaged"]),
    "its environment": (damage_environment, "train --resume RUN", ["environment.json"]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_run_is_refused_in_one_line_and_not_touched(name: str, npae: Any, run_of: Any) -> None:
    damage, command, fragments = DAMAGED[name]
    folder = run_of("vae")
    damage(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    refused(npae, command.replace("RUN", str(folder)).split(), fragments)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("name", "value"), [("NPAE_BACKEND", "torch"), ("NPAE_DATA_DIR", "/no/such/folder")])
def test_a_wrong_variable_is_refused_by_its_name(name: str, value: str, npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    words = ["train", "vae", "--data", "mnist"] if name == "NPAE_DATA_DIR" else ["train", "vae"]
    refused(npae, words, [name, value])


def test_data_that_would_have_to_be_downloaded_offline_are_refused(npae: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NPAE_OFFLINE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NPAE_DATA_DIR", raising=False)
    said = npae("train", "vae", "--data", "mnist")
    assert said.status == 2
    assert "mnist" in said.err
    assert "NPAE_OFFLINE" in said.err.splitlines()[-1]
    assert "Traceback" not in said.err


def test_a_control_c_before_anything_began_says_so(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.cli import train

    def interrupt(configuration: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "prepare", interrupt)
    assert npae("train", "vae", *SMALL) == (130, "", "npae: interrupted\n")
