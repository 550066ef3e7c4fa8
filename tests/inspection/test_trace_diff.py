"""Two traces part at the first tensor that differs, and a stored trace is the trace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_flow import opened, trainer_of

from npae.errors import InputError
from npae.inspection.trace_diff import compare
from npae.inspection.trace_file import of_flow, read_trace, write_trace


def test_the_same_step_does_not_part() -> None:
    found = compare(of_flow(opened(trainer_of("vae"))), of_flow(opened(trainer_of("vae"))))
    assert found.first is None
    assert max(row.difference or 0 for row in found.rows) == 0


def test_float32_and_float64_agree_within_the_coarser_and_part_below_it() -> None:
    a, b = (of_flow(opened(trainer_of("vae", dtype=dtype))) for dtype in ("float32", "float64"))
    assert compare(a, b).first is None
    first = compare(a, b, tolerance=0.0).first
    assert first is not None
    assert first.tensor == "encoder.0.W"  # what is drawn in float32 is rounded before anything is computed


def test_they_part_first_where_a_weight_was_moved() -> None:
    one, other = trainer_of("vae"), trainer_of("vae")
    other.model.parameters["decoder.2.W"].value[4, 1] += 0.25
    found = compare(of_flow(opened(one)), of_flow(opened(other)))
    assert found.first is not None
    assert (found.first.tensor, found.first.index) == ("decoder.2.W", (4, 1))
    assert found.first.difference == pytest.approx(0.25, rel=1e-6)
    parted = [row.tensor for row in found.rows if row.parts]
    assert "decoder.2.y" in parted
    assert "encoder.0.y" not in parted


def test_another_shape_and_a_tensor_of_one_alone_are_said() -> None:
    found = compare(of_flow(opened(trainer_of("vae"))), of_flow(opened(trainer_of("iwae"))))
    says = {row.tensor: row.says for row in found.rows}
    assert says["reparameterise.y"] == "shape (6, 3) beside (30, 3)"
    assert says["importance.y"] == "only in the second"


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_stored_trace_is_compared_as_the_trace_itself(suffix: str, tmp_path: Path) -> None:
    flow = opened(trainer_of("wae"))
    stored = read_trace(write_trace(tmp_path / f"a{suffix}", flow))
    assert list(stored.arrays) == list(flow.arrays)
    assert compare(of_flow(flow), stored).first is None
    moved = trainer_of("wae")
    moved.model.parameters["encoder.0.W"].value *= 1.01
    first = compare(of_flow(opened(moved)), stored).first
    assert first is not None
    assert first.tensor == "encoder.0.W"


def test_nan_is_equal_to_nan_and_to_nothing_else() -> None:
    a, b = (of_flow(opened(trainer_of("ae"))) for _ in range(2))
    a.arrays["encoder.0.y"][0, 0] = b.arrays["encoder.0.y"][0, 0] = np.nan
    assert compare(a, b).first is None
    b.arrays["encoder.0.y"][0, 0] = 1
    first = compare(a, b).first
    assert first is not None
    assert first.says == "nan beside 1.0"


def test_what_holds_no_trace_is_refused_in_one_line(tmp_path: Path) -> None:
    cases = {"list.json": json.dumps([1]), "text.json": "{", "other.json": json.dumps({"tensors": []}), "no.npz": "PK"}
    for name, content in cases.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=name):
            read_trace(tmp_path / name)
    np.savez(tmp_path / "arrays.npz", x=np.ones(3))
    with pytest.raises(InputError, match=r"arrays\.npz holds no trace"):
        read_trace(tmp_path / "arrays.npz")
    with pytest.raises(InputError, match="no such file"):
        read_trace(tmp_path / "missing.npz")


def test_a_tolerance_below_zero_is_refused() -> None:
    stored = of_flow(opened(trainer_of("ae")))
    with pytest.raises(InputError, match="tolerance -1"):
        compare(stored, stored, -1)
