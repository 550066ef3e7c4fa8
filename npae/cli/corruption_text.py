"""A corruption as a word of the command line: KIND:LEVEL, such as gaussian:0.3."""

from __future__ import annotations

from npae.corruption import CORRUPTIONS, check_corruption
from npae.errors import InputError

FORM = f"KIND:LEVEL, such as gaussian:0.3; kinds: {', '.join(CORRUPTIONS)}"


def corruption_of(text: str) -> tuple[str, float]:
    """The kind and the level that `--corrupt` names."""
    kind, _, level = text.partition(":")
    try:
        number = float(level)
    except ValueError:
        raise InputError(f"--corrupt {text}: expected a kind and a level, such as gaussian:0.3") from None
    return check_corruption(kind, number)
