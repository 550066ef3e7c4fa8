"""One training step of any preset, in npae and in other frameworks, side by side.

For each model: the problem is written to a folder; every contender is started with nothing compiled, then NEXT times, the last of them
to be measured;
all must agree with the truth before any is timed; then they are timed in turn. See problem.py, peers.py, workers.py, interleave.py.

    agreement        |value - truth| <= 1e-5 max(|truth|, 0.1) for each term at the start; 1e-4 for the total after three Adam steps
                     (a squared MMD is a small difference of means of size 1, hence the floor)
    start            seconds from nothing to the end of the first call, loading the data included; "first": no compiled code on disk yet;
                     "next", NEXT times, each in a process of its own: what the first has compiled is there
    verdict          npae's fastest over the fastest peer, round by round; on a GPU among those that run there

On a GPU a time is the device's own, between two events; a framework that fails there, or computes something else, is not timed, and its
row says why. Who cannot run a model has a row that says why. Raises InputError for names it does not know, Disagreement where a contender
computes something else, WorkerError where one does not run.
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
from bench.devices import DEVICES, backends_on
from bench.errors import BenchError, Disagreement
from bench.floors import rates
from bench.interleave import Plan, interleaved
from bench.lists import names
from bench.machine import machine, pinned, software
from bench.peers import CUDA_PEERS, EVERY_PEER, peers_on
from bench.problem import Written, write_data, write_model
from bench.ratios import paired_ratio, quartiles
from bench.step_contenders import cannot, command, environment, measure_of, start
from bench.step_floor import floor, floor_on_gpu
from bench.workers import Worker
from npae.errors import InputError

AT_START, LATER, FLOOR = 1e-5, 1e-4, 0.1
NEXT = 3
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


def share_of_nonzeros(folder: Path) -> float:
    """Of the pixels of the first rows."""
    rows = np.load(folder / "data.npy", mmap_mode="r")[:NONZERO_ROWS]
    return float(np.count_nonzero(rows) / rows.size)


def verdict(rows: Sequence[Mapping[str, Any]], device: str = "cpu") -> dict[str, Any] | None:
    """npae's fastest over the fastest peer, of those on that device; None where one of them is missing."""
    by_median = sorted(rows, key=lambda row: row["milliseconds"]["median"])
    own = next((row for row in by_median if row["name"] in backends_on([device])), None)
    peer = next((row for row in by_median if row["name"] in peers_on([device])), None)
    if own is None or peer is None:
        return None
    return {"npae": own["name"], "peer": peer["name"], "ratio": paired_ratio(own["rounds"], peer["rounds"])._asdict()}


def _started(
    name: str, model: str, folder: Path, variables: Mapping[str, str], written: Written, stack: contextlib.ExitStack
) -> tuple[Worker, dict[str, Any]]:
    """A worker that agrees with the truth, and the beginning of its row."""
    told = {**variables, **environment(name, folder, model)}

    def fresh() -> Worker:
        return Worker(name, command(name, folder, model), folder=folder, variables=told)

    starts: list[float] = []
    for _ in range(NEXT):
        with fresh() as worker:
            starts.append(start(worker))
    worker = stack.enter_context(fresh())
    starts.append(start(worker))
    first, *others = starts
    row: dict[str, Any] = {"model": model, "name": name, "start_seconds": {"first": first, "next": quartiles(others)._asdict()}}
    return worker, row | {"difference": check(name, model, worker.ask("agree"), written.truth)}


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
            try:
                workers[name], rows[name] = _started(name, model, folder, variables, written, stack)
            except BenchError as error:
                if name not in CUDA_PEERS:
                    raise
                refused.append({"model": model, "name": name, "cannot": str(error)})
        if not rows:
            return refused
        taken = interleaved({name: measure_of(worker) for name, worker in workers.items()}, plan)
        for name, worker in workers.items():
            rows[name] |= worker.ask("about")
    base = next(name for name in (*reversed(backends_on(DEVICES)), *rows) if name in rows)
    times = {name: [1e3 * measured.seconds for measured in every] for name, every in taken.items()}
    for name, row in rows.items():
        row |= {"milliseconds": quartiles(times[name])._asdict(), "rounds": times[name], "base": base}
        row["base_over_this"] = paired_ratio(times[base], times[name])._asdict()
        row["others"] = [round(measured.others, 2) for measured in taken[name]]
    return [*rows.values(), *refused]


def gpu_of(devices: Sequence[str]) -> dict[str, Any]:
    """What the GPU is, and its rates, where it is one of the devices."""
    if "cuda" not in devices:
        return {}
    from bench.gpu.device import the_gpu
    from bench.gpu.rates import rates as gpu_rates
    from bench.gpu.rates import uploads

    return {"gpu": the_gpu().about(), "gpu_rates": gpu_rates(), "uploads": uploads()}


def run(
    *,
    models: str,
    backends: str,
    peers: str,
    batch: int | None,
    threads: int,
    plan: Plan,
    dtype: str = "float32",
    devices: Sequence[str] = ("cpu",),
) -> dict[str, Any]:
    """The whole result, as JSON can hold it."""
    asked = names("--peers", peers, tuple(peers_on(devices)))
    absent = {name: reason for name in asked if (reason := EVERY_PEER[name].absent())}
    contenders = [*names("--backends", backends, backends_on(devices)), *(name for name in asked if name not in absent)]
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
        on_gpu = gpu_of(devices)
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
            if on_gpu:
                about[model]["verdict_cuda"] = verdict([row for row in of_model if "rounds" in row], "cuda")
                rates_there = on_gpu["gpu_rates"]
                about[model]["gpu_floor"] = floor_on_gpu(written.network, written.batch, dtype, rates_there) if written.network else None
            rows += of_model
    packages = [package for name in asked for package in EVERY_PEER[name].packages]
    head = {"machine": where, "versions": software(*packages), "data": data, "dtype": dtype, "rates": measured} | on_gpu
    return head | {"models": about, "rows": rows}
