"""`npae report`: one file that holds everything about a run, the same bytes every time."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from npae.figures.of_runs import drawings
from npae.training.configuration import stored
from npae.training.history import History


class Reader(HTMLParser):
    """The rows of all tables, the pictures, and whatever would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.pictures = 0
        self.fetched: list[str] = []
        self.cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Rows, cells, pictures."""
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.cell = True
        for name, value in attrs:
            if name in ("src", "href") and not str(value).startswith(("data:", "#")):
                self.fetched.append(str(value))
        self.pictures += tag == "img"

    def handle_endtag(self, tag: str) -> None:
        """The end of a cell."""
        if tag in ("td", "th"):
            self.cell = False

    def handle_data(self, data: str) -> None:
        """The text of a cell."""
        if self.cell:
            self.rows[-1][-1] += data


@pytest.fixture
def few_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only two figures are drawn, for speed."""
    monkeypatch.setattr(drawings, "applicable", lambda run: ["loss", "kl"])


def report(npae: Any, folder: Path) -> Reader:
    """The report of a run, read."""
    said = npae("report", folder)
    assert said.status == 0
    assert said.out.strip() == str(folder / "report.html")
    return read(folder)


def read(folder: Path) -> Reader:
    """The page that is there."""
    reader = Reader()
    reader.feed((folder / "report.html").read_text())
    reader.close()
    return reader


def test_every_figure_of_the_run_is_in_the_page_and_nothing_is_fetched(npae: Any, run_of: Any) -> None:
    folder = run_of("vae")
    found = json.loads(npae("report", folder, "--json").out)
    reader = read(folder)
    assert reader.pictures == len(found["figures"]) == 14
    assert {"loss", "codes", "kl", "posterior", "manifold"} <= set(found["figures"])
    assert reader.fetched == []


def test_the_terms_of_the_last_and_the_best_epoch_are_those_of_the_history(npae: Any, run_of: Any, few_figures: None) -> None:
    folder = run_of("vae")
    reader, history = report(npae, folder), History.read(folder / "history.jsonl")
    best = json.loads((folder / "checkpoint" / "last.json").read_text())["best"]["epoch"]
    rows = {row[0]: row[1:] for row in reader.rows if row}
    assert rows[""] == ["total", "nll", "kl"]
    for which, epoch in (("last", 2), ("best", best)) if best != 2 else (("last and best", 2),):
        for part, words in (("train", "training rows"), ("validation", "validation rows")):
            values = history[epoch - 1][part]
            assert rows[f"{words}, {which} epoch ({epoch})"] == [f"{values[name]:.6g}" for name in ("total", "nll", "kl")]
    assert rows["weight in the total"] == ["", "1", "1"]


def test_an_epoch_that_is_last_but_not_best_has_its_own_rows(npae: Any, few: Path, few_figures: None) -> None:
    words = ("--hidden", 8, "--backend", "numpy", "--epochs", 50, "--patience", 1, "--learning-rate", 0.3, "--out", "run", "--quiet")
    npae("train", "vae", "--data", few, *words)
    last = len(History.read(Path("run/history.jsonl")))
    rows = [row[0] for row in report(npae, Path("run")).rows if row]
    assert f"validation rows, last epoch ({last})" in rows
    assert f"validation rows, best epoch ({last - 1})" in rows


def test_a_run_without_a_finished_epoch_is_said_to_have_none(npae: Any, run_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "applicable", lambda run: ["kl"])
    folder = run_of("vae")
    (folder / "history.jsonl").write_text("")
    assert npae("report", folder).status == 0
    assert "No epoch is finished yet." in (folder / "report.html").read_text()


def test_every_setting_stands_with_its_value_and_where_it_is_from(npae: Any, run_of: Any, few_figures: None) -> None:
    folder = run_of("vae")
    rows = {row[0]: row[1:] for row in report(npae, folder).rows if len(row) == 3}
    assert rows["latent"] == ["2", "flag"]
    assert rows["beta"] == ["1", "default"]
    assert {key for key, value in stored(folder).values.items() if value is not None} <= set(rows)


