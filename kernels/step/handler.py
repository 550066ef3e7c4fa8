"""What performs an operation: an entry (npae/kernels/entry.py) for each kind of them, so a network compiles only the kinds it is made of.

    handler("npae.kernels.step.rows:dense")        f(kind, op, number, lo, hi, now)

op and number are the addresses of the operation's rows in the two tables of operations.py; lo and hi its range; now that of the MOMENT
(codes.py): the step, and what belongs to the thread. Compiled together, every layer of functions would be optimised anew with all it calls;
compiled code calls them by their addresses (call.py).
"""

from __future__ import annotations

from npae.kernels.entry import Entry

ARGUMENTS = 5  # whole numbers, after `kind`


def handler(name: str) -> Entry:
    """The function "module:name"."""
    return Entry(name, ARGUMENTS)
