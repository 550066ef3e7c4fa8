"""python -m bench step | epoch | kernels | scale | start: times that can be believed; what is compared is measured in turn, round by round.

examples:
  python -m bench step                                                 seven models, npae's numpy, numba and compiled, and every peer
  python -m bench step --models vae --peers none --json result.json
  python -m bench epoch --models flux-ae --epochs 1                    npae train as a process, and PyTorch and JAX scripts
  python -m bench scale --axes batch,width --plot scale.png            the cost of a step against its size, with the exponent
  python -m bench kernels --kernels mmd_rbf,adam
  python -m bench kernels --kernels mmd --sizes 1000x8,10000x8 --plot mmd.svg
  python -m bench step --device cpu,cuda                               the same on a GPU as well; results go to bench/results
  python -m bench kernels --device cuda --kernels adam,mmd_rbf         each kernel's CUDA form against its floor and one core
  python -m bench start --rounds 3                                     what the first step of a process costs
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

from bench import command_epoch, command_kernels, command_scale, command_start, command_step
from bench.devices import devices_of
from bench.errors import BenchError
from npae.cli import Parser
from npae.errors import InputError


def parser() -> argparse.ArgumentParser:
    """Its commands."""
    top = Parser(prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    step = _command(commands, "step", command_step.DESCRIPTION, "--models torch-ae,vae --peers torch,jax --threads 1")
    command_step.add(step)
    epoch = _command(commands, "epoch", command_epoch.DESCRIPTION, "--models flux-ae,torch-ae --epochs 1,5 --threads 2")
    command_epoch.add(epoch)
    kernels = _command(commands, "kernels", command_kernels.DESCRIPTION, "--kernels mmd --sizes 1000x8,10000x64 --peers scipy")
    command_kernels.add(kernels)
    scale = _command(commands, "scale", command_scale.DESCRIPTION, "--axes batch --models flux-vae --peers none --plot scale.png")
    command_scale.add(scale)
    start = _command(commands, "start", command_start.DESCRIPTION, "--starts npae,compiled --rounds 3")
    command_start.add(start)
    for command, seconds in ((step, 0.3), (epoch, 0.1), (kernels, 0.1), (scale, 0.1), (start, 0.0)):
        command.add_argument("--rounds", type=int, default=9, help="measurements of each (default: 9)")
        if seconds:
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
    from bench import interleave

    for name in ("rounds", "seconds"):
        if getattr(arguments, name, 1) <= 0:
            raise InputError(f"--{name} {getattr(arguments, name)} is not above 0")
    plan = interleave.Plan(arguments.rounds, getattr(arguments, "seconds", 0.0), arguments.patience)
    commands = {"step": command_step, "epoch": command_epoch, "kernels": command_kernels, "scale": command_scale, "start": command_start}
    result: dict[str, Any] = commands[arguments.command].run(arguments, plan)
    return result


def _keep(arguments: argparse.Namespace) -> None:
    """What is measured on a GPU goes into the folder of results, where no other place is named."""
    from bench.gpu.results import place

    devices_of(arguments.device)
    arguments.json = arguments.json or place(arguments.command, ".json")
    arguments.plot = arguments.plot or place(arguments.command, ".png")


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
        if "cuda" in getattr(arguments, "device", ""):
            _keep(arguments)
        if arguments.json and not arguments.json.resolve().parent.is_dir():
            raise InputError(f"--json {arguments.json}: its folder does not exist; create it first")
        result = run(arguments)
        if arguments.json:
            write(arguments.json, words, result)
        if refused := result.get("on_gpu", {}).get("refused"):
            raise BenchError("; ".join(refused.values()))
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
