"""`python -m bench kernels` with comparisons: from the command line to table, file and picture, in processes that start fast."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from bench import floors, interleave, kernel_peers, picture_kernels
from bench.__main__ import main
from bench.interleave import Plan
from bench.kernel_peers import in_rounds, work
from bench.peers_of_kernels.contenders import CONTENDERS, OWN, Contender
from bench.peers_of_kernels.problem import Size
from bench.table_peers import growth

QUICK = ["--rounds", "2", "--seconds", "0.001", "--patience", "0", "--threads", "1"]
FORMS = "bench.peers_of_kernels.numpy_forms"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """npae's place is taken by NumPy's form, which has nothing to compile."""
    monkeypatch.setattr(interleave, "WINDOW", 0.0)
    monkeypatch.setattr(floors, "SECONDS", 0.0)
    monkeypatch.setattr(floors, "GEMM", 64)
    monkeypatch.setattr(kernel_peers, "OFFSET", 0.5)  # NumPy's matrix product does not bear more
    floors.rates.cache_clear()
    stand_in = dataclasses.replace(CONTENDERS["mmd-imq"]["numpy"], matrices=0.0)
    monkeypatch.setitem(CONTENDERS["mmd-imq"], OWN, stand_in)


def test_comparisons_are_measured_shown_written_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, picture = tmp_path / "r.json", tmp_path / "r.svg"
    command = ["kernels", "--kernels", "mmd-imq", "--peers", "numpy", "--sizes", "40x3,80x60x3", *QUICK]
    assert main([*command, "--json", str(file), "--plot", str(picture)]) == 0
    shown = capsys.readouterr().out
    assert "npae / numpy, the fastest of the others: " in shown
    assert "all points 0.5 further: value " in shown
    assert "npae mmd-imq 80x60x3 takes " in shown
    assert picture.read_text().startswith("<?xml")
    result = json.loads(file.read_text())["compared"]
    assert [group["size"] for group in result["groups"]] == ["40x3", "80x60x3"]
    for place, group in enumerate(result["groups"]):
        assert [row["name"] for row in group["rows"]] == [OWN, "numpy"]
        for row in group["rows"]:
            assert len(row["rounds"]) == 2
            assert max(row["differences"].values()) < 1e-5
            assert row["start_seconds"]["next"] > 0
            assert (row["start_seconds"]["first"] is None) == (place == 1)
            assert row["over_floor"] > 0
        assert set(group["differences_at_an_offset"]) == {"value", "dz"}


def test_who_does_not_take_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    too_large = dataclasses.replace(CONTENDERS["mmd-imq"]["numpy"], matrices=1e12)
    monkeypatch.setitem(CONTENDERS["mmd-imq"], "numpy", too_large)
    monkeypatch.setitem(CONTENDERS["mmd-imq"], "scipy", Contender("nowhere:nothing", ("no-such-package",), ""))
    assert main(["kernels", "--kernels", "mmd-imq", "--peers", "numpy,scipy", "--sizes", "40x3", *QUICK]) == 0
    shown = capsys.readouterr().out
    assert "numpy does not take part: would need " in shown
    assert "scipy does not take part: absent: pip install no-such-package" in shown
    assert "the fastest of the others" not in shown


def test_a_wrong_result_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(CONTENDERS["mmd-imq"], "numpy", dataclasses.replace(CONTENDERS["mmd-imq"]["numpy"], form=f"{FORMS}:mmd_partition"))
    assert main(["kernels", "--kernels", "mmd-imq", "--peers", "numpy", "--sizes", "40x3", *QUICK]) == 1
    assert "bench: numpy disagrees at 40x3: the value differs by" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kernels", "mmd", "--sizes", "10"], "--sizes '10' is not a size; write points x features"),
        (["--kernels", "mmd", "--limit", "0"], "--limit 0 is not above 0"),
        (["--kernels", "mmd", "--peers", "troch"], "--peers 'troch' is not known"),
        (["--kernels", "mmx"], "--kernels 'mmx' is not known"),
        (["--kernels", "none"], "--kernels none: nothing to measure"),
        (["--kernels", "adam", "--plot", "a.png"], "--plot a.png draws comparisons; name some of mmd, mmd-given, mmd-imq, pairwise"),
        (["--kernels", "mmd", "--plot", "a.gif"], "suffix '.gif' is not .png or .svg"),
    ],
)
def test_bad_input_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", *words, *QUICK]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bench: error: ")
    assert message in line


class FakeWorker:
    """Answers `calls`, and remembers how often."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.calls = seconds, 0

    def ask(self, question: str, count: int) -> dict[str, float]:
        self.calls += count
        return {"seconds": self.seconds * count, "processor_seconds": self.seconds * count}


def test_who_is_slow_takes_part_in_as_many_rounds_as_fit_into_the_limit() -> None:
    workers: Any = {name: FakeWorker(seconds) for name, seconds in (("npae", 0.5), ("slow", 3.0), ("slower", 100.0))}
    taken = in_rounds(workers, {"npae": 0.5, "slow": 3.0, "slower": 100.0}, 10.0, Plan(5, 0.1, 0.0))
    assert {name: len(rounds) for name, rounds in taken.items()} == {"npae": 5, "slow": 3, "slower": 1}
    assert [measured.seconds for measured in taken["slow"]] == [3.0] * 3


def test_the_floor_counts_each_distance_exponential_and_product_once() -> None:
    n, m, d = size = Size(40, 30, 8)
    distances = n * m + n * n / 2 + m * m / 2
    assert work("mmd", size, 4) == {"gemm_flops": 2 * d * (distances + n * n + n * m), "exponentials": distances}
    assert work("mmd", size, 8)["gemm_flops"] == 2 * work("mmd", size, 4)["gemm_flops"]
    assert work("pairwise", size, 4) == {"gemm_flops": 2 * n * m * d, "copy_bytes": 4 * n * m}


def test_rates_are_measured_once_and_a_floor_adds_what_cannot_overlap() -> None:
    rates = floors.rates(1)
    assert set(rates) == {"gemm_flops", "copy_bytes", "exponentials"}
    assert all(rate > 1e6 for rate in rates.values())
    assert floors.rates(1) is rates
    assert floors.seconds_at_least({"gemm_flops": 10, "copy_bytes": 6}, {"gemm_flops": 5, "copy_bytes": 2, "exponentials": 1}) == 5


@pytest.mark.parametrize("comparison", CONTENDERS)
def test_every_contender_of_a_comparison_has_a_look_of_its_own(comparison: str) -> None:
    looks = [picture_kernels.ALIKE.get(name, name) for name in CONTENDERS[comparison]]
    assert len({(picture_kernels.COLOURS[look], picture_kernels.MARKERS[look]) for look in looks}) == len(looks)


def test_growth_compares_with_the_square_of_the_next_smaller_size() -> None:
    def group(n: int, d: int, milliseconds: float) -> dict[str, Any]:
        row = {"name": OWN, "milliseconds": {"median": milliseconds}}
        return {"comparison": "mmd", "size": f"{n}x{d}", "n": n, "m": n, "d": d, "rows": [row]}

    assert growth([group(100, 8, 1.0), group(100, 64, 5.0), group(1000, 8, 120.0), group(3000, 8, 1080.0)]) == [
        "npae mmd 1000x8 takes 1.20 of what n^2 predicts from 100x8",
        "npae mmd 3000x8 takes 1.00 of what n^2 predicts from 1000x8",
    ]
