"""What npae raises when the input, not the program, is wrong.

Every message is one line that names the thing, its value, what was expected and the fix;
the command line prints it and exits with status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 1500  # characters of a message


class InputError(ValueError):
    """A value, file or option that npae cannot use.

    A message quotes what it found, and a file may hold anything: what cannot be printed (a terminal's commands among it) is shown
    escaped, and what is too long loses its middle.
    """

    def __str__(self) -> str:
        """The message, as one line that any terminal and log file can show."""
        return printable(super().__str__())


class NonFiniteError(InputError, FloatingPointError):
    """A loss, gradient or input that is NaN or infinite."""


def printable(text: str) -> str:
    """The text as one line of at most about LONGEST characters, each of which can be printed."""
    text = _without_middle(text)
    if text.isprintable():
        return text
    return _without_middle("".join(" " if letter == "\n" else letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text))


def _without_middle(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: 2 * LONGEST // 3]} ... {text[-LONGEST // 3 :]}"


def nearest(name: str, known: Iterable[str], *, listed: bool = False) -> str:
    """`"; did you mean 'latent'?"`, or, when nothing is close, what is known, unless the message has listed that already."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return "" if listed else f"; known: {', '.join(names)}"
