"""Encode and decode data with a trained run.

npae reconstruct runs/vae-digits                       the run's test or validation rows
npae reconstruct runs/ae-faces --data new_faces.npy    RUN/reconstructed.npz and RUN/figures/reconstructed.png
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from npae.cli.opened import add_run_arguments, open_for
from npae.data.scaling import undo_scaling
from npae.errors import InputError
from npae.evaluation.evaluate import squared_error
from npae.figures.reconstructions import reconstructions
from npae.figures.style import save
from npae.training.files import write_npz

SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, the data, and how many rows."""
    add_run_arguments(parser)
    parser.add_argument("--rows", type=int, help="only the first so many rows")


def run(arguments: argparse.Namespace) -> int:
    """Reconstruct, save, say where and how well."""
    if arguments.rows is not None and arguments.rows < 1:
        raise InputError(f"--rows {arguments.rows}: at least 1 is needed")
    opened = open_for(arguments)
    x = opened.rows[: arguments.rows]
    if opened.model.companion == "targets":
        raise InputError(
            f"{opened.folder} is a run of {opened.configuration.name}: its output is another thing than its input; see npae evaluate"
        )
    labels = None if opened.y is None else opened.y[: arguments.rows]
    codes, y = opened.model.encode(x, labels), opened.model.reconstruct(x, labels)
    errors = np.mean((y.astype(np.float64) - x) ** 2, axis=1)
    scaling = opened.dataset.scaling
    table = write_npz(
        opened.folder / "reconstructed.npz",
        x=undo_scaling(x, scaling),
        reconstruction=undo_scaling(y, scaling),
        code=codes,
        squared_error=errors,
    )
    picture = save(reconstructions(x[:SHOWN], y[:SHOWN], opened.dataset.image_shape), opened.folder / "figures" / "reconstructed.png")
    found = {
        "data": opened.which,
        "rows": len(x),
        "squared_error_per_feature": squared_error(x, y),
        "arrays": str(table),
        "picture": str(picture),
    }
    if arguments.json:
        print(json.dumps(found))
    else:
        print(f"{len(x)} rows ({opened.which}): squared error {found['squared_error_per_feature']:.5f} per feature")
        print(f"  {table}   x, reconstruction, code, squared_error\n  {picture}")
    return 0
