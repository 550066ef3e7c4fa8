"""However few threads and cores a process is given, the compiled step and the MMD give the same numbers to the last bit."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Run = Callable[..., list[str]]

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
PROGRAM = "import work; print(*work.all_of(('compiled', 'penalty')))"
ON_ONE_CORE = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); " + PROGRAM


@pytest.mark.parametrize("variables", [VARIABLES, *((one,) for one in VARIABLES)], ids=" ".join)
def test_a_variable_that_asks_for_one_thread_changes_no_number(variables: tuple[str, ...], run: Run, plain: list[str]) -> None:
    assert run(PROGRAM, **dict.fromkeys(variables, "1")) == [plain[0], plain[2]]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot hold a process to a core")
@pytest.mark.parametrize("asked", ["1", "2"])
def test_on_one_core_the_numbers_are_the_same_and_two_threads_get_on(asked: str, run: Run, plain: list[str]) -> None:
    assert run(ON_ONE_CORE, NUMBA_NUM_THREADS=asked) == [plain[0], plain[2]]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot hold a process to a core")
def test_cores_that_are_taken_away_after_the_start_are_not_counted(run: Run) -> None:
    program = ON_ONE_CORE.replace(PROGRAM, "print(available())")
    assert run(f"from npae.kernels.threads import available\n{program}") == ["1"]
