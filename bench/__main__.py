"""python -m bench step | kernels: times that can be believed, because everything is measured in turn and compared within a round.

examples:
  python -m bench step                                                 npae's numpy, numba and compiled, PyTorch and JAX; three models
  python -m bench step --models vae --peers none --json result.json
  python -m bench kernels --kernels mmd_rbf,adam
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from npae.cli import Parser
from npae.errors import InputError


def parser() -> argparse.ArgumentParser:
    """Two commands."""
    top = Parser(prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    step = _command(commands, "step", "one training step, in npae and in other frameworks", "--models vae --peers torch --threads 1")
    step.add_argument("--models", default="ae,vae,wae", help="of ae, vae, wae (default: all)")
    step.add_argument("--backends", default="numpy,numba,compiled", help="npae's: numpy, numba, compiled, or none (default: all)")
    step.add_argument("--peers", default="torch,jax", help="torch, jax, or none (default: both)")
    step.add_argument("--batch", type=int, default=100, help="rows in a batch (default: 100)")
    step.add_argument("--threads", type=int, help="cores that everybody may use (default: all)")
    kernels = _command(commands, "kernels", "each compiled kernel and its reference", "--kernels mmd_rbf,adam --json result.json")
    kernels.add_argument("--kernels", default="all", help="names, with commas between (default: all)")
    for command, seconds in ((step, 0.3), (kernels, 0.1)):
        command.add_argument("--rounds", type=int, default=9, help="measurements of each (default: 9)")
        command.add_argument("--seconds", type=float, default=seconds, help=f"the least that a measurement lasts (default: {seconds})")
        patience = "seconds in all to wait for other processes to be quiet, and to repeat what they disturbed (default: 60)"
        command.add_argument("--patience", type=float, default=60.0, help=patience)
        command.add_argument("--json", type=Path, metavar="FILE", help="write the result there as well")
    return top


def _command(commands: Any, name: str, text: str, example: str) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, epilog=f"example: python -m bench {name} {example}"
    )
    return added


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure and show."""
    from bench import interleave, kernels, machine, step, table

    for name in ("rounds", "seconds", "batch"):
        if getattr(arguments, name, 1) <= 0:
            raise InputError(f"--{name} {getattr(arguments, name)} is not above 0")
    plan = interleave.Plan(arguments.rounds, arguments.seconds, arguments.patience)
    if arguments.command == "kernels":
        result = kernels.run(kernels=arguments.kernels, plan=plan)
        table.show_kernels(result)
        return result
    result = step.run(
        models=arguments.models,
        backends=arguments.backends,
        peers=arguments.peers,
        batch=arguments.batch,
        threads=arguments.threads or machine.cores(),
        plan=plan,
    )
    table.show_step(result)
    return result


def write(path: Path, command: Sequence[str], result: dict[str, Any]) -> None:
    """The result, with the command and the date, as JSON."""
    content = {
        "command": " ".join(["python -m bench", *command]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(content | result, indent=1) + "\n")
    os.replace(temporary, path)


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 0 measured, 1 somebody disagrees or does not run, 2 bad input, 130 interrupted."""
    words = list(sys.argv[1:] if words is None else words)
    try:
        arguments = parser().parse_args(words)
        if arguments.json and not arguments.json.resolve().parent.is_dir():
            raise InputError(f"--json {arguments.json}: its folder does not exist; create it first")
        result = run(arguments)
        if arguments.json:
            write(arguments.json, words, result)
    except InputError as error:
        print(f"bench: error: {error}", file=sys.stderr)
        return 2
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
