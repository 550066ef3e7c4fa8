"""One training step of 784-128-8, in npae and in other frameworks, side by side.

For each model: the problem is written to a folder; every contender is started twice, first with nothing compiled, then for the measurement;
all must agree with the truth before any is timed; then they are timed in turn. See problem.py, workers.py, interleave.py.

    agreement        |value - truth| <= 1e-5 max(|truth|, 0.1) for each term at the start; 1e-4 for the total after three Adam steps
                     (a squared MMD is a small difference of means of size 1, hence the floor)
    start            seconds from nothing to the end of the first call, loading the data included; "first": no compiled code on disk yet

Raises InputError for names it does not know, Disagreement where a contender computes something else, WorkerError where one does not run.
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
from bench.interleave import Measure, Plan, Sample, interleaved
from bench.machine import installed, machine, pinned, software
from bench.problem import MODELS, write_data, write_model
from bench.ratios import paired_ratio, quartiles
from bench.workers import Worker
from npae.errors import InputError, nearest

BACKENDS = ("numpy", "numba", "compiled")
PEERS = {"torch": ("torch",), "jax": ("jax", "jaxlib")}  # name -> the packages whose versions say what it is
AT_START, LATER, FLOOR = 1e-5, 1e-4, 0.1


def names(flag: str, text: str, known: Sequence[str]) -> list[str]:
    """The names of a comma-separated list; "none" for no name at all."""
    chosen = [] if text == "none" else [name.strip() for name in text.split(",")]
    for name in chosen:
        if name not in known:
            raise InputError(f"{flag} '{name}' is not known{nearest(name, known)}")
    return list(dict.fromkeys(chosen))


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
    own = contender in ("compiled", *PEERS)
    return [sys.executable, "-m", f"bench.{contender if own else 'npae'}_step", str(folder), model, *([] if own else [contender])]


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


def bench_model(
    model: str, contenders: Sequence[str], folder: Path, variables: Mapping[str, str], batch: int, plan: Plan
) -> list[dict[str, Any]]:
    """A row for each contender, times in milliseconds."""
    truth = write_model(folder, model, batch)
    variables = {**variables, "NUMBA_CACHE_DIR": str(folder / f"compiled-{model}")}
    rows: dict[str, dict[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name in contenders:
            with Worker(name, command(name, folder, model), folder=folder, variables=variables) as worker:
                first = start(worker)
            workers[name] = stack.enter_context(Worker(name, command(name, folder, model), folder=folder, variables=variables))
            rows[name] = {"model": model, "name": name, "start_seconds": {"first": first, "next": start(workers[name])}}
            rows[name]["difference"] = check(name, model, workers[name].ask("agree"), truth)
        taken = interleaved({name: measure_of(worker) for name, worker in workers.items()}, plan)
        for name, worker in workers.items():
            rows[name] |= worker.ask("about")
    base = "numba" if "numba" in rows else contenders[0]
    times = {name: [1e3 * measured.seconds for measured in every] for name, every in taken.items()}
    for name, row in rows.items():
        row |= {"milliseconds": quartiles(times[name])._asdict(), "rounds": times[name], "base": base}
        row["base_over_this"] = paired_ratio(times[base], times[name])._asdict()
        row["others"] = [round(measured.others, 2) for measured in taken[name]]
    return list(rows.values())


def run(*, models: str, backends: str, peers: str, batch: int, threads: int, plan: Plan) -> dict[str, Any]:
    """The whole result, as JSON can hold it."""
    asked = names("--peers", peers, tuple(PEERS))
    absent = [name for name in asked if not all(installed(package) for package in PEERS[name])]
    contenders = [*names("--backends", backends, BACKENDS), *(name for name in asked if name not in absent)]
    chosen = names("--models", models, MODELS)
    if not contenders or not chosen:
        raise InputError(f"nothing to measure: models {chosen}, contenders {contenders}; name at least one of each")
    rows = [{"name": name, "absent": "not installed: pip install -e '.[bench]'"} for name in absent]
    with tempfile.TemporaryDirectory(prefix="npae-bench-") as temporary, pinned(threads) as variables:
        where, folder = machine(threads) | {"variables": variables}, Path(temporary)
        data = write_data(folder)
        for model in chosen:
            print(f"{model}: {', '.join(contenders)}; {plan.rounds} rounds of {plan.seconds:g} s each", file=sys.stderr)
            share = dataclasses.replace(plan, patience=plan.patience / len(chosen))
            rows += bench_model(model, contenders, folder, variables, batch, share)
    packages = [package for name in asked for package in PEERS[name]]
    return {"machine": where, "versions": software(*packages), "data": data, "batch": batch, "rows": rows}
