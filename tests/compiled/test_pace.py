"""A step runs on all threads, or on one alone where others have been quicker of late; and says nothing else about the numbers."""

from __future__ import annotations

import pytest

from npae.compiled import threads
from npae.compiled.pace import REMEMBERED, SPELL, TIMED, Pace


def calls(pace: Pace, count: int, alone: float, together: float) -> list[int]:
    """The threads of so many calls on a machine where a step takes so long."""
    taken = []
    for _ in range(count):
        taken.append(pace.threads())
        pace.note(taken[-1], alone if taken[-1] == 1 else together)
    return taken


def test_where_nobody_disturbs_all_threads_are_taken() -> None:
    assert calls(Pace(2), 60, alone=1.0, together=0.6) == [2, 1] + [2] * 58


def test_beside_a_busy_neighbour_one_thread_runs_alone_and_all_are_tried_now_and_then() -> None:
    pace = Pace(4)
    calls(pace, 5, alone=1.0, together=0.4)
    disturbed = calls(pace, 100, alone=1.0, together=3.0)
    assert disturbed[:REMEMBERED] == [4] * REMEMBERED
    tried = [place - REMEMBERED for place in range(REMEMBERED, 100) if disturbed[place] == 4]
    assert tried == [1, 4, 9, 18, 35, 52, 69, 86]  # after 1, 2, 4, 8, 16, 16, ... spells
    assert calls(pace, 40, alone=1.0, together=0.4)[-20:] == [4] * 20


def test_a_disturbance_that_has_gone_costs_a_spell_on_one_thread() -> None:
    pace = Pace(2)
    calls(pace, 5, alone=1.0, together=0.6)
    calls(pace, REMEMBERED, alone=1.0, together=3.0)
    assert calls(pace, 6, alone=1.0, together=0.6) == [1, 2, 2, 2, 2, 2]


def test_a_slow_first_look_at_all_threads_is_soon_put_right() -> None:
    pace = Pace(2)
    assert calls(pace, 2, alone=1.0, together=3.0) == [2, 1]
    assert calls(pace, 5, alone=1.0, together=0.6) == [1, 2, 2, 2, 2]


def test_what_is_only_tried_is_tried_for_a_few_steps() -> None:
    pace = Pace(2)
    calls(pace, 2, alone=1e-4, together=3e-4)
    assert (pace.threads(), pace.steps(1)) == (1, int(SPELL / 1e-4))
    assert (pace.threads(), pace.steps(2)) == (2, TIMED)


def test_one_thread_takes_all_steps_at_once() -> None:
    pace = Pace(1)
    assert pace.steps(1) > 10**6
    calls(pace, 3, alone=1.0, together=1.0)
    assert pace.steps(1) > 10**6


def test_all_threads_stay_where_everything_has_become_slower() -> None:
    pace = Pace(2)
    calls(pace, 5, alone=1.0, together=0.6)
    assert calls(pace, 100, alone=2.0, together=1.2).count(1) == 10  # seven tries, and until its old pace is forgotten


def test_a_moments_disturbance_decides_nothing() -> None:
    pace = Pace(2)
    calls(pace, 5, alone=1.0, together=0.6)
    pace.note(2, 5.0)
    assert pace.threads() == 2


def test_a_spell_is_as_many_steps_as_fill_it_and_at_least_one() -> None:
    pace = Pace(2)
    pace.note(2, SPELL / 8)
    pace.note(1, 2 * SPELL)
    pace.threads()
    assert (pace.steps(2), pace.steps(1)) == (8, 1)


def test_one_thread_has_no_choice() -> None:
    assert calls(Pace(1), 5, alone=1.0, together=1.0) == [1] * 5


@pytest.mark.parametrize(("stated", "expected"), [("1", 1), ("3", 3), ("", 4), ("many", 4)])
def test_threads_are_as_many_as_cores_and_variable_allow(stated: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_NUM_THREADS", "4")
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert threads.count(1e9) == expected
    assert threads.count(1e6) == 1  # not worth a second one
