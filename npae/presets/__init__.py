"""Presets: one TOML file a published run, with its settings and the published numbers.

    title, source       what it is, and where it was published
    seconds             of training a seed on two processor cores, roughly: what the time left is told from
    [settings]          as in a configuration file; the model too
    [published]
      unit              what the document's log counts, in words
      log               "sum" or "mean" of an epoch's batch losses
      per_image         what the terms are per image, in words
      not_judged        names of numbers that no band is asked of
    [published.numbers]       name = number, with the digits that were printed; left out where nothing was published
    [published.independent]   name = [low, high], the range over seeds of an independent implementation

A name says which of a run's numbers is meant:

    "steps", "compression"        training steps in all, numbers of a row for each of its code
    "initial"                     the loss of a batch before the first step
    "epoch 5"                     training loss of epoch 5, in the document's unit
    "epoch 50 validation"         the same of the validation rows
    "epoch 5 kl", "epoch 100 watched kl"      one term, per image

Raises InputError for an unknown preset.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from npae.errors import InputError, nearest


@dataclass(frozen=True)
class Number:
    """A number as it was printed: the true one lies within `rounding` of it, half a unit of the last digit."""

    name: str
    value: float
    rounding: float
    judged: bool = True

    @property
    def printed(self) -> str:
        """With as many digits as were printed."""
        digits = max(0, round(-math.log10(2 * self.rounding)))
        return f"{self.value:.{digits}f}"


@dataclass(frozen=True)
class Published:
    """What the document says: its unit, its numbers, and beside them what an independent implementation measured."""

    unit: str
    log: str
    per_image: str
    numbers: tuple[Number, ...] = ()
    independent: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """A published run: what it is, where from, how it is set up, and what was published."""

    name: str
    title: str
    source: str
    seconds: float
    settings: dict[str, Any]
    published: Published


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
    content, as_printed = tomllib.loads(text), tomllib.loads(text, parse_float=Decimal)
    published, not_judged = content["published"], content["published"].get("not_judged", [])
    numbers = [_number(key, printed, key not in not_judged) for key, printed in as_printed["published"].get("numbers", {}).items()]
    independent = {key: (low, high) for key, (low, high) in published.get("independent", {}).items()}
    told = Published(published["unit"], published["log"], published["per_image"], tuple(numbers), independent)
    return Preset(name, content["title"], content["source"], content["seconds"], content["settings"], told)


def _number(name: str, printed: Decimal | int, judged: bool) -> Number:
    last_digit = Decimal(printed).as_tuple().exponent  # of 0.024: -3
    return Number(name, float(printed), 0.5 * 10.0 ** int(last_digit), judged)
