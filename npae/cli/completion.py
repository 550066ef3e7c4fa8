"""Print a script that completes npae's verbs, options, choices and run folders in a shell.

  npae completion bash > ~/.local/share/bash-completion/completions/npae
  npae completion zsh > ~/.npae-completion.zsh      and  source ~/.npae-completion.zsh  in ~/.zshrc, after compinit
  npae completion fish > ~/.config/fish/completions/npae.fish

The script is made from the verbs' own options: make it again after an update.
"""

from __future__ import annotations

import argparse
import importlib
from typing import NamedTuple

from npae.cli import VERBS
from npae.cli.completion_scripts import SCRIPTS
from npae.data.catalogue import CATALOGUE
from npae.models import MODELS
from npae.presets import preset_names
from npae.training.options import OPTIONS


class Value(NamedTuple):
    """What may stand in a place: these words, a run folder, or whatever file there is."""

    words: tuple[str, ...] = ()
    runs: bool = False


class Words(NamedTuple):
    """What completes a verb: what may follow each option (None: nothing does), what may stand without one, and what options mean."""

    options: dict[str, Value | None]
    others: Value
    meanings: dict[str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", metavar="bash|zsh|fish", choices=tuple(SCRIPTS), help="whose language the script is in")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    settings = {key: _choices(key) for key in OPTIONS}
    print(SCRIPTS[arguments.shell]({verb: words_of(verb) for verb in VERBS}, settings), end="")
    return 0


def words_of(verb: str) -> Words:
    """The words of a verb, from its own parser."""
    parser = argparse.ArgumentParser(prog=f"npae {verb}")
    importlib.import_module(f"npae.cli.{verb.replace('-', '_')}").add_arguments(parser)
    options: dict[str, Value | None] = {}
    meanings: dict[str, str] = {}
    others = Value()
    for action in parser._actions:
        value = None if action.nargs == 0 else _value(action)
        for option in action.option_strings:
            options[option], meanings[option] = value, (action.help or "").replace("%%", "%")
        if not action.option_strings and value:
            others = Value((*others.words, *value.words), others.runs or value.runs)
    options.setdefault("--quiet", None)
    return Words(options, others, meanings)


def _value(action: argparse.Action) -> Value:
    """What may follow an option, or stand in the place of an argument."""
    named = str(action.metavar or action.dest).upper()
    if action.choices:
        return Value(tuple(map(str, action.choices)))
    if action.dest == "data" and action.option_strings:
        return Value(tuple(CATALOGUE))
    if action.dest == "set":
        return Value(tuple(f"{key}=" for key, option in OPTIONS.items() if not option.flag))
    if action.option_strings and action.dest in OPTIONS:
        return Value(_choices(action.dest))
    names = (*MODELS, *preset_names()) if "MODEL" in named else tuple(preset_names()) if "PRESET" in named else ()
    return Value(names, runs="RUN" in named)


def _choices(key: str) -> tuple[str, ...]:
    """The words that a setting may be."""
    return ("true", "false") if OPTIONS[key].kind == "bool" else OPTIONS[key].choices
