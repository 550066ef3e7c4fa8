"""Draw new data from a trained run: codes from the prior, decoded.

  npae generate runs/vae-digits                     RUN/generated.npz and RUN/figures/generated.png
  npae generate runs/vae-digits --rows 16 --seed 3
  npae generate runs/cvae-digits                    every class in turn, a column each in the picture
  npae generate runs/cvae-digits --label 3          threes

  npae generate runs/ae-mnist --sampler mixture     codes from a mixture of Gaussians, beside the model's own sampler

A plain autoencoder has no prior: its codes come from a Gaussian fitted to the codes of its training rows, or better, since they lie in
groups, from a mixture of Gaussians. figures/samplers.png then shows both ways side by side.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from npae.backend import Array
from npae.cli.code_sampler import SAMPLERS, draw, origin_of, own_sampler
from npae.data.binarise import binarise_held_out
from npae.data.scaling import undo_scaling
from npae.errors import InputError
from npae.figures.beside import beside
from npae.figures.samples import samples
from npae.figures.samples_by_label import samples_by_label
from npae.figures.style import save
from npae.models import Model
from npae.training.files import write_npz
from npae.training.run import load_dataset, open_run, split_of

COMPONENTS = 10  # of a mixture
SHOWN = 100  # in the picture; the arrays hold all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and how many."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder made by npae train")
    parser.add_argument("--rows", type=int, default=60, help="how many to draw (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: 0)")
    parser.add_argument("--label", type=int, help="of which class, for a model that reads labels (default: every class in turn)")
    parser.add_argument("--sampler", choices=SAMPLERS, help="where codes come from (default: prior; gaussian where a model has none)")
    parser.add_argument("--components", type=int, help="Gaussians in the mixture (default: 10)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Draw, save, say where."""
    configuration, model = open_run(arguments.run)
    sampler, components = _sampler(model, arguments)
    y = _labels(model, arguments.rows, arguments.label)
    dataset = load_dataset(configuration)
    train = split_of(configuration, dataset).train
    like = binarise_held_out(train.rows, configuration["binarise"], configuration["seed"])
    like_y = train.companion(type(model), dataset.name)

    def drawn(sampler: str) -> Array:
        return draw(model, sampler, arguments.rows, seed=arguments.seed, y=y, like=like, like_y=like_y, components=components)

    x, shape = drawn(sampler), dataset.image_shape
    shown = samples(x[:SHOWN], shape) if y is None else samples_by_label(x[:SHOWN], y[:SHOWN], shape, dataset.label_names)
    table = write_npz(arguments.run / "generated.npz", x=undo_scaling(x, dataset.scaling), **({} if y is None else {"y": y}))
    pictures = [save(shown, arguments.run / "figures" / "generated.png")]
    if sampler != own_sampler(model) and shape is not None:
        blocks = {own_sampler(model): drawn(own_sampler(model))[:SHOWN], sampler: x[:SHOWN]}
        pictures.append(save(beside(blocks, shape), arguments.run / "figures" / "samplers.png"))
    origin = origin_of(sampler, components)
    if arguments.json:
        print(
            json.dumps({"rows": len(x), "label": arguments.label, "codes_from": origin, "arrays": str(table), "picture": str(pictures[0])})
        )
        return 0
    of, contents = "", f"x {x.shape}, in the units of the data"
    if y is not None:
        of = f" of {model.spec['classes']} classes in turn" if arguments.label is None else f" of class {arguments.label}"
        contents += f"; y {y.shape}, their labels"
    print(f"{len(x)} rows{of}, codes from {origin}\n  {table}   {contents}", *pictures, sep="\n  ")
    return 0


def _sampler(model: Model, arguments: argparse.Namespace) -> tuple[str, int]:
    """The sampler, and the number of Gaussians of a mixture."""
    if arguments.components is not None and arguments.sampler != "mixture":
        raise InputError(f"--components {arguments.components} is for a mixture; add --sampler mixture, or leave it out")
    return arguments.sampler or own_sampler(model), COMPONENTS if arguments.components is None else arguments.components


def _labels(model: Model, rows: int, label: int | None) -> Array | None:
    """The class of each row that is to be drawn, for a model that reads it."""
    if model.companion == "targets":
        raise InputError(f"this run is a {model.kind} model, which turns rows into their targets and draws none; see npae translate")
    if label is None:
        return np.arange(rows) % model.spec["classes"] if model.companion == "labels" else None
    if model.companion != "labels":
        raise InputError(f"--label {label}: this run is a {model.kind}, which reads no labels; leave it out, or train a cvae")
    classes: int = model.spec["classes"]
    if not 0 <= label < classes:
        raise InputError(f"--label {label}: this run has {classes} classes, 0 to {classes - 1}; give one of them")
    return np.full(max(rows, 0), label)
