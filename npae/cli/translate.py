"""Turn texts into the other language that a paired model was trained on.

  npae train paired --data dates                              dates in words to dates in numbers, held-out days right: npae evaluate
  npae translate runs/paired-dates "3 March 1999" "29 February 2000"
  npae translate runs/paired-dates "3 March 1999" --json

The probability is the model's own. A text that is unlike all training rows gets an answer too, and its probability may be high.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from npae.errors import InputError
from npae.evaluation.translation import translate
from npae.training.run import load_dataset, open_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and the texts."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder of a paired model, made by npae train")
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="what to translate")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Translate and print, a line a text."""
    configuration, model = open_run(arguments.run)
    if model.companion != "targets":
        raise InputError(f"{arguments.run} is a run of {configuration.name}, which translates nothing; npae train paired --data dates")
    dataset = load_dataset(configuration)
    if dataset.text is None:
        raise InputError(
            f"{arguments.run} was trained on '{configuration['data']}', which is numbers and no text; npae evaluate says how well it does"
        )
    found = translate(model, arguments.texts, dataset.text, dataset.scaling)
    if arguments.json:
        print(json.dumps([one._asdict() for one in found], indent=1, ensure_ascii=False))
        return 0
    wide, other = max(len(one.given) for one in found), max(len(one.said) for one in found)
    for one in found:
        sure = "" if one.probability is None else f"   probability {one.probability:.4f}"
        print(f"{one.given:<{wide}} -> {one.said:<{other}}{sure}".rstrip())
    return 0
