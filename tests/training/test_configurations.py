"""The resolved configuration: which value wins, where it came from, what is refused, and that config.toml says it all."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npae.data.text import Alphabet, TextFormat
from npae.errors import InputError
from npae.models import MODELS
from npae.optim import Schedule
from npae.presets import preset_names
from npae.training.configuration import Configuration, build_model, read_toml, resolve, stored
from npae.training.options import OF_THE_MODEL, OPTIONS, model_arguments
from npae.training.run import prepare

NAMES = [*MODELS, *preset_names()]


@pytest.fixture(autouse=True)
def without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No backend chosen outside."""
    monkeypatch.delenv("NPAE_BACKEND", raising=False)


def toml(folder: Path, text: str, name: str = "settings.toml") -> Path:
    """A file with that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_default_then_preset_then_file_then_flag(tmp_path: Path) -> None:
    """One key for each layer that wins, and one that all four name."""
    file = toml(tmp_path, "learning_rate = 0.5\nlatent = 5\nepochs = 7\n")
    found = resolve("flux-vae", file=file, flags={"latent": 3})
    assert (found["seed"], found.origins["seed"]) == (0, "default")
    assert (found["l2"], found.origins["l2"]) == (0.005, "preset")
    assert (found["epochs"], found.origins["epochs"]) == (7, f"file {file}")
    assert (found["learning_rate"], found.origins["learning_rate"]) == (0.5, f"file {file}")
    assert (found["latent"], found.origins["latent"]) == (3, "flag")
    assert (found.name, found.model) == ("flux-vae", "vae")


@pytest.mark.parametrize(
    ("layers", "value", "origin"), [((), 8, "default"), (("file",), 5, "file"), (("file", "flag"), 3, "flag"), (("flag",), 3, "flag")]
)
def test_the_later_layer_wins(layers: tuple[str, ...], value: int, origin: str, tmp_path: Path) -> None:
    file = toml(tmp_path, "latent = 5\n") if "file" in layers else None
    found = resolve("ae", file=file, flags={"latent": 3} if "flag" in layers else {})
    assert found["latent"] == value
    assert found.origins["latent"].split()[0] == origin


def test_every_value_has_an_origin_and_only_fitting_options_have_a_value() -> None:
    for name in NAMES:
        found = resolve(name)
        assert found.values.keys() == found.origins.keys()
        assert set(found.origins.values()) <= {"default", "model", "preset"}
    assert "beta" not in resolve("ae").values
    assert "lambda" not in resolve("vae").values
    assert "code_activation" not in resolve("wae").values


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_brings_its_settings_and_says_so(name: str) -> None:
    from npae.presets import preset

    found = resolve(name)
    for key, value in preset(name).settings.items():
        if key != "model":
            assert found[key] == value
            assert found.origins[key] == "preset"
    assert found["data"] == "mnist"


@pytest.mark.parametrize("spelling", ["learning_rate", "learning-rate", "--learning-rate"])
def test_an_option_may_be_spelt_with_dashes(spelling: str) -> None:
    assert resolve("ae", flags={spelling: 0.25})["learning_rate"] == 0.25


@pytest.mark.parametrize(("chosen", "origin"), [(None, "default"), ("numpy", "environment")])
def test_the_backend_is_resolved_and_stored(chosen: str | None, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if chosen:
        monkeypatch.setenv("NPAE_BACKEND", chosen)
    found = resolve("ae")
    assert (found["backend"], found.origins["backend"]) == (chosen or "numba", origin)
    assert resolve("ae", flags={"backend": "numpy"}).origins["backend"] == "flag"


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
def test_a_file_that_does_not_fit_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
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


def test_a_file_can_name_the_model_alone(tmp_path: Path) -> None:
    found = resolve(None, file=toml(tmp_path, 'model = "wae"\nlambda = 3\n'))
    assert (found.name, found.model, found["lambda"]) == ("wae", "wae", 3.0)
    assert isinstance(found["lambda"], float)


def test_without_any_model_the_names_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model: name one of ae, vae, wae, .*flux-ae"):
        resolve(None)
    with pytest.raises(InputError, match="no model"):
        resolve(None, file=toml(tmp_path, "latent = 3\n"))


def written(configuration: Configuration, folder: Path, name: str = "config.toml") -> Path:
    """Its config.toml."""
    return toml(folder, configuration.as_toml(), name)


SOME: dict[str, dict[str, Any]] = {
    "ae": {"hidden": [512, 256], "output": "sigmoid", "image_shape": [8, 8], "epsilon": 1e-7},
    "vae": {"beta": 0.1 + 0.2, "validation": 0.25, "kl_warmup": 12, "drop_last": True, "learning_rate": 1e-30},
    "wae": {"bandwidth": 2, "lambda": 1e22, "hidden": []},
    "flux-wae": {"bandwidth": "median", "seed": 2**64 - 1},
    "flux-ae": {},
}


@pytest.mark.parametrize("name", SOME)
def test_the_config_of_a_run_read_again_gives_the_same_configuration(name: str, tmp_path: Path) -> None:
    before = resolve(name, flags=SOME[name])
    path = written(before, tmp_path)
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
def test_a_damaged_config_of_a_run_is_refused_in_one_line_that_names_it(name: str, tmp_path: Path) -> None:
    text, fragment = DAMAGED[name]
    toml(tmp_path, text, "config.toml")
    with pytest.raises(InputError, match=fragment) as refused:
        stored(tmp_path)
    assert "config.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run folder"):
        stored(tmp_path)


def test_read_toml_gives_what_is_written(tmp_path: Path) -> None:
    assert read_toml(toml(tmp_path, 'a = [1, 2]\nb = "é"\n')) == {"a": [1, 2], "b": "é"}


@pytest.mark.parametrize("name", MODELS)
def test_the_model_is_built_from_every_option_that_applies_to_it(name: str) -> None:
    flags = {"latent": 3, "hidden": [7, 5], "dropout": 0.25, "dtype": "float64", "backend": "numpy", "seed": 9, "initialiser": "he"}
    extras: dict[str, dict[str, Any]] = {
        "ae": {"code_activation": "tanh"},
        "vae": {"beta": 0.5, "l2": 0.1},
        "wae": {"lambda": 4.0, "bandwidth": "prior"},
    }
    extra = extras.get(name, {})
    flags = {key: value for key, value in flags.items() if OPTIONS[key].argument in model_arguments(name)}
    y = {"labels": np.array([0, 2]), "targets": np.eye(6), None: None}[MODELS[name].companion]
    text = TextFormat(Alphabet("a", 11), Alphabet("ab", 2)) if name == "paired" else None
    model = build_model(resolve(name, flags=flags | extra), 11, y, text)
    assert (model.kind, model.features, model.latent) == (name, 11, 3)
    for key, value in (flags | extra).items():
        assert model.spec[OPTIONS[key].argument] == value
    sizes = {"cvae": {"classes": 3}, "paired": {"target_features": 6, "symbols": 3}}.get(name, {})
    assert {size: model.spec[size] for size in sizes} == sizes


def test_the_training_is_set_up_from_every_option_that_is_not_the_models(few_digits: Path, tmp_path: Path) -> None:
    """Each value is another one than the default, so that one left out shows."""
    np.savez(tmp_path / "labelled.npz", x=np.load(few_digits), y=np.arange(120) % 2)
    optimizer = {"learning_rate": 0.25, "beta1": 0.5, "beta2": 0.75, "epsilon": 1e-3, "epsilon_placement": "uncorrected", "clip_norm": 2.0}
    schedule = {"schedule": "step", "warmup": 3, "decay": 0.5}
    loop = {
        "epochs": 4,
        "batch_size": 50,
        "seed": 9,
        "shuffle": False,
        "drop_last": True,
        "binarise": "dynamic",
        "patience": 2,
        "watch": 7,
        "step": "ordinary",
    }
    rows = {"data": str(tmp_path / "labelled.npz"), "validation": 0.25, "scale": "none", "image_shape": [4, 16], "keep": [0, 1]}
    model = {"backend": "numpy", "dtype": "float64", "hidden": [3], "latent": 2}
    chosen = optimizer | schedule | loop | rows | model
    assert set(chosen) >= {key for key, one in OPTIONS.items() if one.default is not OF_THE_MODEL}
    run = prepare(resolve("ae", flags=chosen))
    for key, value in optimizer.items():
        assert getattr(run.trainer.optimizer, key) == value, key
    assert run.trainer.optimizer.schedule == Schedule("step", total=4 * (90 // 50), warmup=3, decay=0.5)
    for key, value in loop.items():
        assert getattr(run.trainer, key) == value, key
    assert (len(run.trainer.x), run.dataset.image_shape, run.trainer.x.dtype) == (90, (4, 16), np.dtype("float64"))


def test_without_clipping_there_is_none(few_digits: Path) -> None:
    flags = {"data": str(few_digits), "backend": "numpy", "clip_norm": 0.0, "hidden": [3]}
    assert prepare(resolve("ae", flags=flags)).trainer.optimizer.clip_norm is None
