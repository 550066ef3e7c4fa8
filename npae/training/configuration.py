"""The resolved configuration of a run: every value, and where it came from.

    default  <  model  <  preset  <  file  <  flag          the later one wins; unknown or unfitting keys are refused with the nearest name

A configuration is written to the run folder as config.toml, each value with its origin, and can be given to --config again.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npae.backend import Array, chosen_name
from npae.data.catalogue import CATALOGUE
from npae.data.from_path import path_of
from npae.data.text import TextFormat
from npae.errors import InputError, nearest
from npae.models import MODELS, Model, model_class
from npae.presets import preset, preset_names
from npae.training.option_values import check
from npae.training.options import OF_THE_MODEL, OPTIONS, model_arguments, option

ORIGIN_TABLE = "origin"


@dataclass(frozen=True)
class Configuration:
    """`config["latent"]`, `config.origins["latent"]`; `name` is what was asked for: a model or a preset."""

    name: str
    model: str
    values: dict[str, Any]
    origins: dict[str, str]

    def __getitem__(self, key: str) -> Any:
        return self.values[option(key).key]

    def constructor_arguments(self) -> dict[str, Any]:
        """What the model's constructor takes, without the features, which the data say."""
        taken = model_arguments(self.model)
        return {OPTIONS[key].argument: value for key, value in self.values.items() if OPTIONS[key].argument in taken}

    def as_toml(self) -> str:
        """The text of config.toml."""
        lines = [f"name = {_toml(self.name)}", f"model = {_toml(self.model)}"]
        lines += [f"{key} = {_toml(value)}" for key, value in self.values.items() if value is not None]
        lines += ["", f"[{ORIGIN_TABLE}]"] + [
            f"{key} = {_toml(origin)}" for key, origin in self.origins.items() if self.values[key] is not None
        ]
        return "\n".join(lines) + "\n"


def resolve(name: str | None, *, file: Path | None = None, flags: Mapping[str, Any] | None = None) -> Configuration:
    """Merge default, preset, file and flags for a model or preset."""
    given = read_toml(file) if file else {}
    stated = str(given.pop("name", given.get("model", ""))) or None
    stated_model = given.pop("model", None)
    given.pop(ORIGIN_TABLE, None)
    if name is None and stated is None:
        raise InputError(f'no model: name one of {", ".join(_names())}, or give a --config FILE with a line such as model = "vae"')
    chosen = name or str(stated)
    if chosen not in _names():
        raise InputError(f"model '{chosen}' is neither a model nor a preset{nearest(chosen, _names())}")
    settings = dict(preset(chosen).settings) if chosen in preset_names() else {"model": chosen}
    model = str(settings.pop("model"))
    if stated_model not in (None, model):
        raise InputError(f"{file}: model = '{stated_model}', but '{chosen}' is a {model}; name the same model in both")
    values, origins = _defaults(model)
    for origin, layer in (("preset", settings), (f"file {file}", given), ("flag", flags or {})):
        for key, value in layer.items():
            known = option(key).key
            check_fits(known, model)
            values[known] = check(known, value)
            origins[known] = origin
    values["data"] = absolute_data(values["data"])
    values["backend"], origins["backend"] = _backend(values["backend"], origins["backend"])
    return Configuration(chosen, model, values, origins)


def absolute_data(data: str) -> str:
    """A path from the root, so that the run finds its data again from any folder; a name of the catalogue stays."""
    if data in CATALOGUE or not (path := path_of(data)).exists():
        return data
    return str(path.resolve())


def check_is_folder(run: Path) -> None:
    """A run is a folder; what has to be in it is for its readers to say."""
    if not run.is_dir():
        what = " is a file, and a run is a folder" if run.exists() else ": no such run folder"
        raise InputError(f"{run}{what}; npae train prints the folder it leaves")


def stored(run: Path) -> Configuration:
    """The configuration of a run folder."""
    check_is_folder(run)
    path = run / "config.toml"
    if not path.is_file():
        raise InputError(f"{run} is not a run folder (no config.toml in it); expected a folder made by npae train")
    content = read_toml(path)
    origins = content.pop(ORIGIN_TABLE, {})
    name, model = str(content.pop("name", "")), str(content.pop("model", ""))
    try:
        values, _ = _defaults(model)
        for key, value in content.items():
            check_fits(option(key).key, model)
            values[option(key).key] = check(key, value)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if not isinstance(origins, dict):
        raise InputError(f"{path}: {ORIGIN_TABLE} = {origins!r}; expected a table of the origin of each value")
    return Configuration(name, model, values, {key: str(origins.get(key, "default")) for key in values})


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file, or one line that says what is wrong with it."""
    if not path.is_file():
        raise InputError(f"--config {path}: no such file")
    try:
        return tomllib.loads(path.read_bytes().decode())
    except ValueError as error:  # of the syntax, of UTF-8, of a number with thousands of digits
        raise InputError(f"{path} is not TOML: {error}; expected lines such as latent = 8") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply; expected lines such as latent = 8") from None


def _names() -> list[str]:
    return [*MODELS, *preset_names()]


def _defaults(model: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The table's defaults, those of the model's constructor, and over them what the model says of its training."""
    own = dict(model_class(model).training_defaults)
    arguments = model_arguments(model)
    values: dict[str, Any] = {}
    for key, chosen in OPTIONS.items():
        if chosen.default is not OF_THE_MODEL:
            values[key] = chosen.default
        elif chosen.argument in arguments:
            default = arguments[chosen.argument].default
            values[key] = list(default) if isinstance(default, tuple) else default
    return values | own, dict.fromkeys(values, "default") | dict.fromkeys(own, "model")


def check_fits(key: str, model: str) -> None:
    """Refuse an option that another model has."""
    if OPTIONS[key].default is OF_THE_MODEL and OPTIONS[key].argument not in model_arguments(model):
        fitting = [kind for kind in MODELS if OPTIONS[key].argument in model_arguments(kind)]
        raise InputError(f"option '{key}' does not apply to model '{model}'; it applies to {', '.join(fitting)}")


def _backend(name: str | None, origin: str) -> tuple[str, str]:
    if name is not None:
        return name, origin
    chosen, source = chosen_name()
    return chosen, "environment" if source == "NPAE_BACKEND" else source


def _toml(value: Any) -> str:
    """A value as TOML writes it; its basic strings, lists and booleans are JSON's."""
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def build_model(configuration: Configuration, features: int, y: Array | None = None, text: TextFormat | None = None) -> Model:
    """The model that a configuration describes, for data with so many features and, where it reads them, labels or targets y."""
    model = model_class(configuration.model)
    sizes = {} if y is None else {"classes": int(y.max()) + 1} if model.companion == "labels" else {"target_features": y.shape[1]}
    if text is not None and model.companion == "targets":
        sizes["symbols"] = text.targets.symbols
    return model(features, **sizes, **configuration.constructor_arguments())
