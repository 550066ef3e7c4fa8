"""What npae raises when the input, not the program, is wrong.

Every message is one line that names the thing, its value, what was expected and the fix;
the command line prints it and exits with status 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A value, file or option that npae cannot use."""


class NonFiniteError(InputError, FloatingPointError):
    """A loss, gradient or input that is NaN or infinite."""


def nearest(name: str, known: Iterable[str], *, listed: bool = False) -> str:
    """`"; did you mean 'latent'?"`, or, when nothing is close, what is known, unless the message has listed that already."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return "" if listed else f"; known: {', '.join(names)}"
