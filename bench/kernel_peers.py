"""MMD and all distances, by npae and by every library that can, each in a process of its own and timed in turn.

At each size: the problem is written to a folder; every contender is started and must agree with the truth (peers_of_kernels/agreement.py)
before any is timed; npae in float32 also with all points OFFSET further. A contender takes part in as many rounds as fit into `limit`
seconds, at least one and never more than the plan's. If its first call takes longer, if its arrays do not fit into memory, or if it is not
installed, its row says so in place of times.

    start_seconds       next: to the end of a call with 256 points, compiled code found on disk; first, at the first size: nothing on disk
    prepared_seconds    what is compiled for the shapes of the problem (JAX)
    extra_bytes         memory beyond the inputs, see peers_of_kernels/worker.py
    floor               work() at the rates of bench/floors.py

Raises InputError for a comparison, peer or size that is not known, Disagreement where somebody computes something else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.floors import rates, seconds_at_least
from bench.interleave import Measured, Plan, interleaved
from bench.lists import names
from bench.machine import machine, pinned, software
from bench.peers_of_kernels.agreement import differences, load, truth_of
from bench.peers_of_kernels.contenders import CONTENDERS, OWN, PEERS
from bench.peers_of_kernels.problem import Size, make
from bench.peers_of_kernels.processes import NotRun, ask_within, check, command, first_start, measure_of
from bench.ratios import paired_ratio, quartiles
from bench.workers import Worker

OFFSET, OFFSET_UP_TO = 100.0, 20_000  # how far; and for up to how many points, because the truth takes its time
START_LIMIT = 300.0  # seconds for a first start, with all that has to be compiled
ITEMS = {"float32": 4, "float64": 8}
CACHES = ("NUMBA_CACHE_DIR", "HOME")  # where compiled code is kept; KeOps knows no variable of its own


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What holds for every size."""

    dtype: str
    peers: Sequence[str]
    threads: int
    variables: Mapping[str, str]
    limit: float
    plan: Plan
    folder: Path


def work(comparison: str, size: Size, itemsize: int) -> dict[str, float]:
    """The least that anybody does: each distance and each exponential once, the products of the gradient. float64 counts twice."""
    n, m, d = size
    wide, pairs = itemsize / 4, n * m + (n * n + m * m) / 2
    if comparison == "pairwise":
        return {"gemm_flops": wide * 2 * n * m * d, "copy_bytes": n * m * itemsize}
    flops = wide * 2 * d * (pairs + n * n + n * m)
    return {"gemm_flops": flops, "exponentials": wide * pairs} if comparison == "mmd" else {"gemm_flops": flops}


def in_rounds(workers: Mapping[str, Worker], calls: Mapping[str, float], limit: float, plan: Plan) -> dict[str, list[Measured]]:
    """Everybody's first rounds together; who is slow (`calls`: seconds of one) leaves when its limit is reached."""
    rounds = {name: max(1, min(plan.rounds, int(limit / calls[name]))) for name in workers}
    taken: dict[str, list[Measured]] = {name: [] for name in workers}
    done = 0
    for stop in sorted(set(rounds.values())):
        those = {name: measure_of(worker) for name, worker in workers.items() if rounds[name] >= stop}
        part = dataclasses.replace(plan, rounds=stop - done)
        for name, every in interleaved(those, part).items():
            taken[name] += every
        plan.patience, done = part.patience, stop
    return taken


def _variables(name: str, comparison: str, at: Conditions) -> tuple[dict[str, str], bool]:
    """A worker's, with a folder of its own for compiled code; and whether that is new."""
    caches = at.folder / f"{comparison}-{name}"
    new = not caches.is_dir()
    caches.mkdir(exist_ok=True)
    return {**at.variables, **dict.fromkeys(CACHES, str(caches))}, new


def _accuracy_at_an_offset(comparison: str, size: Size, at: Conditions) -> dict[str, float]:
    """npae's, as agreement.py says."""
    problem = make(comparison, size, at.dtype, OFFSET)
    problem.write(at.folder)
    variables, _ = _variables(OWN, comparison, at)
    with Worker(OWN, command(CONTENDERS[comparison][OWN], at.folder), folder=at.folder, variables=variables) as worker:
        worker.ask("first_call")
        own = load(worker.ask("result"))
    return differences(OWN, size, at.dtype, own, truth_of(problem, own))


