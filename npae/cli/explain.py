"""Explain a layer, loss, model or kernel: formula, derivation step by step, shapes, source, and an example computed live.

  npae explain                              what there is to explain
  npae explain Dense                        three gradients from one product
  npae explain vae --hidden 256,64 --latent 4
  npae explain RBFMMD --html mmd.html       one self-contained page with typeset formulas
  npae explain --step vae                   the compiled training step, operation by operation
  npae explain Dense --json                 formula, steps, shapes, and every number of the example

The numbers of the example come from the formulas of the derivation; they are held to what the code computes, and the code's gradients to
finite differences. Exit status 1 if they disagree.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from rich.markup import escape

from npae.cli.screen import screen, show, table_of
from npae.cli.settings import add_settings, given_flags
from npae.errors import InputError, nearest
from npae.training.configuration import resolve

IMAGE = 28 * 28


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to explain, and the configuration whose shapes are shown."""
    parser.add_argument("name", nargs="?", metavar="LAYER|LOSS|MODEL|PRESET|KERNEL", help="what to explain; without it, a list")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page instead")
    parser.add_argument("--json", action="store_true", help="print it as JSON, the list and the compiled step too")
    parser.add_argument("--step", action="store_true", help="print the compiled training step of a model or preset, on its data")
    parser.add_argument("--features", type=int, metavar="N", help=f"of a row, for a model's shapes (default: {IMAGE}, an image of 28 x 28)")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """List, explain, or print the compiled step."""
    from npae.explain import catalogue
    from npae.models import MODELS
    from npae.presets import preset_names

    models = (*MODELS, *preset_names())
    if arguments.name is None:
        if arguments.step:
            raise InputError("--step needs a model or a preset, such as npae explain --step vae")
        if arguments.html:
            raise InputError(
                f"--html {arguments.html}: a page of what? Name what to explain, such as npae explain vae --html {arguments.html}"
            )
        if given_flags(arguments) or arguments.config or arguments.features is not None:
            raise InputError("settings are for the shapes of a model: name one, such as npae explain vae --latent 4")
        _list(as_json=arguments.json)
        return 0
    if arguments.step:
        if arguments.name not in models:
            raise InputError(
                f"--step {arguments.name}: it is a model or a preset that has a training step{nearest(arguments.name, models)}"
            )
        _print_step(arguments)
        return 0
    return _explain(arguments, catalogue.find(arguments.name).name, of_model=catalogue.find(arguments.name).name in MODELS)


def _explain(arguments: argparse.Namespace, name: str, *, of_model: bool) -> int:
    from npae.explain.catalogue import derivations
    from npae.explain.explanation import explain
    from npae.explain.shapes import NodeShapes, shapes

    flags, nodes, said = given_flags(arguments), list[NodeShapes](), ""
    if of_model:
        from npae.presets import preset_names

        configuration = resolve(arguments.name if arguments.name in preset_names() else name, file=arguments.config, flags=flags)
        features = IMAGE if arguments.features is None else arguments.features
        nodes = shapes(configuration, features)
        said = f"{configuration.name} on {features} features, batches of {configuration['batch_size']}"
    elif flags or arguments.config or arguments.features is not None:
        raise InputError(f"{name} is no model: settings and --features are for the shapes of one, such as npae explain vae --latent 4")
    explanation = explain(derivations()[name], nodes, said)
    if arguments.html:
        from npae.explain.page import page
        from npae.training.files import write_text

        write_text(arguments.html, page(explanation))
    if arguments.json:
        print(json.dumps(explanation.as_dict(), indent=1, allow_nan=False))
    elif arguments.html:
        print(f"{arguments.html}: {explanation.title}")
    else:
        from npae.explain.terminal import PIPED, print_explanation

        with screen(None if sys.stdout.isatty() else PIPED) as console:
            print_explanation(explanation, console)
    report = explanation.followed.worked.differences
    return 0 if explanation.holds and (report is None or report.passed) else 1


def _list(*, as_json: bool) -> None:
    from npae.explain.catalogue import derivations, registered, summary
    from npae.presets import preset, preset_names

    listed = {group: {name: summary(derivations()[name]) for name in names} for group, names in registered().items()}
    listed["presets"] = {name: preset(name).title for name in preset_names()}
    if as_json:
        print(json.dumps(listed, indent=1))
        return
    table = table_of("name", "what it is", title="npae explain NAME")
    for group, texts in listed.items():
        table.add_row("", "")
        table.add_row(f"[bold]{group}[/bold]", "")
        for name, text in texts.items():
            table.add_row(f"  {name}", escape(text))
    show(table)


def _print_step(arguments: argparse.Namespace) -> None:
    from npae.explain.compiled_step import operations
    from npae.training.run import prepare

    flags = given_flags(arguments) | {"step": "compiled"}
    if arguments.features is not None or arguments.html:
        raise InputError("--step reads the data, and prints: leave --features and --html out")
    training = prepare(resolve(arguments.name, file=arguments.config, flags=flags))
    compiled = training.trainer.several.compiled
    assert compiled is not None
    plan = compiled.plan(training.configuration["batch_size"])
    if arguments.json:
        about = {"name": arguments.name, "data": training.dataset.name, "rows": plan.batch, "threads": plan.threads}
        print(json.dumps({**about, "operations": [dataclasses.asdict(one) for one in operations(plan)]}, indent=1))
        return
    title = f"a training step of {arguments.name} on {training.dataset.name}, batches of {plan.batch}, threads: {plan.threads}"
    table = table_of("phase", "items", "operation", "makes", "width", "what it does", "code", title=title)
    before = -1
    for one in operations(plan):
        new = one.phase != before
        table.add_row(
            str(one.phase) if new else "", str(one.items) if new else "", one.kind, one.makes, one.width, escape(one.says), one.place
        )
        before = one.phase
    show(table)
