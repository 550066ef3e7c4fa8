"""Lay one training step open: for every node the activation and its gradient, the parameters' update, what it costs.

  npae trace runs/vae                           the step that the run would make next
  npae trace runs/vae --step 1                  its first step: trained again from its seed, if need be
  npae trace flux-vae --step 600 --picture flow.png
  npae trace vae --set activation=relu --json
  npae trace vae --npz a.npz; npae trace vae --dtype float64 --npz b.npz; npae trace --diff a.npz b.npz
  npae trace --diff runs/a runs/b --step 100

y is what a node's forward returned, dy the gradient of the objective that comes back for it: mean, std, smallest, largest, and |dy| its
norm. dead: the share of units that let hardly any gradient through in any row of the batch; idle: the share of single values.
update: how far Adam moves a parameter, as a share of its norm; about 0.001 is healthy. Times are medians of five steps.
--diff names the first tensor, in the order of the step, in which two traces part, beyond --tolerance (default: 100 units in the last
place of the coarser dtype). Of two runs the same --step is taken. Exit status 1: they part, or something in the step is not finite.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from rich.markup import escape

from npae.cli.screen import show, table_of
from npae.cli.training_at import add_training, training_at
from npae.errors import InputError
from npae.inspection.flow import Flow, NodeFlow, lay_open
from npae.inspection.reach import coming_rows
from npae.inspection.trace_diff import Difference, Parting, compare
from npae.inspection.trace_file import Stored, of_flow, read_trace, write_trace
from npae.training.repro import Step

SHOWN = 12  # tensors from the first that parts on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to lay open, and where to put it."""
    add_training(parser, optional=True)
    parser.add_argument("--step", type=int, metavar="N", help="the N-th step, from 1 (default: the next of a run, the first of a model)")
    parser.add_argument("--npz", type=Path, metavar="FILE", help="write every tensor to FILE.npz")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the flow of gradients to FILE.png or FILE.svg")
    parser.add_argument("--diff", nargs=2, metavar=("A", "B"), help="two runs, or files that --npz or --json wrote")
    parser.add_argument("--tolerance", type=float, metavar="SHARE", help="largest relative difference at which two tensors are the same")


def run(arguments: argparse.Namespace) -> int:
    """Lay open, or compare; print."""
    if arguments.step is not None and arguments.step < 1:
        raise InputError(f"--step {arguments.step}: steps count from 1")
    if arguments.diff:
        return _diff(arguments)
    if arguments.what is None:
        raise InputError("nothing to trace: name a run or a model, such as npae trace vae, or two traces with --diff A B")
    if arguments.tolerance is not None:
        raise InputError(f"--tolerance {arguments.tolerance} belongs to --diff A B; leave it out")
    if arguments.npz and arguments.npz.suffix != ".npz":
        raise InputError(f"--npz {arguments.npz}: expected a name that ends in .npz")
    flow, notes = _flow(arguments, arguments.what)
    if arguments.npz:
        write_trace(arguments.npz, flow)
    if arguments.picture:
        from npae.figures.gradient_flow import gradient_flow
        from npae.figures.style import save

        save(gradient_flow(flow), arguments.picture)
    if arguments.json:
        print(json.dumps(flow.as_dict(), indent=1, allow_nan=False))
    else:
        _print(flow, notes)
    return 1 if flow.trace.first or flow.trace.refusal else 0


def _flow(arguments: argparse.Namespace, what: str) -> tuple[Flow, str]:
    """The step, and what the model says has to be said beside its terms."""
    training = training_at(arguments, what, None if arguments.step is None else arguments.step - 1)
    return lay_open(Step.of(training.trainer, coming_rows(training.trainer), "")), training.model.caveat


