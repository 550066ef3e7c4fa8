"""Look through an objective: what each setting does to loss and gradient, what each term weighs, whether it is a bound, what is wrong.

  npae audit runs/vae                         at the weights of its checkpoint
  npae audit flux-wae --data mnist            trained for 600 steps first (--steps), since at the start no term has its size yet
  npae audit my.toml --json
  npae audit vae --set free_bits=50           clamped: the KL has no gradient

slope: how the loss follows a setting, at fixed weights and noise. gradient: how far the gradient moves when the setting grows by half
(from 0 to 0.1). pull: 1 where the gradient of its term belongs to its value. beta and variance: in nats per row, whatever the reduction.
Exit status 1 if something is wrong (npae/inspection/audit.py lists what is); remarks, such as a term below 1 % of the loss, leave it at 0.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.markup import escape

from npae.cli.screen import show, table_of
from npae.cli.training_at import add_training, training_at
from npae.errors import InputError
from npae.inspection.audit import Audit, audit
from npae.inspection.findings import WRONG

STEPS = 600  # of a training that is no run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to audit, and after how many steps."""
    add_training(parser)
    parser.add_argument("--steps", type=int, metavar="N", help=f"steps to train first (default: {STEPS}; of a run, as many as it has)")


def run(arguments: argparse.Namespace) -> int:
    """Audit, print. Exit status 1 if something is wrong."""
    training = training_at(arguments, arguments.what, steps_of(arguments))
    found = audit(training.trainer, training.configuration)
    if arguments.json:
        print(json.dumps(found.as_dict(), indent=1, allow_nan=False))
    else:
        _print(found)
    return 1 if found.wrong else 0


def steps_of(arguments: argparse.Namespace) -> int | None:
    """How many steps are to be made first; None: as many as the run has."""
    if arguments.steps is not None and arguments.steps < 0:
        raise InputError(f"--steps {arguments.steps}: expected a number of steps of at least 0")
    return STEPS if arguments.steps is None and not Path(arguments.what).is_dir() else arguments.steps


def _print(found: Audit) -> None:
    about, amounts = found.about, found.effective
    show(f"{about['model']} after {about['step']} steps, {about['batches']} batches of {about['rows']} rows: loss {found.loss:.5g}", "")
    terms = table_of("term", "value", "weight", "weighted", "share", right=(1, 2, 3, 4))
    for term in found.terms:
        share = "watched" if term.share is None else f"{100 * term.share:.3g} %"
        terms.add_row(term.name, f"{term.value:.5g}", f"{term.weight:g}", f"{term.weight * term.value:.5g}", share)
    settings = table_of("setting", "value", "from", "slope", "gradient", "pull", right=(1, 3, 4, 5))
    for knob in found.knobs:
        gradient = f"{100 * knob.gradient_change:.3g} %" if knob.gradient_change else "still"
        pull = "" if knob.pull is None else f"{knob.pull:.2f}"
        settings.add_row(knob.key, f"{knob.value:g}", escape(knob.origin), f"{knob.slope:.4g}", gradient, pull)
    show(terms, "", settings, "")
    beta = "none" if amounts.beta is None else f"{amounts.beta:.6g}"
    variance = "" if amounts.variance is None else f", variance of the decoder at which beta 1 is the same: {amounts.variance:.6g}"
    show(f"beta in nats: {beta}{variance} ({amounts.says})")
    show(escape(f"lower bound of log p(x): {'yes' if found.bound.holds else 'no'}: {found.bound.why}"), "")
    for finding in found.findings:
        state = "[red]wrong[/red]" if finding.state == WRONG else "remark"
        show(f"{state}  {escape(finding.what)}: {escape(finding.says)}")
    if not found.wrong:
        show("nothing is wrong")
