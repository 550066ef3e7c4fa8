"""One self-contained web page about a trained run: terms, curves, every figure it can have, configuration, environment.

  npae report runs/vae-mnist                       RUN/report.html
  npae report runs/vae-mnist --out vae.html        one file, no network: mail it, or open it from a disk

What npae evaluate found is in it when it ran before. The same run gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npae.cli.figure import subject_of
from npae.errors import InputError
from npae.training.configuration import Configuration, stored
from npae.training.files import parse_json, write_text

if TYPE_CHECKING:
    from npae.figures.html_page import Page
    from npae.figures.of_runs.subject import Subject

PARTS = {"train": "training rows", "validation": "validation rows", "watched": "watched rows"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and where the page goes."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder made by npae train")
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="where to write it (default: RUN/report.html)")
    parser.add_argument("--json", action="store_true", help="print the path and what is in it as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write the page, say where."""
    from npae.figures.html_page import Page
    from npae.figures.of_runs.drawings import applicable

    path = arguments.out or arguments.run / "report.html"
    if path.suffix != ".html":
        raise InputError(f"--out {path}: expected a name that ends in .html")
    if arguments.out and not path.parent.is_dir():
        raise InputError(f"--out {path}: the folder {path.parent} does not exist; create it first")
    subject, configuration = subject_of(arguments.run), stored(arguments.run)
    page, names = Page(f"{subject.name}: {configuration.name} on {subject.dataset.name}"), applicable(subject)
    _head(page, subject)
    _terms(page, subject)
    _evaluation(page, arguments.run / "evaluation.json")
    _figures(page, subject, names)
    _configuration(page, configuration)
    _environment(page, arguments.run / "environment.json")
    write_text(path, page.text())
    print(json.dumps({"report": str(path), "figures": names}) if arguments.json else path)
    return 0


def _head(page: Page, run: Subject) -> None:
    model, shape = run.model, run.dataset.image_shape
    rows = f"{len(run.trained.rows):,} training rows of {'x'.join(map(str, shape)) if shape else model.features}"
    page.paragraph(f"{model.summary}, {model.parameters.value.size:,} parameters, codes of {model.latent}; {rows}", kind="quiet")


def _terms(page: Page, run: Subject) -> None:
    page.section("Terms")
    if run.model.caveat:
        page.paragraph(run.model.caveat, kind="caveat")
    if not run.history:
        page.paragraph("No epoch is finished yet.")
        return
    last = run.history[-1]
    best = next((row for row in run.history if row["epoch"] == run.best_epoch), None)
    chosen = {"last and best": last} if best is last else {"last": last} | ({} if best is None else {"best": best})
    weights = run.history[-1]["weights"]
    names = ["total", *weights]
    term, model = run.model.reconstruction_term, run.model
    sums = term in names and model.likelihood.per_image(model.outputs) != 1  # else the column would repeat the term's
    rows = []
    for which, row in chosen.items():
        for part, words in PARTS.items():
            if values := row.get(part):
                shown = [_number(values[name]) for name in names]
                extra = [_number(model.per_image(values)[term])] if sums else []
                rows.append([f"{words}, {which} epoch ({row['epoch']})", *shown, *extra])
    rows.append(["weight in the total", "", *(f"{weight:g}" for weight in weights.values()), *([""] if sums else [])])
    page.table(["", *names, *([f"{term} per image"] if sums else [])], rows, numbers=True)
    unit = f"Terms are means over the rows, in {run.model.likelihood.unit}; the total is their weighted sum."
    seconds = sum(row["seconds"] for row in run.history)
    kept = "best" if run.best_epoch is not None else "last"
    page.paragraph(f"{unit} {len(run.history)} epochs in {seconds:.1f} s; pictures show the weights of the {kept} one.", kind="quiet")


def _evaluation(page: Page, path: Path) -> None:
    if path.is_file():
        page.section("Evaluation")
        page.table(["", ""], list(_flat(_read(path))))


def _figures(page: Page, run: Subject, names: Sequence[str]) -> None:
    from npae.figures.of_runs.drawings import DRAWINGS, draw
    from npae.figures.of_runs.subject import Choices
    from npae.figures.style import encoded

    page.section("Figures")
    for place, name in enumerate(names, start=1):
        print(f"figure {place} of {len(names)}: {name}", file=sys.stderr)
        page.picture(name, DRAWINGS[name].shows, encoded(draw(name, [run], Choices()), "png"))


def _configuration(page: Page, configuration: Configuration) -> None:
    page.section("Configuration")
    rows = [[key, _words(value), configuration.origins[key]] for key, value in configuration.values.items() if value is not None]
    page.table(["setting", "value", "from"], [["name", configuration.name, ""], ["model", configuration.model, ""], *rows])


def _environment(page: Page, path: Path) -> None:
    page.section("Environment")
    page.table(["", ""], list(_flat(_read(path))) if path.is_file() else [["environment.json", "is not in the run folder"]])


def _read(path: Path) -> Any:
    try:
        return parse_json(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); restore it, or delete it to have a report without it") from None


def _flat(content: Any, name: str = "") -> Iterator[list[str]]:
    """A row for each value, its name made of the names on the way to it."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _flat(value, f"{name} {key}".strip())
    elif isinstance(content, list) and any(isinstance(value, Mapping) for value in content):
        for place, value in enumerate(content, start=1):
            yield from _flat(value, f"{name} {place}")
    elif content not in (None, ""):
        yield [name, _words(content)]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    return ", ".join(map(_words, value)) if isinstance(value, list | tuple) else str(value)


def _number(value: float) -> str:
    return f"{value:.6g}"
