"""Draw figures of trained runs, as PNG and SVG: the same bytes for the same run.

  npae figure list                                        every figure, what it needs, what it takes
  npae figure tsne runs/vae-mnist                         RUN/figures/tsne.png and .svg
  npae figure all runs/vae-mnist                          every figure that this run can have
  npae figure traverse runs/cvae-mnist --label 3 --units 1,4
  npae figure interpolation runs/vae-mnist --indices 12,40 --out way.svg
  npae figure beside runs/vae-mnist runs/gan-mnist runs/wae-mnist

Held-out rows are the data's test rows, or the run's validation rows where there are none. Rows are numbered from 0, latent units from 1.
Figures of several runs go to the folder of the first.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from npae.cli.corruption_text import FORM, corruption_of
from npae.cli.opened import open_for
from npae.cli.screen import show, table_of
from npae.errors import InputError
from npae.training.history import History
from npae.training.manifest import read_manifest

if TYPE_CHECKING:
    from npae.figures.of_runs.subject import Choices, Subject

FORMATS = ("png", "svg")
MOST_ALONG = 40  # pictures along the side of a plane: more are smaller than the eye can tell apart
LIST, ALL = "list", "all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The figure, the runs, and what can be chosen about it."""
    parser.add_argument("name", metavar="NAME", help="a figure; list: show them all; all: draw every one that the run can have")
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="run folders made by npae train")
    parser.add_argument("--format", default="png,svg", metavar="FORMATS", help="png, svg or both (default: png,svg)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="one file instead, .png or .svg")
    parser.add_argument("--rows", type=int, metavar="N", help="how many rows or samples")
    parser.add_argument("--indices", metavar="I,J,...", help="which held-out rows, by number")
    parser.add_argument("--label", type=int, metavar="L", help="the label that a conditional model decodes with")
    parser.add_argument("--units", metavar="I,J", help="which two latent units (default: the two that change the picture most)")
    parser.add_argument("--grid", type=int, metavar="N", help="codes along each side of a plane")
    parser.add_argument("--extent", type=float, metavar="R", help="of manifold-linspace: codes from -R to R (default: 15)")
    parser.add_argument("--corrupt", metavar="KIND:LEVEL", help=f"noise to remove: {FORM}")
    parser.add_argument("--seed", type=int, metavar="N", help="which rows, samples or noise (default: 0)")
    parser.add_argument("--json", action="store_true", help="print the files, or the list, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Draw, save, say where."""
    if arguments.name == LIST:
        if arguments.runs:
            raise InputError(f"npae figure list: {arguments.runs[0]} is one word too many; npae figure all RUN draws what a run can have")
        return _list(as_json=arguments.json)
    from npae.figures.of_runs.drawings import applicable, draw, drawing
    from npae.figures.style import save

    if arguments.name != ALL:
        drawing(arguments.name)
    paths, chosen = _paths(arguments), choices(arguments)
    subjects = [subject_of(folder) for folder in arguments.runs]
    if arguments.out is None:
        paths[0].parent.mkdir(exist_ok=True)
    names = applicable(subjects[0]) if arguments.name == ALL else [arguments.name]
    files: list[Path] = []
    for name in names:
        figure = draw(name, subjects, chosen)
        for path in paths:
            files.append(save(figure, path.with_name(path.name.replace("{name}", name))))
            if not arguments.json:
                print(files[-1], flush=True)
    if arguments.json:
        print(json.dumps({"files": [str(path) for path in files]}))
    return 0


def subject_of(folder: Path) -> Subject:
    """A run folder as the figures see it."""
    from npae.figures.of_runs.subject import Subject

    opened = open_for(argparse.Namespace(run=folder, data=None))
    best = read_manifest(folder)["best"]["epoch"] or None
    history = History.read(folder / "history.jsonl").rows
    return Subject(folder.resolve().name, opened.model, opened.dataset, opened.trained, opened.seen, history, best)


def choices(arguments: argparse.Namespace) -> Choices:
    """What was chosen, parsed."""
    from npae.figures.of_runs.subject import Choices

    for name, least, most in (("rows", 1, None), ("grid", 2, MOST_ALONG), ("seed", 0, None)):
        value = getattr(arguments, name)
        if value is not None and (value < least or (most is not None and value > most)):
            raise InputError(
                f"--{name} {value}: expected a whole number {f'of at least {least}' if most is None else f'from {least} to {most}'}"
            )
    units = None if arguments.units is None else _numbers("--units", arguments.units)
    if units is not None and len(units) != 2:
        raise InputError(f"--units {arguments.units}: expected two latent units, such as 1,4")
    return Choices(
        rows=arguments.rows,
        indices=None if arguments.indices is None else _numbers("--indices", arguments.indices),
        label=arguments.label,
        units=None if units is None else (units[0] - 1, units[1] - 1),
        grid=arguments.grid,
        extent=arguments.extent,
        corrupt=None if arguments.corrupt is None else corruption_of(arguments.corrupt),
        seed=arguments.seed,
    )


def _numbers(option: str, text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise InputError(f"{option} {text}: expected whole numbers with commas between them, such as 3,14")
    return tuple(int(part) for part in parts)


def _paths(arguments: argparse.Namespace) -> list[Path]:
    """Where each figure goes; {name} stands for its name."""
    if not arguments.runs:
        raise InputError(f"npae figure {arguments.name}: no run; name one or more run folders, or see npae figure list")
    if arguments.name == ALL and len(arguments.runs) > 1:
        raise InputError(f"npae figure all: {len(arguments.runs)} runs; expected one")
    if arguments.out is not None:
        if arguments.name == ALL:
            raise InputError(f"--out {arguments.out}: one file, but all figures are asked for; leave it out")
        return [arguments.out]
    formats = list(dict.fromkeys(arguments.format.split(",")))
    if unknown := [form for form in formats if form not in FORMATS]:
        raise InputError(f"--format {arguments.format}: '{unknown[0]}' is not one; expected png, svg or png,svg")
    return [arguments.runs[0] / "figures" / f"{{name}}.{form}" for form in formats]


def _list(*, as_json: bool) -> int:
    from npae.figures.of_runs.drawings import DRAWINGS

    if as_json:
        rows = [
            {"name": name, "shows": one.shows, "needs": [need.name for need in one.needs], "takes": one.takes, "several": one.several}
            for name, one in DRAWINGS.items()
        ]
        print(json.dumps(rows, indent=1))
        return 0
    table = table_of("figure", "shows", "needs", "takes")
    for name, one in DRAWINGS.items():
        needs = (*(need.name for need in one.needs), *(["several runs"] if one.several else []))
        table.add_row(name, one.shows, ", ".join(needs), " ".join(f"--{option}" for option in one.takes))
    show(table)
    return 0
