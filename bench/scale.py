"""How the cost of something grows with one size, for everybody who does it:  seconds ~ a size^p.

    axis        what grows                                     what is timed
    batch       rows in a batch                                a training step
    width       units in each hidden layer                     a training step
    n           points in each of two samples of 8 features    MMD: value, exact bandwidth, gradient
    d           features of 1,000 points                       the same

    exponent({size: seconds}) -> p       least squares on the logarithms: 1 for what grows as the size does, 0 for what does not grow

At each size everybody is started, must agree with the truth, and is timed in turn, as in `bench step` and `bench kernels`. An axis is a
function  measure(size) -> {contender: [seconds, one a round]}:  who is not in its answer did not run that size.
Raises InputError for names and sizes that cannot be, and what step.py and kernel_peers.py raise.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench.floors import rates
from bench.interleave import Plan
from bench.lists import names
from bench.machine import machine, pinned, software
from bench.peers import EVERY_PEER, peers_on
from bench.ratios import quartiles
from npae.errors import InputError

Rounds: TypeAlias = dict[str, list[float]]
MeasureSize: TypeAlias = Callable[[int], Rounds]


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What holds for every size; `absent` peers are not among the contenders."""

    model: str
    backends: Sequence[str]
    peers: Sequence[str]
    threads: int
    variables: Mapping[str, str]
    folder: Path
    plan: Plan
    devices: Sequence[str] = ("cpu",)


def exponent(points: Mapping[int, float]) -> float | None:
    """The slope of log seconds over log size; None for fewer than two sizes."""
    if len(points) < 2:
        return None
    return float(np.polyfit(np.log(list(points)), np.log(list(points.values())), 1)[0])


def lines(measure: MeasureSize, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """A row for each contender: its rounds and median at each size, and the exponent."""
    found = {size: measure(size) for size in sizes}
    contenders = dict.fromkeys(name for of_size in found.values() for name in of_size)
    rows = []
    for name in contenders:
        rounds = {size: of_size[name] for size, of_size in found.items() if name in of_size}
        medians = {size: quartiles(seconds).median for size, seconds in rounds.items()}
        rows.append({"name": name, "seconds": medians, "rounds": rounds, "exponent": exponent(medians)})
    return rows


def run(
    *,
    axes: Mapping[str, Sequence[int]],
    model: str,
    backends: Sequence[str],
    peers: str,
    threads: int,
    plan: Plan,
    devices: Sequence[str] = ("cpu",),
) -> dict[str, Any]:
    """The whole result, as JSON can hold it; `axes` says the sizes of each."""
    from bench.scale_mmd import mmd_at
    from bench.scale_step import prepare, step_at
    from bench.step import gpu_of

    asked = names("--peers", peers, tuple(peers_on(devices)))
    absent = {name: reason for name in asked if (reason := EVERY_PEER[name].absent())}
    if not axes:
        raise InputError("--axes none: nothing to measure; name at least one of batch, width, n, d")
    with tempfile.TemporaryDirectory(prefix="npae-bench-") as temporary, pinned(threads) as variables:
        where, present = machine(threads) | {"variables": variables}, [name for name in asked if name not in absent]
        share = dataclasses.replace(plan, patience=plan.patience / sum(map(len, axes.values())))
        at = Conditions(model, backends, present, threads, variables, Path(temporary), share, devices)
        measures = {"batch": step_at("batch", at), "width": step_at("width", at), "n": mmd_at("n", at), "d": mmd_at("d", at)}
        data = prepare(at) if {"batch", "width"} & set(axes) else None
        found = {}
        for axis, sizes in axes.items():
            print(f"{axis}: {', '.join(map(str, sizes))}; {plan.rounds} rounds of {plan.seconds:g} s", file=sys.stderr)
            found[axis] = lines(measures[axis], sizes)
        floors = rates(threads)
        on_gpu = gpu_of(devices)
    packages = [package for name in asked for package in EVERY_PEER[name].packages]
    head = {"machine": where, "versions": software(*packages), "data": data, "model": model, "rates": floors, "absent": absent}
    head |= on_gpu
    return head | {"axes": found}
