"""Make one training step again, from the file that the guard wrote of a step that was not finite, with every node laid open.

  npae replay-step runs/vae/guard/step-00000812.safetensors
  npae replay-step FILE --backend numpy       the readable kernels: is it the step, or the fast form of it?
  npae replay-step FILE --json

For every node: y, what its forward returned; dx, what its backward returned; its parameters and their gradients (W, dW); their shape, mean,
std, min and max over the finite values, and how many are not finite, the first of them by index. The file holds all that the step depends
on: neither the run nor its data are needed. Exit status 1 if anything is not finite.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from npae.backend import NAMES
from npae.cli.screen import show, table_of
from npae.errors import InputError, nearest
from npae.inspection.trace import Row, Trace
from npae.training.guard import trace
from npae.training.repro import Step, read_step


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, and what to compute with."""
    parser.add_argument("file", type=Path, metavar="FILE", help="RUN/guard/step-NUMBER.safetensors")
    parser.add_argument("--backend", metavar="NAME", help=f"one of {', '.join(NAMES)} (default: the one it was made with)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Make the step, print. Exit status 1 if anything in it is not finite."""
    if arguments.backend is not None and arguments.backend not in NAMES:
        raise InputError(f"--backend {arguments.backend}: not one of {', '.join(NAMES)}{nearest(arguments.backend, NAMES, listed=True)}")
    step = read_step(arguments.file, backend=arguments.backend)
    found = trace(step)
    if arguments.json:
        content = {"file": str(arguments.file), "step": step.steps + 1, "backend": step.model.backend.name, "said": step.message}
        first = None if found.first is None else found.first.place
        rows = [dataclasses.asdict(row) for row in found.rows]
        print(json.dumps({**content, "first": first, "refusal": found.refusal, "tensors": rows}, indent=1, allow_nan=False))
    else:
        _print(step, found)
    return 1 if found.first or found.refusal else 0


def _print(step: Step, found: Trace) -> None:
    table = table_of("node", "kind", "tensor", "shape", "mean", "std", "min", "max", "not finite", right=(4, 5, 6, 7))
    for row in found.rows:
        shape = " x ".join(map(str, row.shape)) or "number"
        table.add_row(row.node, row.kind, row.tensor, shape, *map(_number, (row.mean, row.std, row.min, row.max)), _bad(row))
    model = step.model
    show(f"step {step.steps + 1} of a {model.kind}, {len(step.x)} rows, backend {model.backend.name}, {model.dtype}", table)
    show(f"said when it was stored: {step.message}")
    if found.refusal:
        show(f"the step ends early: {found.refusal}")
    if found.first is not None:
        rows = ", ".join(f"{row} (training row {step.rows[row]})" for row in found.first.rows[:5])
        more = f" and {len(found.first.rows) - 5} more" if len(found.first.rows) > 5 else ""
        show(f"first not finite: {found.first.place}" + (f"; batch rows {rows}{more}" if rows else ""))
    elif not found.refusal:
        show("every value is finite")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _bad(row: Row) -> str:
    """12 of 800, first [3, 0] nan"""
    if not row.bad:
        return ""
    size = 1
    for length in row.shape:
        size *= length
    index = f" [{', '.join(map(str, row.first))}]" if row.first else ""
    return f"{row.bad} of {size}, first{index} {row.value}"
