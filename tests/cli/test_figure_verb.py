"""`npae figure`: files in the run folder, the same bytes every time, and one line for whatever a run cannot show."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from npae.figures.of_runs import drawings
from npae.figures.of_runs.drawings import DRAWINGS


def files(folder: Path) -> set[str]:
    """The names of the pictures in a run folder."""
    return {path.name for path in (folder / "figures").iterdir()}


def test_the_list_names_every_figure_and_what_it_shows(npae: Any) -> None:
    said = npae("figure", "list")
    assert (said.status, said.err) == (0, "")
    lines = {line.split()[0]: line for line in said.out.splitlines()[1:]}
    assert set(lines) == set(DRAWINGS)
    assert all(one.shows in lines[name] for name, one in DRAWINGS.items())
    found = json.loads(npae("figure", "list", "--json").out)
    assert [row["name"] for row in found] == list(DRAWINGS)
    assert found[list(DRAWINGS).index("codes")]["takes"] == ["rows", "seed"]


def test_a_figure_is_left_as_png_and_svg_and_its_files_are_printed(npae: Any, run_of: Any) -> None:
    folder = run_of("vae")
    said = npae("figure", "reconstructions", folder, "--rows", 4)
    assert (said.status, said.err) == (0, "")
    assert said.out.splitlines() == [str(folder / "figures" / f"reconstructions.{form}") for form in ("png", "svg")]
    with Image.open(folder / "figures" / "reconstructions.png") as image:
        image.verify()
    assert "<svg " in (folder / "figures" / "reconstructions.svg").read_text()


@pytest.mark.parametrize("name", ["posterior", "denoised"])
def test_the_same_run_gives_the_same_bytes(name: str, npae: Any, run_of: Any, tmp_path: Path) -> None:
    folder = run_of("vae")
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    for run in (folder, elsewhere):
        assert npae("figure", name, run).status == 0
    for form in ("png", "svg"):
        assert (folder / "figures" / f"{name}.{form}").read_bytes() == (elsewhere / "figures" / f"{name}.{form}").read_bytes()


def test_formats_and_the_file_can_be_chosen(npae: Any, run_of: Any) -> None:
    folder = run_of("vae")
    npae("figure", "kl", folder, "--format", "svg")
    assert {name for name in files(folder) if name.startswith("kl")} == {"kl.svg"}
    said = npae("figure", "kl", folder, "--out", "mine.png", "--json")
    assert json.loads(said.out) == {"files": ["mine.png"]}
    assert Path("mine.png").is_file()
    assert "kl.png" not in files(folder)


def test_all_draws_what_the_run_can_have_and_says_so_as_it_goes(npae: Any, run_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "applicable", lambda run: ["shares", "grid"])
    folder = run_of("ae")
    said = npae("figure", "all", folder, "--format", "png")
    assert said.status == 0
    assert said.out.splitlines() == [str(folder / "figures" / f"{name}.png") for name in ("shares", "grid")]
    assert files(folder) == {"shares.png", "grid.png"}


def test_a_figure_of_several_runs_goes_to_the_folder_of_the_first(npae: Any, run_of: Any) -> None:
    first, second = run_of("vae"), run_of("wae")
    assert npae("figure", "beside", first, second, "--rows", 4, "--format", "png").status == 0
    assert "beside.png" in files(first)
    assert "beside.png" not in files(second)


def test_units_are_counted_from_one_as_they_are_named_in_the_picture(npae: Any, run_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    from npae.figures.of_runs import decoded

    chosen: list[Any] = []

    def noting(*given: Any, **options: Any) -> Figure:
        chosen.append(options["units"])
        return Figure()

    monkeypatch.setattr(decoded, "draw_traverse", noting)
    npae("figure", "traverse", run_of("vae"), "--units", "2,1")
    assert chosen == [(1, 0)]


def test_help_has_examples_and_every_choice(npae: Any) -> None:
    said = npae("figure", "--help").out
    for word in ("npae figure list", "npae figure beside", "--rows", "--label", "--units", "--indices", "--corrupt", "--seed", "--format"):
        assert word in said


# words after the run -> fragments of the one line
WRONG: dict[str, tuple[str, list[str]]] = {
    "an unknown figure": ("cods RUN", ["figure 'cods' is not known", "did you mean 'codes'"]),
    "a word after list": ("list RUN", ["npae figure list", "one word too many"]),
    "no run": ("codes", ["npae figure codes: no run"]),
    "a run that is none": ("codes nowhere", ["nowhere: no such run folder"]),
    "a figure for another kind of run": ("kl RUN", ["figure 'kl' needs a Gaussian posterior", "model 'ae'"]),
    "two runs for a figure of one": ("codes RUN RUN", ["figure 'codes' of 2 runs: expected one"]),
    "one run for a figure of several": ("beside RUN", ["figure 'beside' of 1 run: expected two or more"]),
    "two runs for all": ("all RUN RUN", ["npae figure all: 2 runs"]),
    "a choice that means nothing here": ("loss RUN --rows 3", ["--rows means nothing to figure 'loss'"]),
    "more points than data": ("codes RUN --rows 13", ["--rows 13: there are only 12 validation rows"]),
    "too few points for a map": ("tsne RUN", ["figure 'tsne' needs 31 rows to look at or more", "there are 12 validation rows"]),
    "no row": ("samples RUN --rows 0", ["--rows 0", "at least 1"]),
    "a number of rows that is text": ("samples RUN --rows x", ["--rows", "'x'"]),
    "an index out of range": ("reconstructions RUN --indices 3,12", ["row 12", "numbered 0 to 11"]),
    "indices that are no numbers": ("reconstructions RUN --indices 3;4", ["--indices 3;4", "such as 3,14"]),
    "a label for a model without": ("samples RUN --label 3", ["--label 3", "reads no labels"]),
    "a unit too many": ("interpolation RUN --units 1,2,3", ["--units 1,2,3", "two latent units"]),
    "a huge plane": ("manifold RUN --grid 41", ["--grid 41", "from 2 to 40"]),
    "noise without a level": ("denoised RUN --corrupt gaussian", ["--corrupt gaussian", "gaussian:0.3"]),
    "unknown noise": ("denoised RUN --corrupt foo:1", ["corruption 'foo' is not known"]),
    "another format": ("codes RUN --format pdf", ["--format pdf", "png,svg"]),
    "another suffix": ("codes RUN --out a.pdf", ["a.pdf", ".png or .svg"]),
    "a folder that is not there": ("codes RUN --out no/a.png", ["no/a.png", "there is no folder"]),
    "one file for all": ("all RUN --out a.png", ["--out a.png", "all figures"]),
    "a negative seed": ("samples RUN --seed -1", ["--seed -1", "at least 0"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_bad_input_is_one_line_and_status_2_and_writes_nothing(what: str, npae: Any, finished: Any, tmp_path: Path) -> None:
    words, fragments = WRONG[what]
    run = finished("ae")
    before = files(run)
    said = npae("figure", *(run if word == "RUN" else word for word in words.split()))
    assert said.status == 2
    assert said.err.startswith("npae: error: ")
    assert said.err.count("\n") == 1
    for fragment in fragments:
        assert fragment in said.err
    assert files(run) == before
    assert list(tmp_path.iterdir()) == []
