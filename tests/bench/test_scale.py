"""`python -m bench scale`: exponents of known laws, who is missing at a size, bad input, and the whole of it on a small problem."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import scale, scale_step
from bench.__main__ import main
from bench.catalogue import settings_of
from bench.command_scale import SIZES, sizes_of
from bench.picture_scale import compose
from bench.scale import exponent, lines
from npae.errors import InputError
from npae.figures.style import house_style


@pytest.mark.parametrize("power", [0.0, 1.0, 2.5])
def test_the_exponent_of_a_power_law_is_its_power(power: float) -> None:
    assert exponent({size: 3e-4 * size**power for size in (10, 32, 100, 1000)}) == pytest.approx(power, abs=1e-12)


def test_one_size_has_no_exponent() -> None:
    assert exponent({10: 1.0}) is None


def test_the_exponent_is_of_the_medians_and_of_the_sizes_that_were_run() -> None:
    def measure(size: int) -> dict[str, list[float]]:
        quick = {"quick": [1e-3 * size, 1e-3 * size, 9.0]}
        return quick if size > 100 else quick | {"tired": [1e-6 * size**2]}

    quick, tired = lines(measure, (10, 100, 1000))
    assert quick["exponent"] == pytest.approx(1.0)
    assert tired["exponent"] == pytest.approx(2.0)
    assert list(tired["seconds"]) == [10, 100]
    assert quick["rounds"][1000] == [1.0, 1.0, 9.0]


def test_a_width_is_that_of_every_hidden_layer() -> None:
    assert settings_of("flux-vae@32", "numba")["hidden"] == [32]
    assert settings_of("adcme-vae@64", "numba")["hidden"] == [64, 64]
    assert settings_of("flux-vae", "numba")["hidden"] == [128]


def test_sizes_are_those_of_one_axis_in_order() -> None:
    assert sizes_of("batch,n", None) == {"batch": SIZES["batch"], "n": SIZES["n"]}
    assert sizes_of("width", "64,32,64") == {"width": (32, 64)}
    with pytest.raises(InputError, match="--axes names 2"):
        sizes_of("batch,width", "32")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--axes", "height"], "--axes 'height' is not known"),
        (["--axes", "none"], "--axes none: nothing to measure"),
        (["--axes", "batch", "--sizes", "1"], "--sizes '1' is not a list of whole numbers of at least 2"),
        (["--axes", "batch", "--sizes", "ten"], "--sizes 'ten' is not"),
        (["--models", "flux-a"], "--models 'flux-a' is not known"),
        (["--models", "ae,vae"], "the step of one model is scaled"),
        (["--backends", "none", "--peers", "none"], "nothing to measure"),
        (["--peers", "keras"], "--peers 'keras' is not known"),
        (["--plot", "lines.pdf"], "suffix '.pdf' is not .png or .svg"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scale", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_steps_of_several_batches_and_widths_are_measured_drawn_and_stored(
    small_problem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def few_rows(at: scale.Conditions) -> str:
        for name in ("data.npy", "order.npy"):
            (at.folder / name).symlink_to(small_problem / name)
        return "a thousand rows"

    monkeypatch.setattr(scale_step, "prepare", few_rows)
    monkeypatch.setattr(scale, "rates", lambda threads: {})
    monkeypatch.setattr("bench.interleave.WINDOW", 0.0)
    monkeypatch.setattr("bench.command_scale.SIZES", {"batch": (4, 16), "width": (8, 16)})
    picture, result = tmp_path / "scale.png", tmp_path / "scale.json"
    words = ["scale", "--backends", "numpy", "--peers", "none", "--rounds", "2", "--seconds", "0.01", "--patience", "0"]
    assert main([*words, "--json", str(result), "--plot", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "rows in a batch" in said
    assert "units in each hidden layer" in said
    content = json.loads(result.read_text())
    assert {axis: list(rows[0]["seconds"]) for axis, rows in content["axes"].items()} == {"batch": ["4", "16"], "width": ["8", "16"]}
    assert all(len(rounds) == 2 for rounds in content["axes"]["batch"][0]["rounds"].values())
    assert picture.stat().st_size > 1000


def test_a_picture_of_little_growth_has_plain_numbers_on_its_axis() -> None:
    rounds = {32: [0.30e-3, 0.31e-3], 1024: [6.2e-3, 6.4e-3]}
    row = {"name": "compiled", "rounds": rounds, "seconds": {size: times[0] for size, times in rounds.items()}, "exponent": 0.9}
    result = {"axes": {"width": [row]}, "machine": {"cpu": "a processor", "threads": 2}, "model": "flux-ae"}
    figure = compose(result)
    with house_style():
        figure.draw_without_rendering()
        (axes,) = figure.axes
        labels = [text.get_text() for minor in (False, True) for text in axes.yaxis.get_ticklabels(minor=minor)]
    assert {"1", "0.3", "6"} <= set(labels)
    assert not any("$" in label for label in labels)
