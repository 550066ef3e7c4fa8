"""Find strange rows with a model that was trained on normal rows alone.

  npae detect vae --data mnist --normal 3              train on the threes, test on all test rows
  npae detect vae --data mnist --normal all            each label in turn is the normal one: a table
  npae detect runs/vae-mnist --data new.npz            score other rows with a run; RUN/scores.npz
  npae detect runs/vae-mnist --data new.npz --normal 0,1 --scores new.csv

Scores, high for what is strange: the squared error of the reconstruction and, for a model that has them, minus its ELBO and minus its
importance-weighted likelihood. Where labels say which rows are normal: area under the ROC curve and average precision, with 95 %
intervals by bootstrap over the test rows, beside a one-class SVM (on at most 2,000 normal rows) and an isolation forest.

A model is trained with any setting of npae train; its runs lie in --out, one folder a normal label, and the same command given again takes
finished ones as they are. A tenth of the training rows is held out: the normal ones among it validate, since test rows must not say when
to stop. Data without test rows are tested on that tenth.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from npae.backend import backend
from npae.cli.detection_report import Detected, as_dict, draw, show_detected
from npae.cli.opened import Opened, open_for
from npae.cli.series import trained_run
from npae.cli.settings import add_settings, given_flags
from npae.cli.table_file import check_table_path, write_table
from npae.errors import InputError
from npae.evaluation.detection import baseline_strangeness, check_scores, rank_all, strangeness
from npae.models import MODELS, model_class
from npae.presets import preset_names
from npae.training.configuration import Configuration, resolve
from npae.training.files import write_json
from npae.training.option_values import parse
from npae.training.run import load_dataset

HELD_OUT = 0.1  # of the normal training rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A run or a model, what is normal, and the settings of a training."""
    parser.add_argument("what", metavar="RUN|MODEL", help=f"a run folder, or what to train: {', '.join([*MODELS, *preset_names()])}")
    parser.add_argument("--normal", metavar="LABELS", help="the normal labels: 3, or 0,1; all: a model for each label (default: the run's)")
    parser.add_argument("--samples", type=int, default=50, help="importance samples a row (default: 50)")
    parser.add_argument("--scores", type=Path, metavar="FILE", help="where a run's scores go: .npz or .csv (default: RUN/scores.npz)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where trained runs lie (default: runs/detect-MODEL-DATA)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, progress on standard error")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_settings(parser, without=("keep",))


def run(arguments: argparse.Namespace) -> int:
    """Train where a model was named, score, judge, print."""
    if arguments.samples < 1:
        raise InputError(f"--samples {arguments.samples}: at least 1 is needed")
    if arguments.scores:
        check_table_path(arguments.scores, "--scores")
    if arguments.what in MODELS or arguments.what in preset_names():
        return _train_and_detect(arguments)
    _check_only_a_run(arguments)
    opened = open_for(argparse.Namespace(run=Path(arguments.what), data=arguments.data))
    found = _detect(opened, _normal_of(arguments.normal, opened), arguments)
    draw([found], opened.folder / "figures" / "roc.png")
    print(json.dumps(as_dict([found]), indent=1)) if arguments.json else show_detected([found])
    return 0


def _check_only_a_run(arguments: argparse.Namespace) -> None:
    given = given_flags(arguments, without=("keep", "data"))
    if not Path(arguments.what).is_dir():
        known = ", ".join([*MODELS, *preset_names()])
        raise InputError(f"'{arguments.what}' is no run folder, and no model or preset either; known: {known}")
    if given or arguments.config or arguments.out:
        first = next(iter(given), "config" if arguments.config else "out").replace("_", "-")
        raise InputError(
            f"{arguments.what} is trained already, and --{first} is for a training; leave it out, or name a model instead of a run"
        )


def _normal_of(text: str | None, opened: Opened) -> list[int] | None:
    """The labels that are normal for a run; None where neither it nor the command says so."""
    kept: list[int] | None = opened.configuration["keep"]
    if text is None:
        return kept
    if text == "all":
        raise InputError(f"--normal all trains a model for each label; {opened.folder} is one run: name its normal labels, such as 3")
    normal = _labels(text)
    if kept is not None and sorted(kept) != sorted(normal):
        raise InputError(f"--normal {text}: {opened.folder} was trained on rows of label {','.join(map(str, kept))}; leave --normal out")
    return normal


