"""Words of a command that do not fit: one line that names the thing and the fix, exit status 2, no traceback, nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

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
    "a resumed run that is none": ("train --resume nowhere", ["nowhere: no such run folder"]),
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
    "two runs where one is read": ("verify one two", ["'two' is one argument too many", "npae verify --help"]),
    "a file in a run's place": ("verify a-file", ["a-file is a file, and a run is a folder"]),
    "no run to train again": ("replay not_a_run", ["not_a_run: no such run folder"]),
    "a folder in a step's place": ("replay-step .", [". is a folder", "RUN/guard/step-NUMBER.safetensors"]),
    "a file in a step's place": ("replay-step a-file", ["a-file is not a readable", "RUN/guard/step-NUMBER.safetensors"]),
    "no shell": ("completion", ["bash|zsh|fish"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused_in_one_line(name: str, refused: Any) -> None:
    command, fragments = WRONG[name]
    Path("a-file").write_text("not a folder")
    refused(command.split(" "), fragments)
    assert [path.name for path in Path().iterdir()] == ["a-file"]  # and nothing was written


@pytest.mark.parametrize(("name", "value"), [("NPAE_BACKEND", "torch"), ("NPAE_DATA_DIR", "/no/such/folder"), ("NUMBA_NUM_THREADS", "0")])
def test_a_wrong_variable_is_refused_by_its_name(name: str, value: str, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    words = ["train", "vae", "--data", "mnist"] if name == "NPAE_DATA_DIR" else ["train", "vae"]
    refused(words, [name, value])
