"""Compare every hand-written gradient with finite differences of the whole objective, in float64.

  npae gradcheck                every layer, loss and model
  npae gradcheck vae            the VAE in each of its forms
  npae gradcheck mmd.rbf --json

Exit status 0 if every relative error is at most 1e-7 and every Taylor order is 2, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json

from rich.markup import escape

from npae.backend import backend
from npae.cli.screen import show, table_of
from npae.inspection.gradcheck import check
from npae.inspection.report import TOLERANCE, Report, TensorCheck
from npae.inspection.subjects import chosen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check, and how to say it."""
    parser.add_argument(
        "what", nargs="?", default="all", metavar="MODEL|LAYER|LOSS|all", help="a name, or layers, losses, models (default: all)"
    )
    parser.add_argument("--backend", help="numpy, numba or cupy: whose kernels to check")
    parser.add_argument("--entries", type=int, default=100, help="elements of each tensor to difference (default: 100)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check, print, and say so in the exit status."""
    used = backend(arguments.backend)
    report = Report(())
    for subject in chosen(arguments.what):
        report += check(subject.make(used), entries=arguments.entries)
    if arguments.json:
        print(json.dumps({"backend": used.name, **report.as_dict()}, indent=1))
    else:
        _print(report, used.name)
    return 0 if report.passed else 1


def _print(report: Report, backend_name: str) -> None:
    headings = ("checked", "tensor", "shape", "elements", "largest relative error", "at", "Taylor order", "")
    table = table_of(*headings, title=f"gradients against finite differences, float64, backend {backend_name}", right=(3, 4, 6))
    before = ""
    for row in report:
        shape = "x".join(map(str, row.shape))
        error = f"{row.error:.1e}"
        table.add_row(
            row.subject if row.subject != before else "",
            row.tensor,
            shape,
            str(row.checked),
            error,
            escape(str(list(row.index))),
            _order(row),
            _verdict(row),
        )
        before = row.subject
    show(table, escape(str(report)))


def _order(row: TensorCheck) -> str:
    return "linear" if row.order == float("inf") else f"{row.order:.2f}"


def _verdict(row: TensorCheck) -> str:
    if row.passed:
        return "ok"
    if row.error > TOLERANCE or row.error != row.error:
        return f"[red]WRONG[/red]: by hand {row.analytic:.9g}, by differences {row.numeric:.9g}"
    return "[red]WRONG[/red]: Taylor order"
