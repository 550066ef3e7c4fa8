"""One training step of any preset, in npae and in other frameworks, side by side.

For each model: the problem is written to a folder; every contender is started twice, first with nothing compiled, then for the measurement;
all must agree with the truth before any is timed; then they are timed in turn. See problem.py, peers.py, workers.py, interleave.py.

    agreement        |value - truth| <= 1e-5 max(|truth|, 0.1) for each term at the start; 1e-4 for the total after three Adam steps
                     (a squared MMD is a small difference of means of size 1, hence the floor)
    start            seconds from nothing to the end of the first call, loading the data included; "first": no compiled code on disk yet
    verdict          npae's fastest over the fastest peer, round by round

Who cannot run a model has a row that says why. Raises InputError for names it does not know, Disagreement where a contender computes
something else, WorkerError where one does not run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.catalogue import SHORT, known
from bench.describe import NotDescribed
from bench.errors import Disagreement
from bench.floors import rates
from bench.interleave import Measure, Plan, Sample, interleaved
from bench.lists import names
from bench.machine import machine, pinned, software
from bench.peers import PEERS
from bench.problem import Written, write_data, write_model
from bench.ratios import paired_ratio, quartiles
from bench.step_floor import floor
from bench.workers import Worker
from npae.errors import InputError

BACKENDS = ("numpy", "numba", "compiled")
AT_START, LATER, FLOOR = 1e-5, 1e-4, 0.1
NONZERO_ROWS = 5000  # of the data that are looked at for their share of zeros


def check(contender: str, model: str, found: Mapping[str, Any], truth: Mapping[str, Any]) -> float:
    """The largest difference at the start, relative as above; Disagreement where it is too large."""
    pairs = [(name, found["terms"].get(name, float("nan")), value, AT_START) for name, value in truth["terms"].items()]
    pairs.append(("total after three steps", found["later"], truth["later"], LATER))
    differences: list[float] = []
    for name, value, true, allowed in pairs:
        differences.append(abs(value - true) / max(abs(true), FLOOR))
        if not differences[-1] <= allowed:
            raise Disagreement(
                f"{contender} disagrees on {model}: {name} is {value:.9g}, the truth is {true:.9g}; "
                f"relative difference {differences[-1]:.2g}, allowed {allowed:g}"
            )
    return max(differences[:-1])


def command(contender: str, folder: Path, model: str) -> list[str]:
    """How that contender's worker is started."""
    own = [] if contender in ("compiled", *PEERS) else [contender]
    module = PEERS[contender].module if contender in PEERS else "npae_step" if own else "compiled_step"
    return [sys.executable, "-m", f"bench.{module}", str(folder), model, *own]


