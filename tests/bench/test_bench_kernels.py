"""`python -m bench kernels`: driven by the registry, agreement first."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import floors, interleave, kernels
from bench.__main__ import main
from bench.errors import Disagreement
from bench.kernels import check, sizes, touched
from npae.kernels.registry import KERNELS, resolve

QUICK = ["--rounds", "2", "--seconds", "0.001", "--patience", "0"]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interleave, "WINDOW", 0.0)
    monkeypatch.setattr(floors, "SECONDS", 0.0)


def test_a_kernel_is_measured_at_a_training_steps_size_and_at_its_largest() -> None:
    assert sizes(KERNELS["mmd_rbf"]) == [100, max(KERNELS["mmd_rbf"].sizes)]
    assert sizes(dataclasses.replace(KERNELS["mmd_rbf"], sizes=(2, 50))) == [50]


def test_kernels_are_measured_and_written_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", "--kernels", "squared_error,philox_bits", *QUICK, "--json", str(tmp_path / "k.json")]) == 0
    assert "cpu / reference" in capsys.readouterr().out
    rows = json.loads((tmp_path / "k.json").read_text())["registered"]["rows"]
    assert [(row["kernel"], row["size"]) for row in rows] == [
        ("squared_error", 100),
        ("squared_error", max(KERNELS["squared_error"].sizes)),
        ("philox_bits", 100),
        ("philox_bits", max(KERNELS["philox_bits"].sizes)),
    ]
    assert all(row["cpu_over_reference"]["median"] > 0 and len(row["cpu"]["rounds"]) == 2 for row in rows)


def test_a_kernel_that_is_registered_is_measured_with_no_new_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    newcomer = dataclasses.replace(KERNELS["squared_error"], name="newcomer", sizes=(4,))
    monkeypatch.setitem(KERNELS, "newcomer", newcomer)
    resolve.cache_clear()
    assert main(["kernels", "--kernels", "newcomer", *QUICK, "--json", str(tmp_path / "k.json")]) == 0
    (row,) = json.loads((tmp_path / "k.json").read_text())["registered"]["rows"]
    assert (row["kernel"], row["arrays"]) == ("newcomer", "7x4 7x4 7x4")


def test_a_floor_counts_what_is_written_once_and_what_is_changed_twice() -> None:
    squared, adam = KERNELS["squared_error"], KERNELS["adam"]
    rng = np.random.default_rng(0)
    x, y, out = (value for value in squared.examples(rng, 8, "float32") if isinstance(value, np.ndarray))
    assert touched(squared, (x, y, out)) == x.nbytes + y.nbytes + out.nbytes
    arguments = adam.examples(rng, 8, "float32")
    arrays = [value for value in arguments if isinstance(value, np.ndarray)]
    changed = [arguments[place] for place in adam.outputs]
    assert touched(adam, arguments) == sum(array.nbytes for array in (*arrays, *changed))


@pytest.mark.parametrize("kernel", ["squared_error", "pairwise_squared"])
def test_a_compiled_form_that_differs_is_refused(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = KERNELS[kernel]
    arguments = chosen.examples(np.random.default_rng(0), 32, "float32")
    assert check(chosen, 32, arguments) <= chosen.tolerances["float32"][0]

    def slightly_off(name: str, form: str) -> Any:
        def wrong(*given: Any) -> Any:
            returned = resolve(name, form)(*given)
            if form == "cpu":
                given[chosen.outputs[0]].flat[3] *= 1 + 1e-3
            return returned

        return wrong

    monkeypatch.setattr(kernels, "resolve", slightly_off)
    with pytest.raises(Disagreement, match=f"{kernel} at size 32: cpu differs from its reference by"):
        check(chosen, 32, arguments)
