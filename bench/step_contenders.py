"""Who takes a training step, from the side that asks: how its process is started, what it may find, what it cannot do.

command(contender, folder, model)          npae's forms by their names (bench/devices.py), the others' as in bench/peers.py
environment(contender, folder, model)      its folder for compiled code, and its devices
cannot(contender, written)                 why it does not run this model, or nothing
start(worker), measure_of(worker)          its first call, and its further ones as interleave.py wants them
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.devices import BACKENDS, HIDDEN
from bench.interleave import Measure, Sample
from bench.peers import EVERY_PEER
from bench.problem import Written
from bench.workers import Worker

MODULES = {"compiled": "compiled_step", **dict.fromkeys(BACKENDS["cuda"], "captured_step")}  # npae's workers; of the others npae_step


def command(contender: str, folder: Path, model: str) -> list[str]:
    """How that contender's worker is started."""
    if contender in EVERY_PEER:
        module, form = EVERY_PEER[contender].module, EVERY_PEER[contender].form
    else:
        module, form = MODULES.get(contender, "npae_step"), "" if contender == "compiled" else contender
    return [sys.executable, "-m", f"bench.{module}", str(folder), model, *filter(None, [form])]


def environment(contender: str, folder: Path, model: str) -> dict[str, str]:
    """Where what it compiles is kept: nothing of another contender's, nothing from before; and which devices it may find."""
    compiled = str(folder / "compiled" / model / contender)
    if contender in EVERY_PEER:
        devices = EVERY_PEER[contender].variables
    else:
        devices = {"CUPY_CACHE_DIR": compiled} if contender in BACKENDS["cuda"] else HIDDEN
    return {
        **devices,
        "NUMBA_CACHE_DIR": compiled,
        "TORCHINDUCTOR_CACHE_DIR": compiled,
        "JAX_COMPILATION_CACHE_DIR": compiled,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def measure_of(worker: Worker) -> Measure:
    """Its steps, as interleave.py wants them."""

    def measure(count: int) -> Sample:
        answer = worker.ask("steps", count=count)
        return Sample(answer["steps"], answer["seconds"], answer["processor_seconds"])

    return measure


def start(worker: Worker) -> float:
    """Seconds until it has made its first call."""
    worker.ask("steps", count=1)
    return round(worker.age(), 3)


def cannot(contender: str, written: Written) -> str:
    """Why that contender does not run this model, or nothing."""
    if contender not in EVERY_PEER:
        return written.cannot.get(contender, "")
    return EVERY_PEER[contender].cannot(written.network) if written.network else f"the peers do not know {written.cannot['peers']}"
