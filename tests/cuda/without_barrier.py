"""Takes the barriers of the CUDA sources away, one at a time, and runs what then remains on the CPU, in a process of its own.

    python without_barrier.py       prints, as JSON, for every barrier, "file: function #k", the call that misses it; null where none does

A source is compiled once, with a switch at each of its barriers. Each run is a process forked from this one, so that an abort, a hang and
what a run leaves in shared memory end with it. A call misses a barrier when it writes other bytes than with all barriers, in one of the
orders of threads, or does not end as it should. A barrier that no call reaches is given as "never reached".
Raises AssertionError for a call whose bytes depend on the order of the threads while all barriers are there.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
import shim
from calls import CALLS

from npae.kernels.cuda.device import using
from npae.kernels.cuda.source import every_source, source

SIZES = (33, 257, 2)
ORDERS = ((1, 0), (0, 0), (2, 1), (2, 2))  # backwards, as numbered, shuffled twice: (order, seed)
SECONDS = 20
BARRIER = re.compile(r"__sync(?:threads|warp)\([^()]*\)")
LINE = re.compile(r'#line \d+ "(.+)"')
FUNCTION = re.compile(r"struct (\w+) \{$|[\w\"][^(]*?\b(\w+)\s*\(")  # in the first column
SWITCHES = 'extern "C" { int without_barrier = -1; long reached[1024]; }\n'


class Case(NamedTuple):
    """A call that reaches some barriers, given as (source, number)."""

    name: str
    size: int
    digest: str
    reached: frozenset[tuple[str, int]]
    seconds: float


@functools.cache
def switched(name: str) -> tuple[str, tuple[str, ...]]:
    """The source with a switch at each barrier, and what the barriers are called."""
    lines: list[str] = []
    barriers: list[str] = []
    file = function = ""

    def switch(found: re.Match[str]) -> str:
        earlier = sum(barrier.startswith(f"{file}: {function} #") for barrier in barriers)
        barriers.append(f"{file}: {function} #{earlier + 1}")
        number = len(barriers) - 1
        return f"(++reached[{number}], without_barrier == {number} ? void() : {found[0]})"

    for line in source(name).splitlines():
        code, slashes, comment = line.partition("//")
        if found := LINE.match(code):
            file = found[1]
        elif found := FUNCTION.match(re.sub(r"__launch_bounds__\(.*?\)", "", code)):
            function = found[1] or found[2]
        lines.append(BARRIER.sub(switch, code) + slashes + comment)
    return SWITCHES + "\n".join(lines) + "\n", tuple(barriers)


class Switched(shim.OnCpu):
    """Runs the sources with switches, and remembers which."""

    def __init__(self, order: int, seed: int) -> None:
        super().__init__(order, seed, edit=lambda name, text: switched(name)[0])
        self.sources: set[str] = set()

    def kernel(self, name: str, kernel: str, real: str) -> Any:
        """The function, of a source that has been loaded before the fork."""
        self.sources.add(name)
        return super().kernel(name, kernel, real)


def reached_in(name: str) -> list[tuple[str, int]]:
    """The barriers of that source that a thread has come to in this process."""
    counts = (ctypes.c_long * 1024).in_dll(shim.loaded(switched(name)[0], "float"), "reached")
    return [(name, number) for number, count in enumerate(counts) if count]


def run(name: str, size: int, order: int, seed: int, without: tuple[str, int] | None = None) -> dict[str, Any]:
    """What a call writes, and which barriers it reaches."""
    if without:
        ctypes.c_int.in_dll(shim.loaded(switched(without[0])[0], "float"), "without_barrier").value = without[1]
    with using(device := Switched(order, seed)):
        arguments = CALLS[name].arguments(device, size, "float32")
        written = CALLS[name].written(arguments, CALLS[name].run(*arguments))
    digest = hashlib.sha256(b"|".join(array.tobytes() for array in written)).hexdigest()
    return {"digest": digest, "reached": [barrier for one in sorted(device.sources) for barrier in reached_in(one)]}


def forked(*arguments: Any) -> dict[str, Any] | None:
    """The same in a process of its own; None where that does not end as it should."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        if len(arguments) > 4:  # without a barrier: what then goes wrong is not worth reading
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(SECONDS)
        os.write(writing, json.dumps(run(*arguments)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    return json.loads(text) if os.waitpid(child, 0)[1] == 0 else None


def sound(name: str, size: int) -> Case:
    """The call with all barriers."""
    began = time.perf_counter()
    results = [forked(name, size, order, seed) for order, seed in ORDERS]
    assert None not in results, f"{name} {size} does not end as it should"
    assert len({result["digest"] for result in results}) == 1, f"{name} {size}: its bytes depend on the order of the threads"
    return Case(name, size, results[0]["digest"], frozenset(map(tuple, results[0]["reached"])), time.perf_counter() - began)


def misses(case: Case, barrier: tuple[str, int]) -> bool:
    """Whether the call comes out otherwise without that barrier."""
    runs = (forked(case.name, case.size, order, seed, barrier) for order, seed in ORDERS)
    return any(result is None or result["digest"] != case.digest for result in runs)


def main() -> None:
    """Print what misses each barrier."""
    missed: dict[str, str | None] = {}
    for name in every_source():
        shim.loaded(switched(name)[0], "float")  # compiled here, once, and not in each fork
    cases = sorted(
        (sound(name, size) for name, call in CALLS.items() for size in SIZES if size in call.sizes), key=lambda case: case.seconds
    )
    for name in every_source():
        for number, barrier in enumerate(switched(name)[1]):
            reaching = [case for case in cases if (name, number) in case.reached]
            if reaching and missed.get(barrier, "never reached") in (None, "never reached"):
                missed[barrier] = next((f"{case.name} {case.size}" for case in reaching if misses(case, (name, number))), None)
            missed.setdefault(barrier, "never reached")
    print(json.dumps(missed, indent=1))


if __name__ == "__main__":
    main()
