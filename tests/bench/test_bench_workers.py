"""Workers that answer, that die, and that talk nonsense; two fake peers through the whole harness."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import interleave
from bench.errors import WorkerError
from bench.interleave import Plan, interleaved
from bench.ratios import paired_ratio
from bench.step import measure_of
from bench.workers import Worker

FAKE = """
import random, sys
from bench.workers import serve

class Fake:
    def steps(self, count):
        print("a library prints this")
        return {"steps": count, "seconds": count * float(sys.argv[1]), "processor_seconds": 0.0}

serve(Fake)
"""


def test_what_a_library_prints_does_not_disturb_the_answers(script: Callable[[str], Worker]) -> None:
    text = "class Chatty:\n    def echo(self, word):\n        print('hello'); print('{}'); return word\nserve(Chatty)"
    with script(text) as worker:
        assert worker.ask("echo", word="a") == "a"
        assert worker.ask("echo", word="b") == "b"


def test_a_worker_that_dies_is_named_with_its_last_words(script: Callable[[str], Worker]) -> None:
    text = "class Broken:\n    def steps(self, count):\n        raise MemoryError('out of fingers')\nserve(Broken)"
    with script(text) as worker, pytest.raises(WorkerError, match=r"fake stopped at 'steps': .*MemoryError: out of fingers"):
        worker.ask("steps", count=1)


def test_a_worker_that_cannot_start_is_named_with_its_last_words(script: Callable[[str], Worker]) -> None:
    with script("import a_module_that_is_not_there") as worker, pytest.raises(WorkerError, match=r"fake stopped .*No module named"):
        worker.ask("steps", count=1)


def test_a_worker_does_not_outlive_its_block(script: Callable[[str], Worker]) -> None:
    with script("class Idle: pass\nserve(Idle)") as worker:
        assert worker.process.poll() is None
    assert worker.process.poll() is not None


def test_two_fake_peers_give_their_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interleave, "WINDOW", 0.0)
    (tmp_path / "fake.py").write_text(FAKE)
    variables = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with contextlib.ExitStack() as stack:
        measures = {}
        for name, seconds in (("slow", "0.02"), ("fast", "0.005")):
            command = [sys.executable, str(tmp_path / "fake.py"), seconds]
            measures[name] = measure_of(stack.enter_context(Worker(name, command, folder=tmp_path, variables=variables)))
        taken = interleaved(measures, Plan(rounds=3, seconds=0.1, patience=0.0))
    ratio = paired_ratio(*([measured.seconds for measured in taken[name]] for name in ("fast", "slow")))
    assert ratio == pytest.approx((0.25, 0.25, 0.25))
