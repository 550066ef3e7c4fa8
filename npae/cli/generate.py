"""Draw new data from a trained run: codes from the prior, decoded.

  npae generate runs/vae-digits                     RUN/generated.npz and RUN/figures/generated.png
  npae generate runs/vae-digits --rows 16 --seed 3

A plain autoencoder has no prior: its codes come from a Gaussian fitted to the codes of its training rows.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from npae.data.binarise import binarise_held_out
from npae.data.scaling import undo_scaling
from npae.figures.run_figures import draw_samples
from npae.figures.samples import samples
from npae.figures.style import save
from npae.training.files import write_npz
from npae.training.run import load_dataset, open_run, split_of

SHOWN = 100  # in the picture; the arrays hold all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and how many."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder made by npae train")
    parser.add_argument("--rows", type=int, default=60, help="how many to draw (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: 0)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Draw, save, say where."""
    configuration, model = open_run(arguments.run)
    dataset = load_dataset(configuration)
    like = binarise_held_out(split_of(configuration, dataset).train.rows, configuration["binarise"], configuration["seed"])
    x = draw_samples(model, arguments.rows, seed=arguments.seed, like=like)
    table = write_npz(arguments.run / "generated.npz", x=undo_scaling(x, dataset.scaling))
    picture = save(samples(x[:SHOWN], dataset.image_shape), arguments.run / "figures" / "generated.png")
    origin = "a Gaussian fitted to the training codes (a plain autoencoder has no prior)" if not model.has_prior else "the prior N(0, I)"
    if arguments.json:
        print(json.dumps({"rows": len(x), "codes_from": origin, "arrays": str(table), "picture": str(picture)}))
    else:
        print(f"{len(x)} rows, codes from {origin}\n  {table}   x {x.shape}, in the units of the data\n  {picture}")
    return 0
