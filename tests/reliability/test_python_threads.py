"""Threads of one process train models, and call kernels, at the same time; each gets what it would alone."""

from __future__ import annotations

from collections.abc import Callable

Run = Callable[..., list[str]]

TOGETHER = """
import threading, work
jobs = [(work.compiled, {"seed": 1}), (work.compiled, {"seed": 2}), (work.compiled, {"seed": 2, "threads": 1}),
        (work.ordinary, {"seed": 1}), (work.ordinary, {"seed": 2}),
        (work.penalty, {"seed": 1}), (work.penalty, {"seed": 1}), (work.penalty, {"seed": 2})]
found, ready = [None] * len(jobs), threading.Barrier(len(jobs))

def do(place, job, settings):
    ready.wait()
    found[place] = [job(**settings) for _ in range(3)]

threads = [threading.Thread(target=do, args=(place, *job)) for place, job in enumerate(jobs)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
alone = [job(**settings) for job, settings in jobs]
print(*(digest for digests in found for digest in set(digests)), *alone)
"""


def test_threads_that_train_and_measure_at_the_same_time_do_not_disturb_each_other(run: Run, plain: list[str]) -> None:
    words = run(TOGETHER)
    together, alone = words[: len(words) // 2], words[len(words) // 2 :]
    assert together == alone
    assert [alone[place] for place in (0, 3, 5)] == plain
