"""Do two samples come from one distribution? A permutation test with the kernel two-sample statistic MMD^2.

  npae test a.npy b.npy                          two files of rows
  npae test runs/vae-mnist mnist                 what a run draws against test rows: are its samples like the data?
  npae test runs/vae-mnist runs/wae-mnist        what two runs draw
  npae test mnist fashion-mnist --rows 200 --picture differ.png
  npae test yesterday.csv today.csv --scale standard --alpha 0.01       exit status 1 where p <= 0.01
  npae test --calibrate                          how often this test is wrong, and what it sees: minutes

A and B are each a run folder or data as --data of npae train takes it: a name, a .npy, .npz or .csv, a folder of PNGs. Of data the test
rows are taken, or all rows where there are no test rows; a run draws samples. The same data twice is dealt into two halves.

p is the share of random relabellings of all rows, the one seen counted too, whose two groups are at least as far apart as A and B. If A
and B are of one distribution, p <= 0.05 happens in 5 of 100 tests, whatever the distribution, and nothing is approximated. A large p does
not prove them alike: few rows see large differences only. Features that are measured in different units want --scale standard.
A bandwidth is fair if it was not chosen by looking at these rows; without one it is the median squared distance between any two of them.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from npae.backend import Array
from npae.cli.calibration_report import calibrate
from npae.cli.two_sample_report import as_dict, show_found
from npae.cli.two_samples import SCALES, Sample, two_samples
from npae.errors import InputError
from npae.evaluation.two_sample import TwoSampleTest, two_sample_test
from npae.evaluation.witness import most_unlike

SHOWN = 10  # rows of each sample that are least like the other


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two samples, how many rows of each, and what to do with the answer."""
    parser.add_argument("samples", nargs="*", metavar="A B", help="two of: a run folder, a name of data, a file, a folder")
    parser.add_argument("--rows", type=int, default=1000, help="at most so many of each (default: 1000)")
    parser.add_argument("--permutations", type=int, default=1000, help="random relabellings: p is at least 1/(1 + this) (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the relabellings, and of which rows and samples (default: 0)")
    parser.add_argument("--bandwidth", type=float, metavar="SIGMA2", help="the kernel is exp(-d^2 / (2 SIGMA2)) (default: the median d^2)")
    parser.add_argument("--scale", choices=SCALES, default="none", help="of each feature, over A and B together (default: none)")
    parser.add_argument("--alpha", type=float, help="exit with status 1 where p is at most this (default: exit 0 whatever p is)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="what chance gives and what was seen, and the rows that differ most")
    parser.add_argument("--calibrate", action="store_true", help="instead of A and B: level and power on a problem with a known answer")
    parser.add_argument("--runs", type=int, help="with --calibrate: tests for the level; a tenth for each power (default: 1000)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Compare, print."""
    _check_picture(arguments.picture)
    if arguments.calibrate:
        return _calibrate(arguments)
    if len(arguments.samples) != 2:
        raise InputError(f"A B: expected two samples, such as npae test a.npy b.npy; given: {', '.join(arguments.samples) or 'none'}")
    _check(arguments)
    a, b = two_samples(*arguments.samples, rows=arguments.rows, seed=arguments.seed, scale=arguments.scale)
    options = {"permutations": arguments.permutations, "seed": arguments.seed, "bandwidth": arguments.bandwidth}
    found = two_sample_test(a.rows, b.rows, **options)
    unlike = most_unlike(a.rows, b.rows, found.bandwidth, SHOWN)
    picture = _draw(arguments.picture, a, b, found, unlike) if arguments.picture else None
    result = as_dict(a, b, found, unlike, scale=arguments.scale, seed=arguments.seed, alpha=arguments.alpha)
    result |= {"picture": str(picture)} if picture else {}
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        show_found(a, b, found, result)
    return int(arguments.alpha is not None and found.p_value <= arguments.alpha)


def _calibrate(arguments: argparse.Namespace) -> int:
    if arguments.samples:
        raise InputError(f"--calibrate draws its own samples; leave {' and '.join(arguments.samples)} out, or --calibrate")
    calibrate(1000 if arguments.runs is None else arguments.runs, seed=arguments.seed, picture=arguments.picture, as_json=arguments.json)
    return 0


def _check_picture(path: Path | None) -> None:
    """That it can be written, before anything is computed."""
    if path and path.suffix.lower() not in (".png", ".svg"):
        raise InputError(f"--picture {path}: expected a name that ends in .png or .svg")
    if path and not path.parent.is_dir():
        raise InputError(f"--picture {path}: the folder {path.parent} does not exist; create it first")


def _check(arguments: argparse.Namespace) -> None:
    """What can be refused before anything is read."""
    if arguments.runs is not None:
        raise InputError(f"--runs {arguments.runs} is for --calibrate; leave it out (--rows says how many rows are compared)")
    if arguments.rows < 2:
        raise InputError(f"--rows {arguments.rows}: at least 2 are needed, hundreds to see anything")
    if arguments.permutations < 1:
        raise InputError(f"--permutations {arguments.permutations}: at least 1 is needed, 1000 for p-values down to 0.001")
    if arguments.bandwidth is not None and not 0 < arguments.bandwidth < float("inf"):
        raise InputError(f"--bandwidth {arguments.bandwidth:g}: expected a finite number above 0, the sigma^2 of the kernel")
    if arguments.alpha is None:
        return
    if not 0 < arguments.alpha < 1:
        raise InputError(f"--alpha {arguments.alpha:g}: expected a number between 0 and 1, such as 0.05")
    if arguments.alpha < 1 / (1 + arguments.permutations):
        raise InputError(
            f"--alpha {arguments.alpha:g}: {arguments.permutations} permutations give no p below {1 / (1 + arguments.permutations):.2g}; "
            f"give at least --permutations {math.ceil(1 / arguments.alpha) - 1}"
        )


def _draw(path: Path, a: Sample, b: Sample, found: TwoSampleTest, unlike: tuple[Array, Array]) -> Path:
    """The histogram, with the rows that differ most where they are images."""
    from npae.figures.null_histogram import null_histogram
    from npae.figures.style import save

    named = {f"rows of A, {a.name}, least like B": a.rows[unlike[0]], f"rows of B, {b.name}, least like A": b.rows[unlike[1]]}
    shape = a.image_shape or b.image_shape
    return save(null_histogram(found.null, found.mmd2, found.p_value, named=named, image_shape=shape), path)
