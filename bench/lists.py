"""Lists of names on the command line: commas between them, "none" for no name at all. Raises InputError for a name that is not known."""

from __future__ import annotations

from collections.abc import Sequence

from npae.errors import InputError, nearest


def names(flag: str, text: str, known: Sequence[str]) -> list[str]:
    """Those of the list, each once."""
    chosen = [] if text == "none" else [name.strip() for name in text.split(",")]
    for name in chosen:
        if name not in known:
            raise InputError(f"{flag} '{name}' is not known{nearest(name, known)}")
    return list(dict.fromkeys(chosen))
