"""A training step at one batch size or width, for `bench scale`: every contender in its own process, agreed before it is timed."""

from __future__ import annotations

import contextlib
import dataclasses
import sys

from bench.errors import BenchError
from bench.interleave import interleaved
from bench.peers import CUDA_PEERS
from bench.problem import Written, write_data, write_model
from bench.scale import Conditions, MeasureSize, Rounds
from bench.step import check
from bench.step_contenders import cannot, command, environment, measure_of
from bench.workers import Worker

EVERYTHING = "every size"  # compiled code is kept from size to size: starts are not what is measured here


def prepare(at: Conditions) -> str:
    """The data; returns what they are."""
    return write_data(at.folder)


def step_at(axis: str, at: Conditions) -> MeasureSize:
    """`axis` is batch, or width: of the hidden layers, in the model's own batch size."""

    def measure(size: int) -> Rounds:
        model, batch = (at.model, size) if axis == "batch" else (f"{at.model}@{size}", None)
        written, plan = write_model(at.folder, model, batch), dataclasses.replace(at.plan)
        able = [name for name in (*at.backends, *at.peers) if not cannot(name, written)]
        with contextlib.ExitStack() as stack:
            workers: dict[str, Worker] = {}
            for name in able:
                told = {**at.variables, **environment(name, at.folder, EVERYTHING)}
                workers[name] = stack.enter_context(Worker(name, command(name, at.folder, model), folder=at.folder, variables=told))
                _agree(name, model, workers, written)
            taken = interleaved({name: measure_of(worker) for name, worker in workers.items()}, plan)
        return {name: [measured.seconds for measured in every] for name, every in taken.items()}

    return measure


def _agree(name: str, model: str, workers: dict[str, Worker], written: Written) -> None:
    """A framework that fails on a GPU is left out of this size."""
    try:
        check(name, model, workers[name].ask("agree"), written.truth)
    except BenchError as error:
        if name not in CUDA_PEERS:
            raise
        print(f"{name} is left out: {error}", file=sys.stderr)
        del workers[name]
