"""How many latent dimensions are enough? Train one run for each size, and compare what they rebuild with PCA of as many components.

  npae sweep ae --data mnist --latent 2,4,8,16,32 --epochs 10
  npae sweep vae --latent 1,2,4,8 --set beta=0.5

Every other setting is that of npae train. The runs lie in --out (default: runs/sweep-MODEL-DATA), a folder each: latent-2, latent-4, ...
Ctrl-C keeps what is done, and the same command goes on from there; more sizes can be added in the same way. Beside them sweep.json and
sweep.png: the squared error per feature on the test or validation rows. Where the line flattens, more dimensions bring no more.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from npae.cli.opened import open_for
from npae.cli.screen import show, table_of
from npae.cli.series import trained_run
from npae.cli.settings import add_settings, given_flags
from npae.errors import InputError
from npae.evaluation.evaluate import squared_error
from npae.evaluation.pca import PCA, fit_pca
from npae.figures.style import save
from npae.figures.sweep import sweep
from npae.models import MODELS, Model, model_class
from npae.presets import preset_names
from npae.training.configuration import Configuration, resolve
from npae.training.files import write_json

SIZES = "2,4,8,16,32"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train, the sizes, and the settings of a training."""
    parser.add_argument("model", metavar="MODEL", help=f"a model: {', '.join(MODELS)}; or a preset: {', '.join(preset_names())}")
    parser.add_argument("--latent", metavar="SIZES", default=SIZES, help=f"the sizes of the code (default: {SIZES})")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the runs lie (default: runs/sweep-MODEL-DATA)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, progress on standard error")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_settings(parser, without=("latent",))


def run(arguments: argparse.Namespace) -> int:
    """Train each size, compare, print."""
    sizes = _sizes(arguments.latent)
    plain = resolve(arguments.model, file=arguments.config, flags=given_flags(arguments, without=("latent",)))
    _check_rebuilds(model_class(plain.model))
    folder = arguments.out or Path("runs") / f"sweep-{plain.name}-{Path(plain['data']).stem}"
    rows: list[dict[str, Any]] = []
    try:
        for row in _trained(plain, sizes, folder, quiet=arguments.quiet):
            rows.append(row)
    except KeyboardInterrupt:
        pass  # what is done is shown below, and the status says that it is not all
    finished = len(rows) == len(sizes)
    content: dict[str, Any] = {"model": plain.name, "finished": finished, "runs": rows}
    if rows:
        content["picture"] = str(_draw(rows, plain.name, folder / "sweep.png"))
        write_json(folder / "sweep.json", content)
    print(json.dumps(content, indent=1)) if arguments.json else _print(content, len(sizes), folder)
    return 0 if finished else 130


def _sizes(text: str) -> list[int]:
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise InputError(f"--latent '{text}' is not a list of sizes; expected whole numbers, such as {SIZES}") from None
    if sizes[0] < 1:
        raise InputError(f"--latent '{text}': a code has at least 1 number; expected sizes such as {SIZES}")
    return sizes


def _trained(plain: Configuration, sizes: list[int], folder: Path, *, quiet: bool) -> Iterator[dict[str, Any]]:
    """A row of the table for each size, once its run is trained."""
    pca: PCA | None = None
    for number, size in enumerate(sizes, start=1):
        place = folder / f"latent-{size}"
        trained_run(_with_latent(plain, size), place, title=f"latent {size} ({number} of {len(sizes)})", quiet=quiet)
        opened = open_for(argparse.Namespace(run=place, data=None))
        features = opened.model.features
        pca = pca or fit_pca(opened.train, min(sizes[-1], features))
        yield {
            "latent": size,
            "squared_error": squared_error(opened.rows, opened.model.reconstruct(opened.rows, opened.y)),
            "pca_squared_error": squared_error(opened.rows, pca.first(min(size, features)).reconstruct(opened.rows)),
            "data": opened.which,
            "run": str(place),
        }


def _check_rebuilds(model: type[Model]) -> None:
    if not model.has_encoder or model.companion == "targets":
        raise InputError(
            f"this {model.kind} does not rebuild its rows, so there is no error to compare; take a model that does, such as ae or vae"
        )


def _with_latent(plain: Configuration, size: int) -> Configuration:
    return Configuration(plain.name, plain.model, plain.values | {"latent": size}, plain.origins | {"latent": "flag"})


def _draw(rows: list[dict[str, Any]], name: str, path: Path) -> Path:
    latents, errors, pca_errors = ([row[key] for row in rows] for key in ("latent", "squared_error", "pca_squared_error"))
    return save(sweep(latents, errors, pca_errors, name=name), path)


def _print(content: dict[str, Any], sizes: int, folder: Path) -> None:
    rows = content["runs"]
    if rows:
        table = table_of("latent", "squared error per feature", "PCA", "ratio", "run", right=(0, 1, 2, 3))
        for row in rows:
            mine, pca = row["squared_error"], row["pca_squared_error"]
            table.add_row(str(row["latent"]), f"{mine:.5f}", f"{pca:.5f}", f"{mine / pca:.3f}" if pca else "", row["run"])
        show(f"{content['model']} on {rows[0]['data']}", table, f"  {folder / 'sweep.json'}\n  {content['picture']}")
    if not content["finished"]:
        show(f"stopped after {len(rows)} of {sizes} sizes; the same command goes on from there")
