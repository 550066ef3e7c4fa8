"""What a start costs: processes from nothing to the end of their first step, where code has been compiled before, and where it has not.

    first        nothing is compiled yet, and what is compiled is kept
    next         what the first one kept is loaded
    one core     the same, held to one core
    not kept     there is no place to keep it: every process compiles

Seconds on the clock, and of processor time of all cores together, which a busy neighbour changes less. `next` and `one core` are medians of
the rounds, the others are measured once. Raises InputError for a program that is not known, WorkerError where one does not run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.epoch_process import Finished
from bench.epoch_process import run as run_process
from bench.interleave import Plan
from bench.machine import machine, pinned, software

_PROGRAM = ("-m", "bench.start_program")
STARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "numpy": ("import numpy", ("-c", "import numpy")),
    "npae": ("import npae", ("-c", "import npae")),
    "help": ("npae --help", ("-m", "npae", "--help")),
    "ordinary": ("one step, layer by layer", (*_PROGRAM, "ordinary")),
    "compiled": ("one step, compiled", (*_PROGRAM, "compiled")),
    "mmd": ("MMD of 2,000 points", (*_PROGRAM, "mmd")),
    "fork": ("fork, one step, compiled", (*_PROGRAM, "fork")),
}
WITHOUT_CODE = ("numpy", "npae", "help")  # nothing is compiled: `next` says all
ITS_OWN_WORD = ("fork",)  # prints how long it took; its processor time would be that of both processes


def run(*, chosen: Sequence[str], threads: int, plan: Plan) -> dict[str, Any]:
    """The whole result, as JSON can hold it."""
    rows: dict[str, dict[str, Any]] = {name: {"name": name, "title": STARTS[name][0]} for name in chosen}
    with tempfile.TemporaryDirectory(prefix="npae-bench-") as temporary:
        folder = Path(temporary)
        (folder / "file").touch()
        nowhere = {"NUMBA_CACHE_DIR": str(folder / "file" / "below")}
        with pinned(threads) as variables:
            where = machine(threads) | {"variables": variables}
            for name in chosen:
                print(STARTS[name][0], file=sys.stderr)
                kept = variables | {"NUMBA_CACHE_DIR": str(folder / name)}
                if name not in WITHOUT_CODE:
                    rows[name]["first"] = _median(name, kept, folder, 1, plan)
                    if name not in ITS_OWN_WORD:
                        rows[name]["not kept"] = _median(name, variables | nowhere, folder, 1, plan)
                rows[name]["next"] = _median(name, kept, folder, plan.rounds, plan)
        with pinned(1) as variables:
            for name in chosen:
                kept = variables | {"NUMBA_CACHE_DIR": str(folder / name)}
                rows[name]["one core"] = _median(name, kept, folder, plan.rounds, plan)
    return {"machine": where, "versions": software(), "rows": list(rows.values())}


def _median(name: str, variables: dict[str, str], folder: Path, rounds: int, plan: Plan) -> dict[str, Any]:
    """Of so many processes."""
    taken: list[Finished] = []
    for _ in range(rounds):
        plan.wait()
        taken.append(run_process([sys.executable, *STARTS[name][1]], variables, folder))
    seconds = [float(one.said) if name in ITS_OWN_WORD else one.seconds for one in taken]
    row: dict[str, Any] = {"seconds": statistics.median(seconds), "rounds": seconds}
    if name not in ITS_OWN_WORD:
        row["processor_seconds"] = statistics.median(one.processor_seconds for one in taken)
    return row
