"""What the screen says about a result."""

from __future__ import annotations

from typing import Any

import pytest

from bench.table import show_step

MACHINE = {
    "cpu": "a cpu",
    "cores": 2,
    "threads": 2,
    "cores_used": [0, 1],
    "variables": {"OMP_NUM_THREADS": "2"},
    "load_before": 0.1,
    "python": "3.11",
}


def row(name: str, others: float) -> dict[str, Any]:
    quartiles = {"q1": 1.25, "median": 1.5, "q3": 1.75}
    measured = {"milliseconds": quartiles, "base_over_this": quartiles, "base": "numba", "others": [0.0, others, others]}
    return {
        "model": "ae",
        "name": name,
        "blas": "",
        "peak_bytes": 1e8,
        "difference": 1e-7,
        "start_seconds": {"first": 2, "next": 1},
        **measured,
    }


def test_a_row_shows_its_median_and_quartiles(capsys: pytest.CaptureFixture[str]) -> None:
    show_step({"machine": MACHINE, "versions": {}, "data": "MNIST", "batch": 100, "rows": [row("numba", 0.0), row("torch", 0.0)]})
    shown = capsys.readouterr().out
    assert shown.count("1.500 (1.250 .. 1.750)") == 3  # the base's own ratio is 1
    assert "disturbed" not in shown


def test_a_disturbed_row_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_step({"machine": MACHINE, "versions": {}, "data": "MNIST", "batch": 100, "rows": [row("numba", 0.0), row("torch", 1.04)]})
    assert "disturbed by other processes, do not rely on: torch on ae;" in capsys.readouterr().out
