"""The settings of a training as words of the command line: a flag for those used most, `--set key=value` for every other.

`npae train`, and the verbs that train several runs, all take them; what a setting means stands in npae/training/options.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from npae.errors import InputError
from npae.training.option_values import parse
from npae.training.options import OPTIONS, help_text
from npae.training.options import option as option_of

DEVICES = {"cpu": "numba", "cuda": "cupy"}  # other words for a backend


def add_settings(parser: argparse.ArgumentParser, *, without: tuple[str, ...] = ()) -> None:
    """Flags from the table of options, `--set` and `--config`; not those keys, which the verb itself decides."""
    for option in OPTIONS.values():
        if option.flag and option.key not in without:
            parser.add_argument(
                "--" + option.key.replace("_", "-"), dest=option.key, metavar=option.kind.upper().replace(" ", "_"), help=help_text(option)
            )
    if "backend" not in without:
        parser.add_argument("--device", choices=[*DEVICES], help="the backend by what it runs on: cpu is numba, cuda is cupy")
    if "step" not in without:
        parser.add_argument("--eager", action="store_true", help="on a GPU: no CUDA graph, each launch by itself; the same numbers")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any other setting; see the list below")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a TOML file of settings, such as a run's config.toml")
    others = "\n".join(f"  {option.key:<20} {help_text(option)}" for option in OPTIONS.values() if not option.flag)
    parser.epilog = f"settings for --set and --config:\n{others}"


def given_flags(arguments: argparse.Namespace, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Options given as flags or with --set, parsed."""
    flags = [key for key, option in OPTIONS.items() if option.flag and key not in without]
    texts = {key: getattr(arguments, key) for key in flags if getattr(arguments, key) is not None}
    said = {f"--device {device}": ("backend", name) for device, name in DEVICES.items() if getattr(arguments, "device", None) == device}
    said |= {"--eager": ("step", "eager")} if getattr(arguments, "eager", False) else {}
    for flag, (key, value) in said.items():
        if texts.get(key, value) != value:
            raise InputError(f"{flag} means {key} {value}, and {key} {texts[key]} is given too; give one of them")
        texts[key] = value
    for pair in arguments.set:
        key, equals, text = pair.partition("=")
        if not equals:
            raise InputError(f"--set {pair}: expected key=value, such as --set activation=elu")
        known = option_of(key).key
        if known in without:
            raise InputError(f"--set {pair}: this verb decides {known} itself; leave it out")
        if known in texts:
            raise InputError(f"{known} is given twice, as {texts[known]} and as {text}; give it once")
        texts[known] = text
    return {key: parse(key, text) for key, text in texts.items()}
