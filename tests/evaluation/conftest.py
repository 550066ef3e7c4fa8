"""A preset of its own for tests: two epochs of a small autoencoder on the digits, with whatever was "published" for it."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from npae import presets

SETTINGS = """\
title = "A small autoencoder"
source = "nowhere"
seconds = 1

[settings]
model = "{model}"
data = "digits"
epochs = 2
batch_size = 500
hidden = [8]
latent = 2
backend = "numpy"
validation = "{validation}"
{more}
[published]
unit = "sum of the 3 batch losses"
log = "{log}"
per_image = "squared error per image"
"""

ZEROS = {"initial": 0.0, "epoch 1": 0.0, "epoch 2": 0.0}


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., presets.Preset]]:
    """publish({"initial": ..., "epoch 1": ...}, not_judged=[...], independent={...}): the preset `tiny` with those numbers.

    A number given as text is taken as it is printed. `model` is another one, `more` some further settings as lines of TOML.
    """
    files = importlib.resources.files
    monkeypatch.setattr(importlib.resources, "files", lambda anchor: tmp_path if anchor == "npae.presets" else files(anchor))

    def publish(
        numbers: dict[str, float | str] | None = None,
        *,
        not_judged: list[str] | None = None,
        independent: dict[str, Any] | None = None,
        model: str = "ae",
        log: str = "sum",
        validation: str = "none",
        more: str = "",
    ) -> presets.Preset:
        lines = [f"not_judged = {not_judged or []!r}", "[published.numbers]"]
        lines += [f'"{name}" = {value}' for name, value in (ZEROS if numbers is None else numbers).items()]
        lines += ["[published.independent]", *(f'"{name}" = {list(span)!r}' for name, span in (independent or {}).items())]
        (tmp_path / "tiny.toml").write_text(
            SETTINGS.format(model=model, log=log, validation=validation, more=more) + "\n".join(lines) + "\n"
        )
        for cached in (presets.preset_names, presets.preset):
            cached.cache_clear()
        return presets.preset("tiny")

    yield publish
    for cached in (presets.preset_names, presets.preset):
        cached.cache_clear()
