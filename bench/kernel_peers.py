"""MMD and all distances, by npae and by every library that can, each in a process of its own and timed in turn.

At each size: the problem is written to a folder; every contender is started and must agree with the truth (peers_of_kernels/agreement.py)
before any is timed; npae in float32 also with all points OFFSET further. A contender takes part in as many rounds as fit into `limit`
seconds, at least one and never more than the plan's. If its first call takes longer, if its arrays do not fit into memory, or if it is not
installed, its row says so in place of times. With a GPU among the devices, its contenders take part as well (peers_of_kernels/on_gpu.py):
their inputs lie there, their seconds and memory are the device's, their floor is made of its rates, and one that computes something else
has a row that says so.

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

from bench.errors import Disagreement
from bench.floors import rates, seconds_at_least
from bench.gpu.device import the_gpu
from bench.gpu.rates import floor_seconds, uploads
from bench.gpu.rates import rates as gpu_rates
from bench.interleave import Measured, Plan, interleaved
from bench.lists import names
from bench.machine import machine, pinned, software
from bench.peers_of_kernels.agreement import differences, load, truth_of
from bench.peers_of_kernels.contenders import OWN, OWN_ON_GPU, Contender, contenders_on, peers_on
from bench.peers_of_kernels.problem import Size, make
from bench.peers_of_kernels.processes import NotRun, ask_within, check, command, first_start, measure_of
from bench.ratios import paired_ratio, quartiles
from bench.workers import Worker

OFFSET, OFFSET_UP_TO = 100.0, 20_000  # how far; and for up to how many points, because the truth takes its time
START_LIMIT = 300.0  # seconds for a first start, with all that has to be compiled
ITEMS = {"float32": 4, "float64": 8}
CACHES = ("NUMBA_CACHE_DIR", "HOME", "CUPY_CACHE_DIR")  # where compiled code is kept; KeOps knows no variable of its own


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
    devices: Sequence[str] = ("cpu",)

    def contenders(self, comparison: str) -> dict[str, Contender]:
        """Those that take part."""
        every = contenders_on(self.devices, comparison)
        return {name: one for name, one in every.items() if name in (OWN, OWN_ON_GPU, *self.peers)}


def work(comparison: str, size: Size, itemsize: int) -> dict[str, float]:
    """The least that anybody does: each distance and each exponential once, the products of the gradient. float64 counts twice."""
    n, m, d = size
    wide, pairs = itemsize / 4, n * m + (n * n + m * m) / 2
    if comparison == "pairwise":
        return {"gemm_flops": wide * 2 * n * m * d, "copy_bytes": n * m * itemsize}
    flops = wide * 2 * d * (pairs + n * n + n * m)
    return {"gemm_flops": flops, "exponentials": wide * pairs} if comparison != "mmd-imq" else {"gemm_flops": flops}


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
    own = at.contenders(comparison)[name].variables
    return {**at.variables, **own, **dict.fromkeys(CACHES, str(caches))}, new


def _accuracy_at_an_offset(comparison: str, size: Size, at: Conditions) -> dict[str, float]:
    """npae's, as agreement.py says."""
    problem = make(comparison, size, at.dtype, OFFSET)
    problem.write(at.folder)
    name, contender = next(iter(at.contenders(comparison).items()))
    variables, _ = _variables(name, comparison, at)
    with Worker(name, command(contender, at.folder), folder=at.folder, variables=variables) as worker:
        worker.ask("first_call")
        own = load(worker.ask("result"))
    return differences(name, size, at.dtype, own, truth_of(problem, own))


def _start(name: str, comparison: str, size: Size, at: Conditions, stack: contextlib.ExitStack) -> tuple[Worker, dict[str, Any]]:
    """A worker that has made its first calls, and what they cost."""
    contender = at.contenders(comparison)[name]
    check(contender, size, ITEMS[at.dtype])
    variables, new = _variables(name, comparison, at)
    first = first_start(name, contender, at.folder, variables, START_LIMIT) if new else None
    worker = stack.enter_context(Worker(name, command(contender, at.folder), folder=at.folder, variables=variables))
    ask_within(worker, START_LIMIT, "start")
    row = {"start_seconds": {"first": first, "next": round(worker.age(), 3)}}
    return worker, row | ask_within(worker, at.limit, "first_call")


