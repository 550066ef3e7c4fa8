"""The values of settings: read from text, and checked to be of their option's kind.

    parse("hidden", "512,256")  ->  [512, 256]          a text of the command line
    check("hidden", [512, 256])                         a value that has a type already: of TOML, or parsed

A kind says how a text is read, what is one, and what is expected in words.
Raises InputError for a value that is not of its option's kind, not finite, empty, or none of its choices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from npae.errors import InputError, nearest
from npae.training.options import option


@dataclass(frozen=True)
class Kind:
    """`read` raises ValueError or KeyError for a text that says none; `holds` is whether a value is one."""

    expected: str
    read: Callable[[str], Any]
    holds: Callable[[Any], bool]


def parse(key: str, text: str) -> Any:
    """A value given as text on the command line."""
    chosen = option(key)
    kind = KINDS[chosen.kind]
    try:
        value = kind.read(text)
    except (ValueError, KeyError):
        raise InputError(f"{chosen.key} '{text}' is not {kind.expected}") from None
    return check(chosen.key, value)


def check(key: str, value: Any) -> Any:
    """A value given with a type (TOML), or parsed: the right type, finite, one of the choices."""
    chosen = option(key)
    kind = KINDS[chosen.kind]
    if not kind.holds(value):
        raise InputError(f"{chosen.key} {value!r} is not {kind.expected}")
    if chosen.kind == "float":
        value = _as_float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{chosen.key} {value} is not a finite number")
    if value == "":
        raise InputError(f"{chosen.key} is empty; expected {kind.expected}")
    for one in value if isinstance(value, list) else [value]:
        if chosen.choices and one is not None and one not in chosen.choices:
            raise InputError(
                f"{chosen.key} '{one}' is not one of {', '.join(chosen.choices)}{nearest(str(one), chosen.choices, listed=True)}"
            )
    return value


def _as_float(value: float) -> float:
    """A whole number of hundreds of digits is no float; infinity is refused with it."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(holds(part) for part in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


KINDS: dict[str, Kind] = {
    "int": Kind("a whole number", lambda text: int(text.replace("_", "")), _is_int),
    "float": Kind("a number", float, _is_number),
    "bool": Kind(
        "true or false",
        lambda text: {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()],
        lambda value: isinstance(value, bool),
    ),
    "str": Kind("text", str, _is_text),
    "optional str": Kind("text", str, lambda value: value is None or _is_text(value)),
    "ints": Kind(
        "a list of whole numbers, such as 128 or 512,256",
        lambda text: [int(part) for part in text.split(",") if part.strip()],
        lambda value: _is_list(value, _is_int),
    ),
    "labels": Kind(
        "a label or a list of labels, such as 3 or 0,1",
        lambda text: [int(part) for part in text.split(",")],
        lambda value: value is None or (_is_list(value, _is_int) and bool(value)),
    ),
    "shape": Kind(
        "an image shape, such as 28x28 or 32x32x3",
        lambda text: [int(part) for part in text.lower().split("x")],
        lambda value: value is None or (_is_list(value, lambda part: _is_int(part) and part > 0) and len(value) in (2, 3)),
    ),
    "validation": Kind(
        "a share between 0 and 1, or one of test, none, auto",
        _number_or_text,
        lambda value: value in ("none", "test", "auto") or (_is_number(value) and 0 < value < 1),
    ),
    "number or name": Kind("a number or a name", _number_or_text, lambda value: _is_number(value) or _is_text(value)),
    "name or names": Kind(
        "a name, or a list of names such as elu,tanh",
        lambda text: text.split(",") if "," in text else text,
        lambda value: _is_text(value) or _is_list(value, _is_text),
    ),
}
