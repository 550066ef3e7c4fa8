"""On which devices a command measures: `--device cpu`, `--device cuda`, or both.

    add(parser)                 the option
    devices_of("cpu,cuda")      -> ("cpu", "cuda"); with cuda among them the GPU is opened: what is missing is said before anything runs
    backends_on(devices)        npae's forms of a training step there
    HIDDEN                      variables of a process that is to leave a GPU alone: who measures a CPU must not find one

Raises InputError for other names, for none, and where there is no GPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from bench.lists import names
from npae.errors import InputError

DEVICES = ("cpu", "cuda")
BACKENDS = {"cpu": ("numpy", "numba", "compiled"), "cuda": ("eager", "in-turn", "captured")}  # npae's forms of a step
HIDDEN = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}


def add(parser: argparse.ArgumentParser) -> None:
    """--device."""
    text = f"{', '.join(DEVICES)}, or both with a comma between (default: cpu)"
    parser.add_argument("--device", default="cpu", metavar="DEVICES", help=text)


def devices_of(text: str) -> tuple[str, ...]:
    """Each once, cpu first."""
    named = names("--device", text, DEVICES)
    if not named:
        raise InputError(f"--device {text}: nothing to measure on; name {' or '.join(DEVICES)}, or both with a comma between")
    if "cuda" in named:
        from bench.gpu.device import the_gpu

        the_gpu()
    return tuple(device for device in DEVICES if device in named)


def backends_on(devices: Iterable[str]) -> tuple[str, ...]:
    """The slowest first."""
    return tuple(name for device in devices for name in BACKENDS[device])