def _floors(done: Mapping[str, float], at: Conditions) -> dict[str, float]:
    """Milliseconds on each of the devices."""
    floors = {"cpu": 1e3 * seconds_at_least(done, rates(at.threads))}
    if "cuda" in at.devices:
        floors["cuda"] = 1e3 * floor_seconds(done, gpu_rates())
    return floors


def bench_size(comparison: str, size: Size, at: Conditions) -> dict[str, Any]:
    """One problem: its floor, and a row for each contender, times in milliseconds."""
    problem = make(comparison, size, at.dtype)
    problem.write(at.folder)
    contenders = at.contenders(comparison)
    base = next(iter(contenders))
    rows: dict[str, dict[str, Any]] = {name: {"name": name, "what": one.what} for name, one in contenders.items()}
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
        true = truth_of(problem, results[base])
        for name, found in results.items():
            try:
                rows[name] |= {"differences": differences(name, size, at.dtype, found, true)}
            except Disagreement as error:
                if name == base or not contenders[name].on_gpu:
                    raise
                rows[name]["not_run"] = str(error)
                del workers[name]
        taken = in_rounds(workers, {name: rows[name]["seconds"] for name in workers}, at.limit, at.plan)
        for name, worker in workers.items():
            rows[name] |= worker.ask("about")
    floors = _floors(work(comparison, size, ITEMS[at.dtype]), at)
    own = [1e3 * measured.seconds for measured in taken[base]]
    for name, every in taken.items():
        floor = floors["cuda" if contenders[name].on_gpu else "cpu"]
        times = [1e3 * measured.seconds for measured in every]
        rows[name] |= {"milliseconds": quartiles(times)._asdict(), "rounds": times, "over_floor": quartiles(times).median / floor}
        rows[name] |= {"npae_over_this": paired_ratio(own[: len(times)], times)._asdict()}
        rows[name]["others"] = [round(measured.others, 2) for measured in every]
    group = {"comparison": comparison, "size": str(size), **size._asdict(), "floor_milliseconds": floors[at.devices[-1]]}
    group |= {"floors_milliseconds": floors, "rows": list(rows.values())}
    if at.dtype == "float32" and comparison != "pairwise" and max(size.n, size.m) <= OFFSET_UP_TO:
        group["offset"] = OFFSET
        group["differences_at_an_offset"] = _accuracy_at_an_offset(comparison, size, at)
    return group


def run(
    *,
    problems: Sequence[tuple[str, Size]],
    dtype: str,
    peers: str,
    threads: int,
    limit: float,
    plan: Plan,
    devices: Sequence[str] = ("cpu",),
) -> dict[str, Any]:
    """The whole result, as JSON can hold it; `problems` are comparisons with their sizes."""
    known = peers_on(devices)
    chosen = list(known) if peers == "all" else names("--peers", peers, known)
    groups = []
    with tempfile.TemporaryDirectory(prefix="npae-bench-") as temporary, pinned(threads) as variables:
        where = machine(threads) | {"variables": variables}
        at = Conditions(dtype, chosen, threads, variables | {"JAX_ENABLE_X64": "1"}, limit, plan, Path(temporary), devices)
        packages = {package for name, _ in problems for one in at.contenders(name).values() for package in one.packages}
        on_gpu = {"gpu": the_gpu().about(), "gpu_rates": gpu_rates(), "uploads": uploads()} if "cuda" in devices else {}
        for comparison, size in problems:
            print(f"{comparison} {size} {dtype}: {plan.rounds} rounds of {plan.seconds:g} s", file=sys.stderr)
            share = dataclasses.replace(plan, patience=plan.patience / len(problems))
            groups.append(bench_size(comparison, size, dataclasses.replace(at, plan=share)))
        floors = rates(threads)
    versions = software(*sorted(packages))
    return on_gpu | {"machine": where, "versions": versions, "dtype": dtype, "limit_seconds": limit, "rates": floors, "groups": groups}
