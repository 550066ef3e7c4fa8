"""A run of training steps in one call: every thread walks through the same phases, and takes the items of work that nobody has taken.

    handlers int64           address of the handler of each kind of operation; program, numbers: operations.py
    items (n, 4) int64       first operation, last operation + 1, and their range: rows r0 r1, or a block of rows of W
    phases (p + 1,) int64    where each phase's items begin; all threads finish a phase before any begins the next
    moment (MOMENT,)         the batch, the first step, the key of its noise and the scratch of this thread (codes.py)
    rates (steps, 6)         what Adam and the objective need of each step (codes.py)
    order (steps, B) int64   the rows of the data that each step takes
    sources (t, 2) int64     address and count of the numbers that make a term
    scales (t, 4)            its factor, constant and weight, and 1 if it is one of the parameters alone
    terms (steps, t)         the terms of each step, before its update
    made int64               the number of steps made

A thread has a share of each phase's items, and helps another when its own are done. An item writes what no other item writes, and no sum is
split between items: so whoever does it, and in whatever order, the numbers are the same to the last bit. After the phase `checked`, before
any parameter moves, the terms are known; where one that is minimised, or the gradient's norm, is not finite the run ends there.
All of them are addresses, of C-contiguous arrays that the caller keeps alive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import FAST, STRICT, entry_point, jit
from npae.kernels.kernel import Array
from npae.kernels.step.call import call
from npae.kernels.step.codes import AHEAD, MOMENT, OF_A_STEP, ORDER, RATES, STEP
from npae.kernels.step.memory import array_at, arrive, matrix_at, put, take
from npae.kernels.step.operations import KINDS
from npae.kernels.step.table import FLOATS, INTS

LINE = 8  # int64 numbers in a cache line: what several threads write lies on different ones
_KINDS = len(KINDS)


@jit(STRICT)
def _work(
    kind: Any,
    thread: int,
    threads: int,
    phase: int,
    bounds: Array,
    sync: int,
    handlers: Array,
    program: int,
    numbers: int,
    items: Array,
    moment: int,
) -> None:
    """This thread's items of a phase, and then those that others have left."""
    first, count = bounds[phase], bounds[phase + 1] - bounds[phase]
    for k in range(threads):
        owner = (thread + k) % threads
        start, end = first + count * owner // threads, first + count * (owner + 1) // threads
        counter = sync + 8 * LINE * (1 + phase * threads + owner)
        while True:
            place = start + take(counter)
            if place >= end:
                break
            for o in range(items[place, 0], items[place, 1]):
                op = program + 8 * INTS * o
                call(handlers[array_at(0, op, 1)[0]], kind, op, numbers + 8 * FLOATS * o, items[place, 2], items[place, 3], moment)


@jit(FAST)
def _total(address: int, count: int) -> float:
    """Their sum, in order."""
    numbers, total = array_at(0.0, address, count), 0.0
    for i in range(count):
        total += numbers[i]
    return total


@jit(STRICT)
def _sum_terms(sources: Array, scales: Array, terms: Array, of_parameters: float) -> None:
    """The step's terms: those of the parameters, or the others."""
    for t in range(len(sources)):
        if scales[t, 3] == of_parameters:
            terms[t] = scales[t, 0] * _total(sources[t, 0], sources[t, 1]) + scales[t, 1]


@jit(STRICT)
def _finite(scales: Array, terms: Array) -> bool:
    """Whether the terms that are minimised are finite."""
    good = True
    for t in range(len(terms)):
        if scales[t, 2] != 0.0 and not np.isfinite(terms[t]):
            good = False
    return good


@entry_point(STRICT)
def run_steps(
    kind: Any,
    thread: int,
    threads: int,
    sync: int,
    checked: int,
    handlers: int,
    program: int,
    numbers: int,
    items: int,
    n_items: int,
    phases: int,
    n_phases: int,
    rates: int,
    order: int,
    steps: int,
    batch: int,
    moment: int,
    sources: int,
    scales: int,
    terms: int,
    n_terms: int,
    made: int,
) -> None:
    """One thread's part of all steps; every thread says the same number of steps made. moment, terms and made are its own."""
    all_handlers, all_items, bounds = array_at(0, handlers, _KINDS), matrix_at(0, items, n_items, 4), array_at(0, phases, n_phases + 1)
    of_terms, factors = matrix_at(0, sources, n_terms, 2), matrix_at(0.0, scales, n_terms, 4)
    now, done, arrivals = array_at(0, moment, MOMENT), array_at(0, made, 1), 0
    done[0] = 0
    for step in range(steps):
        now[RATES] = rates + 8 * OF_A_STEP * step
        now[ORDER] = order + 8 * batch * step
        now[AHEAD] = order + 8 * batch * min(step + 1, steps - 1)
        found = array_at(0.0, terms + 8 * n_terms * step, n_terms)
        _sum_terms(of_terms, factors, found, 1.0)  # now: as soon as another thread passes the check, it moves the parameters
        for phase in range(n_phases):
            _work(kind, thread, threads, phase, bounds, sync, all_handlers, program, numbers, all_items, moment)
            arrivals += threads
            if threads > 1:
                arrive(sync, arrivals)
            put(sync + 8 * LINE * (1 + phase * threads + thread), 0)  # seen before the next phase ends, so before this one comes again
            if phase == checked:
                _sum_terms(of_terms, factors, found, 0.0)
                if not _finite(factors, found):
                    return
        now[STEP] += 1
        done[0] = step + 1