def environment(contender: str, folder: Path, model: str) -> dict[str, str]:
    """Where what it compiles is kept: nothing of another contender's, nothing from before."""
    compiled = str(folder / "compiled" / model / contender)
    return {
        "NUMBA_CACHE_DIR": compiled,
        "TORCHINDUCTOR_CACHE_DIR": compiled,
        "JAX_COMPILATION_CACHE_DIR": compiled,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def measure_of(worker: Worker) -> Measure:
    """Its steps, as interleave.py wants them."""

    def measure(count: int) -> Sample:
        answer = worker.ask("steps", count=count)
        return Sample(answer["steps"], answer["seconds"], answer["processor_seconds"])

    return measure


def start(worker: Worker) -> float:
    """Seconds until it has made its first call."""
    worker.ask("steps", count=1)
    return round(worker.age(), 3)


def cannot(contender: str, written: Written) -> str:
    """Why that contender does not run this model, or nothing."""
    if contender not in PEERS:
        return written.cannot.get(contender, "")
    return PEERS[contender].cannot(written.network) if written.network else f"the peers do not know {written.cannot['peers']}"


def share_of_nonzeros(folder: Path) -> float:
    """Of the pixels of the first rows."""
    rows = np.load(folder / "data.npy", mmap_mode="r")[:NONZERO_ROWS]
    return float(np.count_nonzero(rows) / rows.size)


def verdict(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """npae's fastest over the fastest peer; None where one of them is missing."""
    by_median = sorted(rows, key=lambda row: row["milliseconds"]["median"])
    own = next((row for row in by_median if row["name"] in BACKENDS), None)
    peer = next((row for row in by_median if row["name"] in PEERS), None)
    if own is None or peer is None:
        return None
    return {"npae": own["name"], "peer": peer["name"], "ratio": paired_ratio(own["rounds"], peer["rounds"])._asdict()}


def bench_model(
    model: str, contenders: Sequence[str], folder: Path, variables: Mapping[str, str], written: Written, plan: Plan
) -> list[dict[str, Any]]:
    """A row for each contender, times in milliseconds; for who cannot, why."""
    refused = [{"model": model, "name": name, "cannot": reason} for name in contenders if (reason := cannot(name, written))]
    able = [name for name in contenders if not cannot(name, written)]
    if not able:
        return refused
    rows: dict[str, dict[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name in able:
            told = {**variables, **environment(name, folder, model)}
            with Worker(name, command(name, folder, model), folder=folder, variables=told) as worker:
                first = start(worker)
            workers[name] = stack.enter_context(Worker(name, command(name, folder, model), folder=folder, variables=told))
            rows[name] = {"model": model, "name": name, "start_seconds": {"first": first, "next": start(workers[name])}}
            rows[name]["difference"] = check(name, model, workers[name].ask("agree"), written.truth)
        taken = interleaved({name: measure_of(worker) for name, worker in workers.items()}, plan)
        for name, worker in workers.items():
            rows[name] |= worker.ask("about")
    base = next(name for name in (*reversed(BACKENDS), able[0]) if name in rows)
    times = {name: [1e3 * measured.seconds for measured in every] for name, every in taken.items()}
    for name, row in rows.items():
        row |= {"milliseconds": quartiles(times[name])._asdict(), "rounds": times[name], "base": base}
        row["base_over_this"] = paired_ratio(times[base], times[name])._asdict()
        row["others"] = [round(measured.others, 2) for measured in taken[name]]
    return [*rows.values(), *refused]


def run(*, models: str, backends: str, peers: str, batch: int | None, threads: int, plan: Plan, dtype: str = "float32") -> dict[str, Any]:
    """The whole result, as JSON can hold it."""
    asked = names("--peers", peers, tuple(PEERS))
    absent = {name: reason for name in asked if (reason := PEERS[name].absent())}
    contenders = [*names("--backends", backends, BACKENDS), *(name for name in asked if name not in absent)]
    chosen = [SHORT.get(name, name) for name in names("--models", models, known())]
    if not contenders or not chosen:
        raise InputError(f"nothing to measure: models {chosen}, contenders {contenders}; name at least one of each")
    rows: list[dict[str, Any]] = [{"name": name, "absent": reason} for name, reason in absent.items()]
    about: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="npae-bench-") as temporary, pinned(threads) as variables:
        where, folder = machine(threads) | {"variables": variables}, Path(temporary)
        data, nonzero = write_data(folder), share_of_nonzeros(folder)
        plan.wait()
        measured = rates(threads)
        for model in chosen:
            print(f"{model}: {', '.join(contenders)}; {plan.rounds} rounds of {plan.seconds:g} s each", file=sys.stderr)
            share = dataclasses.replace(plan, patience=plan.patience / len(chosen))
            try:
                written = write_model(folder, model, batch, dtype)
            except NotDescribed as reason:
                rows += [{"model": model, "name": name, "cannot": str(reason)} for name in contenders]
                continue
            of_model = bench_model(model, contenders, folder, variables, written, share)
            about[model] = {"batch": written.batch, "parameters": written.parameters, "note": written.note}
            about[model]["verdict"] = verdict([row for row in of_model if "rounds" in row])
            about[model]["floor"] = floor(written.network, written.batch, dtype, measured, nonzero) if written.network else None
            rows += of_model
    packages = [package for name in asked for package in PEERS[name].packages]
    head = {"machine": where, "versions": software(*packages), "data": data, "dtype": dtype, "rates": measured}
    return head | {"models": about, "rows": rows}