def _labels(text: str) -> list[int]:
    try:
        return sorted(set(parse("keep", text)))
    except InputError:
        raise InputError(f"--normal '{text}' is not a label, a list of labels such as 0,1, or all") from None


def _train_and_detect(arguments: argparse.Namespace) -> int:
    flags = given_flags(arguments, without=("keep",))
    if not arguments.normal:
        raise InputError("--normal is missing: which label is normal? Such as --normal 3, or --normal all for each in turn")
    if arguments.scores:
        raise InputError(f"--scores {arguments.scores} is for a run; a training leaves its scores in its run folders")
    plain = resolve(arguments.what, file=arguments.config, flags=flags)
    if plain["keep"] is not None:
        raise InputError(f"--config {arguments.config} has keep = {plain['keep']}; leave it out: --normal says which rows train")
    check_scores(model_class(plain.model))
    backend(plain["backend"])  # one that this machine cannot run is refused before any data are fetched
    classes = _each_label(plain) if arguments.normal == "all" else [_labels(arguments.normal)]
    folder = arguments.out or Path("runs") / f"detect-{plain.name}-{Path(plain['data']).stem}"
    everything, status = [], 0
    try:
        for normal in classes:
            everything.append(_one(plain, normal, folder, arguments))
    except KeyboardInterrupt:
        status = 130
    if len(everything) > 1:
        write_json(folder / "detection.json", as_dict(everything))
        draw(everything, folder / "auroc.png")
    if arguments.json:
        print(json.dumps(as_dict(everything) | {"finished": not status}, indent=1))
    elif everything:
        show_detected(everything)
    if status and not arguments.json:
        print(f"stopped after {len(everything)} of {len(classes)}; the same command goes on from there")
    return status


def _each_label(configuration: Configuration) -> list[list[int]]:
    dataset = load_dataset(configuration)
    if dataset.train_labels is None:
        raise InputError(f"--normal all: the data '{dataset.name}' have no labels; take data with labels, such as mnist or digits")
    return [[label] for label in np.unique(dataset.train_labels).tolist()]


def _one(plain: Configuration, normal: list[int], folder: Path, arguments: argparse.Namespace) -> Detected:
    """Train (or take) the run whose training rows have the labels `normal`, and judge it."""
    values, origins = plain.values | {"keep": normal}, plain.origins | {"keep": "flag"}
    if values["validation"] in ("auto", "test") and origins["validation"] != "flag":
        values["validation"], origins["validation"] = HELD_OUT, "default of detect"
    configuration = Configuration(plain.name, plain.model, values, origins)
    place = folder / f"normal-{'-'.join(map(str, normal))}"
    text = ",".join(map(str, normal))
    try:
        trained_run(configuration, place, title=f"normal {text}", quiet=arguments.quiet)
    except InputError as error:  # labels that no row has are those of --normal here
        raise InputError(str(error).replace(f"keep {text}:", f"--normal {text}:", 1)) from None
    opened = open_for(argparse.Namespace(run=place, data=None))
    found = _detect(opened, normal, arguments)
    draw([found], place / "figures" / "roc.png")
    return found


def _detect(opened: Opened, normal: list[int] | None, arguments: argparse.Namespace) -> Detected:
    """Score the rows, write the scores, and rank them where labels say what is normal."""
    seed = opened.configuration["seed"]
    scores = strangeness(opened.model, opened.rows, samples=arguments.samples, seed=seed)
    columns: dict[str, Any] = {"row": np.arange(len(opened.rows))}
    rankings = {}
    if opened.labels is not None:
        columns["label"] = opened.labels
    if normal is not None and opened.labels is not None:
        scores |= baseline_strangeness(opened.train, opened.rows, seed=seed)
        abnormal = ~np.isin(opened.labels, normal)
        rankings = rank_all(scores, abnormal, seed=seed)
    path = write_table(arguments.scores or opened.folder / "scores.npz", columns | scores)
    kept = opened.configuration["keep"]
    found = Detected(opened.folder, opened.which, normal, kept, len(opened.rows), opened.labels, scores, rankings, path)
    write_json(opened.folder / "detection.json", as_dict([found]))
    return found
