"""Forked, spawned and pooled processes compute what a process on its own does, whatever their parent has done before."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable

import pytest

Run = Callable[..., list[str]]

FORK = """
import os, work
before = work.all_of()          # starts threads: those of BLAS, those of the compiled step, those that share an MMD
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, " ".join(work.all_of()).encode())
    os._exit(0)
os.wait()
print(*before, os.read(reading, 1000).decode(), *work.all_of())
"""

POOL = """
import multiprocessing, work
if __name__ == "__main__":
    if {method!r} == "fork":
        work.all_of()
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(*[name for names in pool.map(work.all_of, [tuple(work.WORK)] * 2) for name in names])
"""

FORK_WHILE_ANOTHER_THREAD_COMPILES = """
import os, threading, time
import numpy as np
from numba.core.compiler_lock import global_compiler_lock
from npae.kernels.registry import resolve
kernel, x, compiling = resolve("bernoulli_logits", "cpu"), np.zeros((2, 3)), threading.Event()

def compile_for_long():
    with global_compiler_lock:
        compiling.set()
        time.sleep(0.5)

thread = threading.Thread(target=compile_for_long)
thread.start()
compiling.wait()
if os.fork() == 0:
    os._exit(int(not 4.1 < kernel(x, x, 1.0, x.copy()) < 4.2))
print(os.waitstatus_to_exitcode(os.wait()[1]))
thread.join()
"""

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@forks
def test_a_forked_process_trains_as_its_parent_does_before_and_after(run: Run, plain: list[str]) -> None:
    assert run(FORK) == plain * 3


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_processes_of_a_pool_train_as_one_alone_does(method: str, run: Run, plain: list[str]) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    assert run(POOL.format(method=method)) == plain * 2


@forks
def test_a_process_that_is_forked_while_another_thread_compiles_can_compile(run: Run) -> None:
    assert run(FORK_WHILE_ANOTHER_THREAD_COMPILES) == ["0"]
