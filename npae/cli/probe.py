"""What simple methods find in the codes of a run, beside PCA codes of the same size and the rows themselves.

  npae probe runs/vae-mnist

Fitted to training rows, judged on the run's test or validation rows (or --data); both need labels:
  logistic     accuracy of a multinomial logistic regression on standardised columns
  neighbours   accuracy of the majority of the 5 nearest training rows
  NMI, ARI     how k-means groups, as many as classes, agree with the labels: 1 the same groups, 0 as by chance
Of more than 10,000 training or test rows a sample picked by the run's seed is taken.
"""

from __future__ import annotations

import argparse
import json

from npae.backend import Array
from npae.cli.opened import add_run_arguments, open_for
from npae.cli.screen import show, table_of
from npae.errors import InputError
from npae.evaluation.pca import fit_pca
from npae.evaluation.probe import Probe, probe
from npae.training.files import write_json
from npae.training.split import Part


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and other data to judge by."""
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Probe, store RUN/probe.json, print."""
    opened = open_for(arguments)
    model, trained, seen = opened.model, opened.trained, opened.seen
    for part, which in ((trained, f"{opened.configuration['data']}, {trained.which}"), (seen, opened.which)):
        if part.labels is None:
            raise InputError(
                f"a probe needs labels, and '{which}' have none; take data with labels: digits, mnist, or an .npz with 'x' and 'y'"
            )
    components = min(model.latent, model.features)
    pca = fit_pca(trained.rows, components)
    codes = (
        (f"codes of the {model.kind}", model.latent, model.encode(trained.rows, opened.train_y), model.encode(seen.rows, opened.y)),
        ("PCA", components, pca.encode(trained.rows), pca.encode(seen.rows)),
        ("rows themselves", model.features, trained.rows, seen.rows),
    )
    seed = opened.configuration["seed"]
    found = {name: (size, _probe(train, trained, test, seen, seed)) for name, size, train, test in codes}
    content = {
        "run": str(opened.folder),
        "data": opened.which,
        "probes": {name: {"numbers": size, **one.as_dict()} for name, (size, one) in found.items()},
    }
    write_json(opened.folder / "probe.json", content)
    if arguments.json:
        print(json.dumps(content, indent=1))
        return 0
    table = table_of("", "numbers", "logistic", "neighbours", "NMI", "ARI", right=(1, 2, 3, 4, 5))
    for name, (size, one) in found.items():
        table.add_row(name, str(size), *(f"{value:.4f}" for value in one.as_dict().values()))
    show(f"{opened.folder}: {opened.configuration.name}, {len(seen.rows)} rows of {opened.which}", table)
    return 0


def _probe(train: Array, trained: Part, test: Array, seen: Part, seed: int) -> Probe:
    assert trained.labels is not None
    assert seen.labels is not None
    return probe(train, trained.labels, test, seen.labels, seed=seed)