def test_the_environment_is_in_the_page(npae: Any, run_of: Any, few_figures: None) -> None:
    folder = run_of("vae")
    rows = dict(row for row in report(npae, folder).rows if len(row) == 2)
    stored_environment = json.loads((folder / "environment.json").read_text())
    assert rows["versions numpy"] == stored_environment["versions"]["numpy"]
    assert rows["data fingerprint"] == stored_environment["data"]["fingerprint"]
    assert rows["data image_shape"] == "8, 8"


def test_what_evaluate_found_is_in_the_page_once_it_ran(npae: Any, run_of: Any, few_figures: None) -> None:
    folder = run_of("vae")
    report(npae, folder)
    assert "Evaluation" not in (folder / "report.html").read_text()
    npae("evaluate", folder, "--samples", 2)
    rows = dict(row for row in report(npae, folder).rows if len(row) == 2)
    found = json.loads((folder / "evaluation.json").read_text())
    assert rows["log_likelihood elbo"] == f"{found['log_likelihood']['elbo']:.6g}"


def test_the_same_run_gives_the_same_page(npae: Any, run_of: Any, few_figures: None) -> None:
    folder = run_of("vae")
    report(npae, folder)
    first = (folder / "report.html").read_bytes()
    assert npae("report", folder, "--out", "again.html").status == 0
    assert Path("again.html").read_bytes() == first


def test_a_loss_that_is_no_bound_is_said_to_be_none(npae: Any, few: Path, few_figures: None) -> None:
    words = ("--epochs", 1, "--hidden", 8, "--backend", "numpy", "--set", "kl=keras", "--quiet")
    assert npae("train", "vae", "--data", few, *words, "--out", "run").status == 0
    report(npae, Path("run"))
    assert re.search(r'<p class="caveat">[^<]*not a bound', Path("run/report.html").read_text())


def test_a_reconstruction_that_is_a_mean_is_also_given_as_a_sum_over_an_image(npae: Any, few: Path, few_figures: None) -> None:
    words = ("--epochs", 1, "--hidden", 8, "--backend", "numpy", "--set", "reconstruction=mean_squared_error", "--quiet")
    npae("train", "vae", "--data", few, *words, "--out", "run")
    rows = [row for row in report(npae, Path("run")).rows if row]
    assert rows[0] == ["", "total", "nll", "kl", "nll per image"]
    assert float(rows[1][4]) == pytest.approx(64 * float(rows[1][2]), rel=1e-4)


def test_what_a_person_named_is_escaped(npae: Any, run_of: Any, few_figures: None) -> None:
    name = "<b>&run"
    folder = run_of("vae").rename(name)
    text = (report(npae, Path(folder)), Path(name, "report.html").read_text())[1]
    assert f"<h1>{html.escape(name)}" in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["nowhere"], ["nowhere: no such run folder"]),
        (["RUN", "--out", "page.pdf"], ["--out page.pdf", ".html"]),
        (["RUN", "--out", "no/page.html"], ["no/page.html", "the folder no does not exist"]),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], fragments: list[str], npae: Any, run_of: Any, few_figures: None) -> None:
    said = npae("report", *(run_of("vae") if word == "RUN" else word for word in words))
    assert said.status == 2
    (line,) = [line for line in said.err.splitlines() if not line.startswith("figure ")]
    assert line.startswith("npae: error: ")
    for fragment in fragments:
        assert fragment in line


def test_a_damaged_evaluation_is_named(npae: Any, run_of: Any, few_figures: None) -> None:
    folder = run_of("vae")
    (folder / "evaluation.json").write_text("{")
    said = npae("report", folder)
    assert said.status == 2
    assert "evaluation.json is damaged" in said.err