def _start(name: str, comparison: str, size: Size, at: Conditions, stack: contextlib.ExitStack) -> tuple[Worker, dict[str, Any]]:
    """A worker that has made its first calls, and what they cost."""
    contender = CONTENDERS[comparison][name]
    check(contender, size, ITEMS[at.dtype])
    variables, new = _variables(name, comparison, at)
    first = first_start(name, contender, at.folder, variables, START_LIMIT) if new else None
    worker = stack.enter_context(Worker(name, command(contender, at.folder), folder=at.folder, variables=variables))
    ask_within(worker, START_LIMIT, "start")
    row = {"start_seconds": {"first": first, "next": round(worker.age(), 3)}}
    return worker, row | ask_within(worker, at.limit, "first_call")


def bench_size(comparison: str, size: Size, at: Conditions) -> dict[str, Any]:
    """One problem: its floor, and a row for each contender, times in milliseconds."""
    problem = make(comparison, size, at.dtype)
    problem.write(at.folder)
    contenders = [name for name in CONTENDERS[comparison] if name == OWN or name in at.peers]
    rows: dict[str, dict[str, Any]] = {name: {"name": name, "what": CONTENDERS[comparison][name].what} for name in contenders}
    workers: dict[str, Worker] = {}
    with contextlib.ExitStack() as stack:
        for name in contenders:
            try:
                workers[name], found = _start(name, comparison, size, at, stack)
            except NotRun as reason:
                rows[name]["not_run"] = str(reason)
                continue
            rows[name] |= found
        results = {name: load(worker.ask("result")) for name, worker in workers.items()}
        true = truth_of(problem, results[OWN])
        for name, found in results.items():
            rows[name] |= {"differences": differences(name, size, at.dtype, found, true)}
        taken = in_rounds(workers, {name: rows[name]["seconds"] for name in workers}, at.limit, at.plan)
        for name, worker in workers.items():
            rows[name] |= worker.ask("about")
    floor = 1e3 * seconds_at_least(work(comparison, size, ITEMS[at.dtype]), rates(at.threads))
    own = [1e3 * measured.seconds for measured in taken[OWN]]
    for name, every in taken.items():
        times = [1e3 * measured.seconds for measured in every]
        rows[name] |= {"milliseconds": quartiles(times)._asdict(), "rounds": times, "over_floor": quartiles(times).median / floor}
        rows[name] |= {"npae_over_this": paired_ratio(own[: len(times)], times)._asdict()}
        rows[name]["others"] = [round(measured.others, 2) for measured in every]
    group = {"comparison": comparison, "size": str(size), **size._asdict(), "floor_milliseconds": floor, "rows": list(rows.values())}
    if at.dtype == "float32" and comparison != "pairwise" and max(size.n, size.m) <= OFFSET_UP_TO:
        group["offset"] = OFFSET
        group["differences_at_an_offset"] = _accuracy_at_an_offset(comparison, size, at)
    return group


def run(
    *, comparisons: Sequence[str], sizes: Sequence[Size], dtype: str, peers: str, threads: int, limit: float, plan: Plan
) -> dict[str, Any]:
    """The whole result, as JSON can hold it."""
    chosen = list(PEERS) if peers == "all" else names("--peers", peers, PEERS)
    packages = {package for table in CONTENDERS.values() for name in (OWN, *chosen) if name in table for package in table[name].packages}
    groups = []
    with tempfile.TemporaryDirectory(prefix="npae-bench-") as temporary, pinned(threads) as variables:
        where = machine(threads) | {"variables": variables}
        at = Conditions(dtype, chosen, threads, variables | {"JAX_ENABLE_X64": "1"}, limit, plan, Path(temporary))
        for comparison in comparisons:
            for size in sizes:
                print(f"{comparison} {size} {dtype}: {plan.rounds} rounds of {plan.seconds:g} s", file=sys.stderr)
                share = dataclasses.replace(plan, patience=plan.patience / (len(comparisons) * len(sizes)))
                groups.append(bench_size(comparison, size, dataclasses.replace(at, plan=share)))
        floors = rates(threads)
    versions = software(*sorted(packages))
    return {"machine": where, "versions": versions, "dtype": dtype, "limit_seconds": limit, "rates": floors, "groups": groups}
