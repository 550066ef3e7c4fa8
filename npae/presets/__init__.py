"""Presets: one TOML file a published run, with its settings and the published numbers."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from dataclasses import dataclass
from typing import Any

from npae.errors import InputError, nearest


@dataclass(frozen=True)
class Preset:
    """A published run: what it is, where from, how it is set up, and what was published."""

    name: str
    title: str
    source: str
    settings: dict[str, Any]
    published: dict[str, Any]


@functools.cache
def preset_names() -> tuple[str, ...]:
    """The presets that come with npae."""
    folder = importlib.resources.files(__name__)
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


@functools.cache
def preset(name: str) -> Preset:
    """One preset by name."""
    if name not in preset_names():
        raise InputError(f"preset '{name}' is not known{nearest(name, preset_names())}")
    text = (importlib.resources.files(__name__) / f"{name}.toml").read_text()
    content = tomllib.loads(text)
    return Preset(name, content["title"], content["source"], content["settings"], content["published"])
