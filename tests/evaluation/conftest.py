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

[settings]
model = "{model}"
data = "digits"
epochs = 2
batch_size = 500
hidden = [8]
latent = 2
backend = "numpy"
validation = "none"
{more}
[published]
unit = "sum of the 3 batch losses"
per_image = "squared error per image"
"""


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., presets.Preset]]:
    """publish(initial=..., epochs=[...], judged=[...], independent={...}): the preset `tiny` with those numbers.

    `model` is another one, `more` some further settings as lines of TOML.
    """
    files = importlib.resources.files
    monkeypatch.setattr(importlib.resources, "files", lambda anchor: tmp_path if anchor == "npae.presets" else files(anchor))

    def publish(
        *,
        initial: float = 0.0,
        epochs: list[float] | None = None,
        judged: list[Any] | None = None,
        independent: dict[str, Any] | None = None,
        model: str = "ae",
        more: str = "",
    ) -> presets.Preset:
        names = ", ".join(repr(one).replace("'", '"') for one in (judged if judged is not None else ["initial", 1, 2]))
        lines = [f"initial = {initial!r}", f"epochs = {epochs or [0.0, 0.0]!r}", f"judged = [{names}]", "[published.independent]"]
        lines += [f'"{name}" = {list(span)!r}' for name, span in (independent or {}).items()]
        (tmp_path / "tiny.toml").write_text(SETTINGS.format(model=model, more=more) + "\n".join(lines) + "\n")
        for cached in (presets.preset_names, presets.preset):
            cached.cache_clear()
        return presets.preset("tiny")

    yield publish
    for cached in (presets.preset_names, presets.preset):
        cached.cache_clear()
