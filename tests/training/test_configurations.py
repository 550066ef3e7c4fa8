"""The resolved configuration: which value wins, where it came from, and how settings are spelt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from npae.errors import InputError
from npae.models import MODELS
from npae.presets import preset_names
from npae.training.configuration import resolve

NAMES = [*MODELS, *preset_names()]

pytestmark = pytest.mark.usefixtures("without_environment")


def test_default_then_preset_then_file_then_flag(tmp_path: Path, toml: Any) -> None:
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
def test_the_later_layer_wins(layers: tuple[str, ...], value: int, origin: str, tmp_path: Path, toml: Any) -> None:
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


def test_a_file_can_name_the_model_alone(tmp_path: Path, toml: Any) -> None:
    found = resolve(None, file=toml(tmp_path, 'model = "wae"\nlambda = 3\n'))
    assert (found.name, found.model, found["lambda"]) == ("wae", "wae", 3.0)
    assert isinstance(found["lambda"], float)


def test_without_any_model_the_names_are_listed(tmp_path: Path, toml: Any) -> None:
    with pytest.raises(InputError, match=r"no model: name one of ae, vae, wae, .*flux-ae"):
        resolve(None)
    with pytest.raises(InputError, match="no model"):
        resolve(None, file=toml(tmp_path, "latent = 3\n"))
