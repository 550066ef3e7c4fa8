"""What the screen and the picture say about a result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.picture import CUT, compose, draw
from bench.table_step import show_step

MACHINE = {
    "cpu": "a cpu",
    "cores": 2,
    "threads": 2,
    "cores_used": [0, 1],
    "variables": {"OMP_NUM_THREADS": "2"},
    "load_before": 0.1,
    "python": "3.11",
}
PARTS = {"gemm_flops": 0.2, "exponentials": 0.05, "copy_bytes": 0.1}
FLOOR = {"milliseconds": 0.25, "milliseconds_of": PARTS, "sparse_milliseconds": 0.2, "nonzero": 0.19}


def row(name: str, others: float = 0.0, times: float = 1.0) -> dict[str, Any]:
    quartiles = {"q1": 1.25 * times, "median": 1.5 * times, "q3": 1.75 * times}
    measured = {"milliseconds": quartiles, "base_over_this": quartiles, "base": "numba", "others": [0.0, others, others]}
    return {
        "model": "flux-ae",
        "name": name,
        "blas": "",
        "peak_bytes": 1e8,
        "difference": 1e-7,
        "start_seconds": {"first": 2, "next": {"q1": 0.8, "median": 0.9, "q3": 1.1}},
        "rounds": [1.25 * times, 1.5 * times, 1.75 * times],
        **measured,
    }


def result(*rows: dict[str, Any]) -> dict[str, Any]:
    ratio = {"q1": 0.5, "median": 0.75, "q3": 0.9}
    about = {"batch": 100, "note": "clip 1e-07", "floor": FLOOR, "verdict": {"npae": "numba", "peer": "torch", "ratio": ratio}}
    rates = {"gemm_flops": 1e11, "exponentials": 1e9, "copy_bytes": 1e10}
    head = {"machine": MACHINE, "versions": {}, "data": "MNIST", "dtype": "float32", "rates": rates}
    return head | {"models": {"flux-ae": about}, "rows": list(rows)}


def test_a_row_shows_its_median_and_quartiles_and_its_floor(capsys: pytest.CaptureFixture[str]) -> None:
    show_step(result(row("numba"), row("torch")))
    shown = capsys.readouterr().out
    assert shown.count("1.500 (1.250 .. 1.750)") == 3  # the base's own ratio is 1
    assert shown.count(" 6.0 ") == 2  # times the floor
    assert "floor 0.250 ms (products 0.200 + exponentials 0.050, beside Adam's memory 0.100); 0.200 where the first layer skips" in shown
    assert shown.count(" 0.9 (0.8 .. 1.1) ") == 2
    assert "clip 1e-07" in shown
    assert "disturbed" not in shown


def test_the_best_of_both_sides_is_readable_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    show_step(result(row("numba"), row("torch")))
    assert "flux-ae          numba / torch 0.75 (0.50 .. 0.90)\n" in capsys.readouterr().out


def test_who_is_absent_and_who_cannot_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    cannot = {"model": "flux-ae", "name": "sklearn", "cannot": "no dropout"}
    show_step(result(row("numba"), cannot, {"name": "jax", "absent": "not installed: pip install -e '.[bench]'"}))
    shown = capsys.readouterr().out
    assert "sklearn cannot: no dropout\n" in shown
    assert "jax is absent: not installed: pip install -e '.[bench]'\n" in shown


def test_a_model_that_nobody_can_run_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_step(result() | {"models": {}, "rows": [{"model": "cvae-run", "name": "numpy", "cannot": "its rows come with labels"}]})
    assert "numpy cannot on cvae-run: its rows come with labels\n" in capsys.readouterr().out


def test_a_disturbed_row_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_step(result(row("numba"), row("torch", 1.04)))
    assert "disturbed by other processes, do not rely on: torch on flux-ae;" in capsys.readouterr().out


def test_a_bar_is_the_paired_ratio_to_npaes_fastest(tmp_path: Path) -> None:
    (axes,) = compose(result(row("jax", times=2.0), row("torch", times=100.0), row("numba"))).axes
    widths = [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]
    assert widths == pytest.approx([1.0, 2.0, CUT])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["numba", "jax", "torch"]
    assert any("100.00" in text.get_text() for text in axes.texts)
    draw(result(row("jax"), row("numba")), tmp_path / "bars.svg")
    assert (tmp_path / "bars.svg").stat().st_size > 1000