def _print(flow: Flow, caveat: str) -> None:
    about, total = flow.about, sum(value * weight for value, weight in flow.terms.values() if weight)
    head = f"step {about['step']} of a {about['model']}, {about['rows']} rows, {about['dtype']}, backend {about['backend']}"
    table = table_of(
        "node", "kind", "shape", "y mean", "std", "min", "max", "dy mean", "std", "min", "max", "|dy|", "idle", "dead", "|dW|", "update",
        "Mflop", "MB", "ms", title=head, right=tuple(range(3, 19)),
    )  # fmt: skip
    for node in flow.nodes:
        table.add_row(*_cells(node))
    terms = ", ".join(f"{name} {value:.6g}" + ("" if weight == 1 else f" x {weight:g}") for name, (value, weight) in flow.terms.items())
    show(table, escape(f"loss {total:.6g} = {terms}"), *([caveat] if caveat else []))
    if flow.trace.refusal:
        show(escape(f"the step ends early: {flow.trace.refusal}"))
    if flow.trace.first:
        show(escape(f"first not finite: {flow.trace.first.place}"))


def _cells(node: NodeFlow) -> list[str]:
    y = [_number(value) for value in (node.y_mean, node.y_std, node.y_min, node.y_max)]
    dy = [_number(value) for value in (node.dy_mean, node.dy_std, node.dy_min, node.dy_max, node.dy_norm)]
    share = [("" if value is None else f"{100 * value:.0f} %") for value in (node.idle, node.dead)]
    update = "  ".join(f"{name} {_number(value) or '-'}" for name, value in node.update.items())
    cost = [f"{(node.flops_forward + node.flops_backward) / 1e6:.2f}", f"{node.bytes / 1e6:.2f}"]
    seconds = None if node.seconds_forward is None or node.seconds_backward is None else node.seconds_forward + node.seconds_backward
    time = "" if seconds is None else f"{1e3 * seconds:.3f}"
    shape = " x ".join(map(str, node.shape)) or "number"
    return [node.node, node.kind, shape, *y, *dy, *share, _number(node.gradient_norm), update, *cost, time]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _diff(arguments: argparse.Namespace) -> int:
    if arguments.what is not None or arguments.npz or arguments.picture:
        raise InputError("--diff A B compares two traces and writes nothing: leave out everything else but --step, --tolerance and --json")
    a, b = (_stored(arguments, one) for one in arguments.diff)
    found = compare(a, b, arguments.tolerance)
    if arguments.json:
        first = None if found.first is None else found.first.tensor
        rows = [dataclasses.asdict(row) for row in found.rows]
        print(json.dumps({"a": a.about, "b": b.about, "tolerance": found.tolerance, "first": first, "tensors": rows}, indent=1))
    else:
        _print_difference(found, a, b)
    return 1 if found.first else 0


def _stored(arguments: argparse.Namespace, what: str) -> Stored:
    return of_flow(_flow(arguments, what)[0]) if Path(what).is_dir() else read_trace(Path(what))


def _print_difference(found: Difference, a: Stored, b: Stored) -> None:
    for name, stored in (("A", a), ("B", b)):
        about = stored.about
        show(f"{name}: step {about['step']} of a {about['model']}, {about['rows']} rows, {about['dtype']}, backend {about['backend']}")
    if found.first is None:
        largest = max(found.rows, key=lambda row: row.relative or 0.0)
        worst = f"the largest relative difference is {largest.relative:.1e}, in {largest.tensor}"
        show(f"the two agree in {len(found.rows)} tensors within {found.tolerance:.1e}: {worst}")
        return
    place = found.rows.index(found.first)
    shown = found.rows[max(0, place - 2) : place + SHOWN]
    table = table_of("tensor", "shape", "largest difference", "relative", "at", "A", "B", "", right=(2, 3, 5, 6))
    for row in shown:
        table.add_row(*_difference_cells(row, row is found.first))
    parting = sum(row.parts for row in found.rows)
    show(
        table, f"they part first in {found.first.tensor}; {parting} of {len(found.rows)} tensors differ by more than {found.tolerance:.1e}"
    )


def _difference_cells(row: Parting, first: bool) -> list[str]:
    index = escape(f"[{', '.join(map(str, row.index))}]") if row.index else ""
    relative = "" if row.relative is None else f"{row.relative:.1e}"
    mark = "parts first" if first else "parts" if row.parts else ""
    a, b = ("" if value is None else f"{value:.9g}" for value in (row.a, row.b))
    shape = " x ".join(map(str, row.shape)) or "number"
    return [row.tensor, shape, _number(row.difference), relative, index, a, b, f"{mark} {escape(row.says)}".strip()]
