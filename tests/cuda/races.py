"""Which launches of a step may run at the same time, and whether two of them touch the same memory: told from the order that was asked for.

    order = Order()
    with order.beside("terms"): order.touch("kl", reads=[mu, s], writes=[dmu])
    order.touch("add", reads=[dmu], writes=[ds])           raises RaceError: nothing says that it comes after "kl"
    order.join({"terms"})                                  says so
    order.launches, order.longest                          since count(): how many, and how many of them one after another

Each line counts its launches, and with each launch goes how many of every line it is known to come after (vector clocks: Fidge 1988,
Mattern 1989). Two launches that touch overlapping memory, one of them writing, must be so ordered. And as CuPy gives memory that was freed
to the next who asks on the same line: a launch on the line where an array was first used must, once that array is gone, come after all
launches that touch it on other lines.
"""

from __future__ import annotations

import contextlib
import functools
import re
import weakref
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from npae.kernels.cuda.source import source

MAIN = ""
SIGNATURE = r"__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s*)?{}\s*\(([^)]*)\)"


class RaceError(AssertionError):
    """Two launches may run at the same time and touch the same memory."""


class Access(NamedTuple):
    what: str
    line: str
    count: int  # of its line's launches
    first: int
    last: int  # byte, that one not included
    writes: bool
    owner: int  # of the memory


class Order:
    """What has been launched where, and after what."""

    def __init__(self) -> None:
        self.launches = self.longest = 0
        self.begin()

    def count(self) -> None:
        """Launches from here on, nothing being under way."""
        assert not self.under_way
        self.launches = self.longest = 0
        self.depth.clear()

    def begin(self) -> None:
        """Nothing is under way."""
        self.after: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.depth: dict[str, int] = defaultdict(int)
        self.lines, self.under_way = [MAIN], set[str]()
        self.accesses: list[Access] = []
        self.home: dict[int, str] = {}  # the line where an array was first used, by the id of what owns its memory
        self.freed: dict[str, list[Access]] = defaultdict(list)  # on other lines, of arrays whose home this was

    @property
    def line(self) -> str:
        """Where launches go."""
        return self.lines[-1]

    @contextlib.contextmanager
    def beside(self, line: str) -> Iterator[None]:
        """Launches inside go to that line."""
        self._order(line, self.line)
        self.under_way.add(line)
        self.lines.append(line)
        try:
            yield
        finally:
            self.lines.pop()

    def join(self, lines: set[str]) -> None:
        """What follows here comes after these."""
        for line in lines & self.under_way:
            self._order(self.line, line)
        if self.line == MAIN:
            self.under_way -= lines
            if not self.under_way:
                self.accesses.clear()  # all that is still to come comes after them
                self.freed.clear()

    def touch(self, what: str, reads: Sequence[Any], writes: Sequence[Any]) -> None:
        """A launch, here."""
        line = self.line
        known = self.after[line]
        known[line] += 1
        self.depth[line] += 1
        self.launches, self.longest = self.launches + 1, max(self.longest, self.depth[line])
        if not self.under_way:  # all in turn: what is still to come comes after it
            for array in (*reads, *writes):
                self._owner(array)
            return
        for other in self.freed.pop(line, ()):
            if other.count > known[other.line]:
                raise RaceError(f"{what} on line '{line}' may be given memory that {other.what} on line '{other.line}' touches")
        for array, writing in (*((a, False) for a in reads), *((a, True) for a in writes)):
            owner, (first, last) = self._owner(array), bounds(array)
            for other in self.accesses:
                if (writing or other.writes) and first < other.last and other.first < last and other.count > known[other.line]:
                    raise RaceError(f"{what} on line '{line}' and {other.what} on line '{other.line}' touch the same memory, in no order")
            self.accesses.append(Access(what, line, known[line], first, last, writing, owner))

    def _owner(self, array: Any) -> int:
        """Whose memory it is; that it is freed will be heard."""
        if not isinstance(array, np.ndarray):
            return 0
        while isinstance(array.base, np.ndarray):
            array = array.base
        if id(array) not in self.home:
            self.home[id(array)] = self.line
            weakref.finalize(array, self._free, id(array)).atexit = False
        return id(array)

    def _free(self, owner: int) -> None:
        home = self.home.pop(owner, MAIN)
        self.freed[home] += [access for access in self.accesses if access.owner == owner and access.line != home]
        self.accesses = [access for access in self.accesses if access.owner != owner]

    def _order(self, later: str, earlier: str) -> None:
        for line, count in self.after[earlier].items():
            self.after[later][line] = max(self.after[later][line], count)
        self.depth[later] = max(self.depth[later], self.depth[earlier])


def bounds(array: Any) -> tuple[int, int]:
    """First byte, and the one behind the last; of a pair, itself."""
    return np.lib.array_utils.byte_bounds(array.view(np.ndarray)) if isinstance(array, np.ndarray) else array


@functools.cache
def parameters(name: str, kernel: str) -> tuple[str, ...]:
    """Those of that kernel, as its source writes them."""
    text = source(name).replace("\\\n", " ")
    found = re.search(SIGNATURE.format(kernel), text)
    assert found, f"{name} has no kernel {kernel}"
    macro = re.search(rf"#define {found[1]} (.*)", text)
    return tuple(" ".join(parameter.split()) for parameter in (macro or found)[1].split(","))


def touched(name: str, kernel: str, arguments: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What a launch reads and writes, by the kernel's own parameters: what is const is only read."""
    reads: list[Any] = []
    writes: list[Any] = []
    for parameter, argument in zip(parameters(name, kernel), arguments, strict=True):
        if isinstance(argument, np.ndarray) and argument.dtype.names:  # addresses of numbers, by value
            reads += [(int(at), int(at) + 8) for at in argument["at"].ravel() if at]
        elif isinstance(argument, np.ndarray):
            (reads if parameter.startswith("const ") else writes).append(argument)
    return reads, writes
