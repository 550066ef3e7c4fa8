"""`npae test`: what it compares, what it says and writes, its exit status, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae as library
from npae.evaluation import calibration
from npae.noise import evaluation_seed

FEW = ("--permutations", "99")


def normal(name: str, seed: int, n: int, d: int = 3, shift: float = 0.0) -> Any:
    rows = (np.random.default_rng(seed).standard_normal((n, d)) + shift).astype(np.float32)
    np.save(name, rows)
    return rows


def test_two_files_are_compared_as_the_library_compares_them(npae: Any) -> None:
    x, y = normal("a.npy", 0, 60), normal("b.npy", 1, 40, shift=0.4)
    said = npae("test", "a.npy", "b.npy", "--seed", "3", "--json")
    assert (said.status, said.err) == (0, "")
    found, want = json.loads(said.out), library.two_sample_test(x, y, seed=3)
    assert (found["mmd2"], found["p_value"], found["bandwidth"]) == (want.mmd2, want.p_value, want.bandwidth)
    assert (found["a"]["rows"], found["b"]["rows"], found["features"], found["permutations"]) == (60, 40, 3, 1000)
    assert (found["alpha"], found["rejected"]) == (None, None)
    assert len(found["a"]["least_like_the_other"]) == len(set(found["a"]["least_like_the_other"])) == 10


def test_the_rows_it_names_are_counted_in_the_file(npae: Any) -> None:
    x = normal("a.npy", 0, 300)
    normal("b.npy", 1, 300)
    x[7:300:8] += 6
    np.save("a.npy", x)
    found = json.loads(npae("test", "a.npy", "b.npy", *FEW, "--rows", "200", "--bandwidth", "10", "--json").out)
    assert (found["a"]["rows"], found["a"]["origin"]) == (200, "200 of 300 rows")
    assert {number % 8 for number in found["a"]["least_like_the_other"]} == {7}


@pytest.mark.parametrize(("shift", "words"), [(3.0, "at most about 1 of 100"), (0.0, "no evidence that they differ")])
def test_a_newcomer_is_told_what_p_means(npae: Any, shift: float, words: str) -> None:
    normal("a.npy", 5, 50)
    normal("b.npy", 6, 50, shift=shift)
    said = npae("test", "a.npy", "b.npy", *FEW)
    assert said.status == 0
    assert "A  a.npy: 50 rows\nB  b.npy: 50 rows\n" in said.out
    assert "If A and B were of one distribution, a difference this large would be seen by chance in" in said.out
    assert words in said.out
    assert ("they differ." in said.out and "no evidence" not in said.out) == (shift > 0)


@pytest.mark.parametrize(("shift", "status"), [(3.0, 1), (0.0, 0)])
def test_a_check_fails_only_where_alpha_is_given_and_p_is_at_most_that(npae: Any, shift: float, status: int) -> None:
    normal("a.npy", 5, 50)
    normal("b.npy", 6, 50, shift=shift)
    assert npae("test", "a.npy", "b.npy", *FEW).status == 0
    said = npae("test", "a.npy", "b.npy", *FEW, "--alpha", "0.01", "--json")
    assert said.status == status
    assert json.loads(said.out)["rejected"] == bool(status)


def test_the_same_data_twice_is_dealt_into_halves_that_share_no_row(npae: Any) -> None:
    np.savetxt("a.csv", np.arange(40.0)[:, None], delimiter=",")
    found = json.loads(npae("test", "a.csv", "a.csv", *FEW, "--rows", "30", "--json").out)
    assert (found["a"]["rows"], found["b"]["rows"]) == (20, 20)
    assert set(found["a"]["least_like_the_other"]).isdisjoint(found["b"]["least_like_the_other"])
    assert found["p_value"] > 0.05


def test_of_data_with_test_rows_those_are_taken(npae: Any) -> None:
    normal("b.npy", 1, 30)
    np.savez("a.npz", x=np.zeros((50, 3), np.float32), x_test=np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32))
    found = json.loads(npae("test", "a.npz", "b.npy", *FEW, "--json").out)
    assert found["a"]["origin"] == "20 test rows"
    assert found["p_value"] > 0.01


def test_a_run_is_compared_by_what_it_draws_in_the_units_of_the_data(npae: Any, few: Path) -> None:
    with np.load(few) as data:
        x = data["x"].reshape(120, 64)
    np.save("large.npy", 100 * x + 3)
    words = ("--epochs", "1", "--hidden", "8", "--latent", "2", "--backend", "numpy", "--set", "scale=minmax", "--quiet")
    assert npae("train", "vae", "--data", "large.npy", *words, "--out", "run").status == 0
    found = json.loads(npae("test", "run", "large.npy", "--rows", "120", "--seed", "2", *FEW, "--json").out)
    assert found["a"]["origin"] == "120 samples of this vae, codes from the prior N(0, I)"
    assert found["b"]["origin"] == "120 rows"
    low, high = (100 * x + 3).min(axis=0), (100 * x + 3).max(axis=0)
    drawn = library.load(Path("run"), backend="numpy").sample(120, seed=2) * np.where(high > low, high - low, 1) + low
    want = library.two_sample_test(drawn.astype(np.float32), (100 * x + 3).astype(np.float32), permutations=99, seed=2)
    assert found["mmd2"] == pytest.approx(want.mmd2, rel=1e-4)
    assert found["bandwidth"] == pytest.approx(want.bandwidth, rel=1e-4)


def test_two_runs_draw_independent_codes(npae: Any, run_of: Any) -> None:
    folder = run_of("vae")
    found = json.loads(npae("test", folder, folder, "--rows", "60", *FEW, "--json").out)
    model = library.load(folder, backend="numpy")
    a, b = model.sample(60, seed=0), model.sample(60, seed=evaluation_seed(0))
    want = library.two_sample_test(a, b, permutations=99)
    assert found["mmd2"] == pytest.approx(want.mmd2, abs=1e-6)
    assert found["p_value"] == want.p_value > 0.01


@pytest.mark.parametrize("kind", ["ae", "cvae"])
def test_runs_without_a_prior_and_runs_that_read_labels_draw_too(npae: Any, run_of: Any, few: Path, kind: str) -> None:
    said = npae("test", run_of(kind), few, "--rows", "40", *FEW)
    assert (said.status, said.err) == (0, "")
    assert f"40 samples of this {kind}, codes from" in said.out


def test_a_scale_makes_features_in_different_units_count_alike(npae: Any) -> None:
    x, y = normal("a.npy", 0, 80), normal("b.npy", 1, 80)
    for name, rows in (("a.npy", x), ("b.npy", y)):
        rows[:, 0] *= 1e6
        rows[:, 1] += 2.0 * (name == "b.npy")
        np.save(name, rows)
    plain, scaled = (json.loads(npae("test", "a.npy", "b.npy", "--scale", scale, *FEW, "--json").out) for scale in ("none", "standard"))
    assert plain["p_value"] > 0.05
    assert scaled["p_value"] == 0.01


def test_the_picture_shows_the_rows_where_they_are_images(npae: Any, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.figures import null_histogram as drawing

    drawn: list[Any] = []
    keep = drawing.null_histogram
    monkeypatch.setattr(drawing, "null_histogram", lambda *values, **named: drawn.append(named) or keep(*values, **named))
    said = npae("test", few, "digits", *FEW, "--picture", "p.png")
    assert (said.status, said.err) == (0, "")
    assert said.out.endswith("  p.png\n")
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")
    assert drawn[0]["image_shape"] == (8, 8)
    assert [rows.shape for rows in drawn[0]["named"].values()] == [(10, 64), (10, 64)]


def test_calibration_reports_level_and_power(npae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "POWER_SIZES", (8, 12))
    monkeypatch.setattr(calibration, "LEVEL_SIZES", (8, 9))
    said = npae("test", "--calibrate", "--runs", "20", "--picture", "power.png", "--json")
    assert (said.status, said.err) == (0, "")
    found = json.loads(said.out)
    for rate in found["level"].values():
        assert rate["runs"] == 20
        assert rate["interval"][0] <= rate["share"] == rate["rejected"] / 20 <= rate["interval"][1]
    assert {name: list(curves) for name, curves in found["power"].items()} == {name: ["8", "12"] for name in found["level"]}
    assert Path("power.png").is_file()
    printed = npae("test", "--calibrate", "--runs", "20").out
    for name, rate in found["level"].items():
        assert f"{name}" in printed
        assert f"{rate['share']:.3f}  ({rate['interval'][0]:.3f} .. {rate['interval'][1]:.3f})" in printed


WRONG = {
    "no sample": ("test", "A B: expected two samples, such as npae test a.npy b.npy; given: none"),
    "one sample": ("test a.npy", "expected two samples", "given: a.npy"),
    "three samples": ("test a.npy a.npy a.npy", "expected two samples", "given: a.npy, a.npy, a.npy"),
    "an unknown name": ("test mnits a.npy", "A 'mnits': no run folder, no file or folder of data", "did you mean 'mnist'"),
    "no name": ("test a.npy ", "B ''"),
    "a file of another kind": ("test a.npy notes.txt", "notes.txt: not a kind of file that npae reads"),
    "other widths": ("test a.npy wide.npy", "A, a.npy, has rows of 3 numbers and B, wide.npy, has rows of 5 numbers", "of one width"),
    "one row": ("test a.npy one.npy", "B, one.npy: 1 row is no sample; at least 2 are needed"),
    "one row twice": ("test one.npy one.npy", "A, one.npy: 0 row"),
    "a hole": ("test a.npy hole.npy", "hole.npy", "row 1, column 2", "nan"),
    "rows that are all equal": ("test same.npy b.npy --rows 9", "distances between the", "are 0", "give a bandwidth"),
    "two rows too few": ("test a.npy b.npy --rows 1", "--rows 1: at least 2"),
    "no permutation": ("test a.npy b.npy --permutations 0", "--permutations 0: at least 1"),
    "no bandwidth": ("test a.npy b.npy --bandwidth 0", "--bandwidth 0: expected a finite number above 0"),
    "a bandwidth that is no number": ("test a.npy b.npy --bandwidth nan", "--bandwidth nan"),
    "an alpha that is none": ("test a.npy b.npy --alpha 5", "--alpha 5: expected a number between 0 and 1, such as 0.05"),
    "an alpha that no p can reach": (
        "test a.npy b.npy --alpha 0.001 --permutations 99",
        "--alpha 0.001",
        "give at least --permutations 999",
    ),
    "a negative seed": ("test a.npy b.npy --seed -1", "seed -1"),
    "a picture of another kind": ("test a.npy b.npy --picture p.pdf", "--picture p.pdf: expected a name that ends in .png or .svg"),
    "a picture in no folder": ("test a.npy b.npy --picture no/p.png", "--picture no/p.png: the folder no does not exist"),
    "an unknown scale": ("test a.npy b.npy --scale log", "--scale", "'log'"),
    "runs of a comparison": ("test a.npy b.npy --runs 5", "--runs 5 is for --calibrate"),
    "samples to calibrate with": ("test a.npy b.npy --calibrate", "--calibrate draws its own samples; leave a.npy and b.npy out"),
    "too few runs": ("test --calibrate --runs 9", "--runs 9: at least 10 are needed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_compared_is_refused_in_one_line(npae: Any, name: str) -> None:
    normal("a.npy", 0, 20)
    normal("b.npy", 1, 3)
    normal("wide.npy", 0, 20, d=5)
    normal("one.npy", 0, 1)
    hole = normal("hole.npy", 0, 4)
    hole[1, 2] = np.nan
    np.save("hole.npy", hole)
    np.save("same.npy", np.ones((20, 3), np.float32))
    Path("notes.txt").write_text("1 2 3\n")
    command, *fragments = WRONG[name]
    said = npae(*command.split(" "))
    assert said.status == 2, said
    assert said.out == ""
    assert said.err.startswith("npae: error: ")
    assert said.err.count("\n") == 1
    for fragment in fragments:
        assert fragment in said.err, said.err


def test_a_model_that_draws_nothing_is_refused_with_the_reason(npae: Any) -> None:
    words = ("--epochs", "1", "--hidden", "4", "--latent", "2", "--backend", "numpy", "--quiet", "--out", "pair")
    assert npae("train", "paired", "--data", "dates", *words).status == 0
    said = npae("test", "pair", "dates", *FEW)
    assert said.status == 2
    assert "npae translate" in said.err
    assert said.err.count("\n") == 1
