"""config.toml of a run: it says everything, any path survives it, and a damaged one is refused by name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npae.errors import InputError
from npae.training.configuration import Configuration, read_toml, resolve, stored

pytestmark = pytest.mark.usefixtures("without_environment")


SOME: dict[str, dict[str, Any]] = {
    "ae": {"hidden": [512, 256], "output": "sigmoid", "image_shape": [8, 8], "epsilon": 1e-7},
    "vae": {"beta": 0.1 + 0.2, "validation": 0.25, "kl_warmup": 12, "drop_last": True, "learning_rate": 1e-30},
    "wae": {"bandwidth": 2, "lambda": 1e22, "hidden": []},
    "flux-wae": {"bandwidth": "median", "seed": 2**64 - 1},
    "flux-ae": {},
}


@pytest.mark.parametrize("name", SOME)
def test_the_config_of_a_run_read_again_gives_the_same_configuration(name: str, tmp_path: Path, toml: Any) -> None:
    before = resolve(name, flags=SOME[name])
    path = toml(tmp_path, before.as_toml(), "config.toml")
    after = resolve(None, file=path)
    assert (after.name, after.model, after.values) == (before.name, before.model, before.values)
    assert set(after.origins.values()) <= {f"file {path}", "default"}
    assert resolve(name, file=path).values == before.values
    back = stored(tmp_path)
    assert back == before


def test_config_toml_holds_the_origin_of_every_value(tmp_path: Path) -> None:
    before = resolve("flux-vae", flags={"latent": 2})
    content = tomllib.loads(before.as_toml())
    origins = content.pop("origin")
    assert origins == {key: origin for key, origin in before.origins.items() if before.values[key] is not None}
    assert (origins["latent"], origins["l2"], origins["seed"]) == ("flag", "preset", "default")


@settings(max_examples=60, deadline=None)
@example('a "quoted" \\ path\nof two lines\t\x7f\x00\x85 \U0001f600')
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_any_path_survives_config_toml(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    before = resolve("ae")
    configuration = Configuration(before.name, before.model, before.values | {"data": text}, before.origins | {"data": f"file {text}"})
    folder = tmp_path_factory.mktemp("odd")
    (folder / "config.toml").write_bytes(configuration.as_toml().encode())
    back = stored(folder)
    assert back["data"] == text
    assert back.origins["data"] == f"file {text}"


DAMAGED: dict[str, tuple[str, str]] = {
    "an unknown model": ('name = "vae"\nmodel = "vea"\n', "vea"),
    "no model": ('name = "vae"\nlatent = 3\n', "config.toml"),
    "an unknown key": ('name = "vae"\nmodel = "vae"\nlatnet = 3\n', "latnet"),
    "a key of another model": ('name = "ae"\nmodel = "ae"\nbeta = 3.0\n', "beta"),
    "a wrong type": ('name = "vae"\nmodel = "vae"\nlatent = "x"\n', "latent"),
    "origins that are no table": ('name = "vae"\nmodel = "vae"\norigin = 3\n', "origin"),
    "half a line": ('name = "vae"\nmodel = "va', "not TOML"),
    "nothing": ("", "config.toml"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_config_of_a_run_is_refused_in_one_line_that_names_it(name: str, tmp_path: Path, toml: Any) -> None:
    text, fragment = DAMAGED[name]
    toml(tmp_path, text, "config.toml")
    with pytest.raises(InputError, match=fragment) as refused:
        stored(tmp_path)
    assert "config.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run folder"):
        stored(tmp_path)


def test_read_toml_gives_what_is_written(tmp_path: Path, toml: Any) -> None:
    assert read_toml(toml(tmp_path, 'a = [1, 2]\nb = "é"\n')) == {"a": [1, 2], "b": "é"}
