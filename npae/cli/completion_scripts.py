"""The scripts of npae completion: what stands in them follows from the verbs' parsers, so that nothing has to be asked at a keystroke.

Where no word fits, the shell completes file names.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from npae.cli import VERBS

if TYPE_CHECKING:
    from npae.cli.completion import Value, Words

Settings = Mapping[str, tuple[str, ...]]
Verbs = Mapping[str, "Words"]

BASH = """# npae's verbs, options, choices and run folders; printed by npae completion bash
_npae() {{
    [ -n "${{ZSH_VERSION-}}" ] && setopt local_options null_glob
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" verb="${{COMP_WORDS[1]}}" words="" runs="" config
    if [ "$current" = "=" ]; then  # bash takes key=value for three words
        previous="=$previous"; current=""
    elif [ "$previous" = "=" ]; then
        previous="=${{COMP_WORDS[COMP_CWORD-2]}}"
    fi
    if [ "$COMP_CWORD" = 1 ]; then
        words={verbs}
    else
        case "$verb $previous" in
{values}
        *)
            case "$verb" in
{others}
            esac ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [ -n "$runs" ]; then  # not by way of compgen -W, which would run what a folder's name says
        for config in "$current"*/config.toml "$current"*/*/config.toml; do
            [ -f "$config" ] && COMPREPLY+=("${{config%/config.toml}}")
        done
    fi
    case "${{COMPREPLY[0]-}}" in *=) compopt -o nospace 2>/dev/null ;; esac
}}
complete -o default -F _npae npae
"""


def bash(verbs: Verbs, settings: Settings) -> str:
    """For bash, and for zsh by way of its bashcompinit."""
    places: dict[Value, list[str]] = {}  # value -> where it may stand
    for verb, words in verbs.items():
        for option, value in words.options.items():
            if value is not None:
                places.setdefault(value, []).append(f"'{verb} {option}'")
    values = [_case("|".join(patterns), value.words, runs=value.runs) for value, patterns in places.items()]
    values += [_case(f"*' ={key}'", choices, runs=False) for key, choices in settings.items() if choices]
    others = [_case(f"    {verb}", (*words.options, *words.others.words), runs=words.others.runs) for verb, words in verbs.items()]
    every = shlex.quote(" ".join((*VERBS, "--help", "--version")))
    return BASH.format(verbs=every, values="\n".join(values), others="\n".join(others))


def _case(pattern: str, words: tuple[str, ...], *, runs: bool) -> str:
    return f"        {pattern}) words={shlex.quote(' '.join(words))}{' runs=yes' if runs else ''} ;;"


def zsh(verbs: Verbs, settings: Settings) -> str:
    """The same, loaded as zsh loads what was written for bash."""
    return "autoload -U +X bashcompinit && bashcompinit\n" + bash(verbs, settings)


def fish(verbs: Verbs, settings: Settings) -> str:
    """One line for each word that there is."""
    lines = ["# npae's verbs, options, choices and run folders; printed by npae completion fish"]
    lines += ["function __npae_runs", "    for config in runs/*/config.toml */config.toml", "        dirname $config", "    end", "end"]
    lines += [f"complete -c npae -n __fish_use_subcommand -f -a {verb} -d {_quoted(text)}" for verb, text in VERBS.items()]
    for verb, words in verbs.items():
        begin = f"complete -c npae -n '__fish_seen_subcommand_from {verb}'"
        for option, value in words.options.items():
            name = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            after = "" if value is None else f" -r{_listed(value.words, runs=value.runs)}"
            lines.append(f"{begin} {name}{after} -d {_quoted(words.meanings.get(option, ''))}")
        if words.others.words or words.others.runs:
            lines.append(f"{begin}{_listed(words.others.words, runs=words.others.runs)}")
    return "\n".join(lines) + "\n"


def _listed(words: tuple[str, ...], *, runs: bool) -> str:
    found = " ".join((*words, *(["(__npae_runs)"] if runs else [])))
    return f" -a {_quoted(found)}" if found else ""


def _quoted(text: str) -> str:
    """In single quotes as fish reads them."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SCRIPTS: dict[str, Callable[[Verbs, Settings], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
