"""Settings that do not fit, given as flags or in a file: refused in one line that names the key and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from npae.errors import InputError
from npae.training.configuration import resolve

pytestmark = pytest.mark.usefixtures("without_environment")


REFUSED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "an unknown key": ("vae", {"latnet": 3}, ["latnet", "did you mean 'latent'"]),
    "an unknown key with a dash": ("vae", {"learnin-rate": 3.0}, ["learnin-rate", "did you mean 'learning_rate'"]),
    "nothing near": ("vae", {"qqqqq": 3}, ["qqqqq", "known:", "latent"]),
    "another model's key": ("ae", {"beta": 2.0}, ["'beta' does not apply to model 'ae'", "vae"]),
    "another model's key in a preset": ("flux-vae", {"lambda": 2.0}, ["'lambda' does not apply to model 'vae'", "wae"]),
    "text for a number": ("vae", {"beta": "two"}, ["beta 'two' is not a number"]),
    "a fraction for a whole number": ("vae", {"latent": 2.5}, ["latent 2.5 is not a whole number"]),
    "a truth value for a number": ("vae", {"latent": True}, ["latent True is not a whole number"]),
    "a number for a truth value": ("vae", {"shuffle": 1}, ["shuffle 1 is not true or false"]),
    "a number for a list": ("vae", {"hidden": 128}, ["hidden 128 is not a list of whole numbers"]),
    "text in a list": ("vae", {"hidden": [128, "x"]}, ["hidden [128, 'x'] is not a list of whole numbers"]),
    "an infinity": ("vae", {"beta": float("inf")}, ["beta inf is not a finite number"]),
    "an unknown choice": ("vae", {"posterior": "log_sdt"}, ["posterior 'log_sdt'", "log_std"]),
    "a share that is none": ("vae", {"validation": 1.0}, ["validation 1.0 is not a share"]),
    "a validation that is none": ("vae", {"validation": "tets"}, ["validation 'tets' is not a share", "test, none, auto"]),
    "an unknown model": ("vea", {}, ["'vea' is neither a model nor a preset", "did you mean 'vae'"]),
    "a number of 400 digits": ("vae", {"beta": 10**400}, ["beta"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(name: str) -> None:
    model, flags, fragments = REFUSED[name]
    with pytest.raises(InputError) as refused:
        resolve(model, flags=flags)
    for fragment in fragments:
        assert fragment in str(refused.value)
    assert "\n" not in str(refused.value)


FILES: dict[str, tuple[str, list[str]]] = {
    "an unknown key": ("latnet = 3\n", ["latnet", "did you mean 'latent'"]),
    "another model's key": ("lambda = 3.0\n", ["'lambda' does not apply to model 'vae'"]),
    "a wrong type": ('latent = "three"\n', ["latent 'three' is not a whole number"]),
    "a table": ("[latent]\nx = 1\n", ["latent", "is not a whole number"]),
    "a date": ("latent = 2020-01-01\n", ["latent", "is not a whole number"]),
    "no TOML": ("latent: 3\n", ["is not TOML", "latent = 8"]),
    "another model": ('model = "wae"\n', ["model = 'wae'", "'vae' is a vae"]),
    "not a number": ("beta = nan\n", ["beta nan is not a finite number"]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_does_not_fit_is_refused_in_one_line(name: str, tmp_path: Path, toml: Any) -> None:
    text, fragments = FILES[name]
    with pytest.raises(InputError) as refused:
        resolve("vae", file=toml(tmp_path, text))
    for fragment in fragments:
        assert fragment in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_text_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00latent")
    with pytest.raises(InputError, match=r"binary\.toml is not TOML"):
        resolve("vae", file=path)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_is_not_there_is_refused_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        resolve("vae", file=tmp_path / name)
