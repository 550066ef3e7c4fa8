"""The order of measurements, how long they last, and what happens when others disturb them. No test looks at a time that was measured."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from bench import interleave
from bench.interleave import Measure, Plan, Sample, busy_seconds, interleaved


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interleave, "WINDOW", 0.0)
    monkeypatch.setattr(interleave, "busy_seconds", lambda: 0.0)


def steady(calls: list[str], name: str, seconds_a_unit: float) -> Measure:
    """A measure that says it took so long, and takes no time."""

    def measure(count: int) -> Sample:
        calls.append(name)
        return Sample(count, count * seconds_a_unit, 0.0)

    return measure


def test_everyone_is_measured_in_turn_and_every_second_round_backwards() -> None:
    calls: list[str] = []
    interleaved({name: steady(calls, name, 1.0) for name in "ABC"}, Plan(rounds=2, seconds=1.0, patience=0.0))
    assert "".join(calls) == "ABC" + "ABC" + "CBA"  # the first are the warm-up


def test_a_measurement_lasts_at_least_as_long_as_asked() -> None:
    lengths: list[float] = []

    def measure(count: int) -> Sample:
        lengths.append(count * 0.001)
        return Sample(count, count * 0.001, 0.0)

    (only,) = interleaved({"A": measure}, Plan(rounds=1, seconds=1.0, patience=0.0))["A"]
    warm_up = next(place for place, total in enumerate(itertools.accumulate(lengths)) if lengths[place] >= 1.0 / interleave.PARTS)
    assert sum(lengths[warm_up + 1 :]) >= 1.0
    assert only.seconds == pytest.approx(0.001)


def test_a_peer_that_does_more_than_it_was_asked_for_is_divided_by_what_it_did() -> None:
    def hundreds(count: int) -> Sample:
        done = -(-count // 100) * 100
        return Sample(done, done * 0.01, 0.0)

    taken = interleaved({"A": hundreds}, Plan(rounds=3, seconds=2.5, patience=0.0))["A"]
    assert [measured.seconds for measured in taken] == pytest.approx([0.01] * 3)


def busy_clock(monkeypatch: pytest.MonkeyPatch, disturbed_calls: int) -> list[int]:
    """Others use a whole core during the first calls of a measure that takes a second each; returns the count of calls."""
    calls, clock = [0], [0.0]

    def measure(count: int) -> Sample:
        calls[0] += 1
        clock[0] += 1.0 if calls[0] <= disturbed_calls else 0.0
        return Sample(count, 1.0, 0.0)

    now = itertools.count()
    monkeypatch.setattr(interleave, "busy_seconds", lambda: clock[0])
    monkeypatch.setattr("bench.interleave.time.perf_counter", lambda: float(next(now)))
    monkeypatch.setattr(interleave, "_warm_up", lambda measure, seconds: 1)
    monkeypatch.setattr(interleave.Plan, "wait", lambda self: None)
    taken = interleaved({"A": measure}, Plan(rounds=1, seconds=1.0, patience=3.5))["A"]
    return [calls[0], round(taken[0].others)]


def test_a_disturbed_measurement_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert busy_clock(monkeypatch, disturbed_calls=2) == [3, 0]


def test_when_patience_is_at_an_end_a_disturbed_measurement_stands_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, others = busy_clock(monkeypatch, disturbed_calls=100)
    assert (calls, others) == (5, 1)  # 3.5 seconds of patience, spent a second at a time


def test_waiting_for_a_quiet_moment_ends_with_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    now = itertools.count()
    monkeypatch.setattr(interleave, "busy_seconds", lambda: 2.0 * next(now))
    monkeypatch.setattr("bench.interleave.time.perf_counter", lambda: float(next(now)))
    plan = Plan(rounds=1, seconds=1.0, patience=10.0)
    plan.wait()
    assert plan.patience <= 0.0


def test_processor_time_that_is_used_on_our_cores_is_seen() -> None:
    if not interleave.STAT.is_file():
        pytest.skip("needs /proc/stat")
    before, started = busy_seconds(), time.process_time()
    while time.process_time() - started < 0.2:
        pass
    assert busy_seconds() - before > 0.1


def test_what_a_host_took_of_our_cores_counts_as_busy_and_other_cores_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core, foreign = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0)) + 1
    stat = tmp_path / "stat"
    stat.write_text(f"cpu  9 9 9 9 9 9 9 9 0 0\ncpu{core} 100 20 30 5000 600 7 8 35 0 0\ncpu{foreign} 1 1 1 1 1 1 1 1 0 0\n")
    monkeypatch.setattr(interleave, "STAT", stat)
    assert busy_seconds() == pytest.approx(0.01 * (100 + 20 + 30 + 7 + 8 + 35))
