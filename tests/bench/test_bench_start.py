"""`bench start` measures whole processes: with nothing compiled, with what was kept, on one core, and with no place to keep anything."""

from __future__ import annotations

from typing import Any

import pytest

from bench import start
from bench.command_start import COLUMNS, show_start
from bench.errors import WorkerError
from bench.interleave import Plan
from bench.machine import cores

PLAN = Plan(rounds=2, seconds=0.0, patience=0.0)
QUICK = """
import sys, time
from npae.kernels.registry import resolve
import numpy as np
resolve("pairwise_squared", "cpu")(np.ones((2, 2)), np.ones((2, 2)), np.empty((2, 2)))
"""


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(start.STARTS, "quick", ("a kernel", ("-c", QUICK)))
        return start.run(chosen=["npae", "quick"], threads=cores(), plan=PLAN)


def test_what_compiles_nothing_has_two_columns_and_what_compiles_has_four(result: dict[str, Any]) -> None:
    imported, compiled = result["rows"]
    assert [column for column in COLUMNS if column in imported] == ["next", "one core"]
    assert all(column in compiled for column in COLUMNS)
    assert [len(compiled[column]["rounds"]) for column in COLUMNS] == [1, 2, 2, 1]


def test_the_table_has_a_row_for_each_start(result: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    show_start(result)
    said = capsys.readouterr().out
    assert "import npae" in said
    assert "a kernel" in said


def test_a_program_that_fails_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(start.STARTS, "numpy", ("broken", ("-c", "raise SystemExit('out of order')")))
    with pytest.raises(WorkerError, match="out of order"):
        start.run(chosen=["numpy"], threads=1, plan=PLAN)
