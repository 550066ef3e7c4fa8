"""Write the codes of data to a file, for whatever comes after npae.

  npae embed runs/vae-mnist                             the run's test or validation rows, to RUN/codes.npz
  npae embed runs/vae-mnist --train --out codes.csv     its training rows
  npae embed runs/ae-faces --data new_faces.npy

Columns: row (its number), label (where the data have labels), code (N, Z), which is the posterior's mean where the encoder is Gaussian, and
then sigma (N, Z), its standard deviation. In a .csv: row,label,code1,...,codeZ,sigma1,...,sigmaZ.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from npae.backend import Array
from npae.cli.opened import add_run_arguments, open_for
from npae.cli.table_file import check_table_path, write_table
from npae.errors import InputError
from npae.models import Model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, which rows, and where to."""
    add_run_arguments(parser)
    parser.add_argument("--train", action="store_true", help="the rows it was trained on, in place of those held out")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a .npz or .csv file (default: RUN/codes.npz)")


def run(arguments: argparse.Namespace) -> int:
    """Encode, write, say where."""
    path = check_table_path(arguments.out or arguments.run / "codes.npz")
    if arguments.train and arguments.data:
        raise InputError(f"--train asks for the run's own training rows, and --data {arguments.data} for others: give one of them")
    opened = open_for(arguments)
    part, y, which = (
        (opened.trained, opened.train_y, f"{opened.configuration['data']}, {opened.trained.which}")
        if arguments.train
        else (opened.seen, opened.y, opened.which)
    )
    columns = {"row": np.arange(len(part.rows))}
    if part.labels is not None:
        columns["label"] = part.labels
    columns |= codes_of(opened.model, part.rows, y)
    write_table(path, columns)
    if arguments.json:
        shapes = {name: list(values.shape) for name, values in columns.items()}
        print(json.dumps({"run": str(opened.folder), "data": which, "rows": len(part.rows), "file": str(path), "columns": shapes}))
    else:
        print(f"{len(part.rows)} rows ({which}), codes of {opened.model.latent} numbers\n  {path}   {', '.join(columns)}")
    return 0


def codes_of(model: Model, x: Array, y: Array | None) -> dict[str, Array]:
    """The code of each row, and where it is a Gaussian its standard deviation."""
    if not model.has_posterior:
        return {"code": model.encode(x, y)}
    mu, sigma = model.posterior(x, y)
    return {"code": mu, "sigma": sigma}
