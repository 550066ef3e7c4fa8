"""A long training with its checkpoints, history and progress: memory and open files must stay flat.

  python -m tests.soak.steps --steps 200000
  python -m tests.soak.steps --steps 20000 --step compiled --model wae

Prints, twenty times over the training, the steps made, the resident memory and the number of open files. The history grows by a row an
epoch of a thousand steps, which is what it is for. Exit status 1 if after its first tenth the memory grew by more than --allow MiB
(default: 4), or the number of open files changed. Linux.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from npae.cli.progress import TrainingProgress
from npae.training.checkpoint import save_checkpoint
from npae.training.configuration import resolve
from npae.training.loop import Trainer
from npae.training.run import describe, make_folder, prepare

BATCH, FEATURES = 20, 64
STEPS_AN_EPOCH = 1000  # at most
SAMPLES = 20
MIB = 2**20


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    """Open file descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def soak(folder: Path, *, steps: int, model: str, step: str, backend: str) -> list[tuple[int, int, int]]:
    """(steps, bytes, descriptors), SAMPLES times over a training of so many steps."""
    of_an_epoch = min(STEPS_AN_EPOCH, steps // SAMPLES)
    np.save(folder / "rows.npy", np.random.default_rng(0).random((BATCH * (of_an_epoch + 1), FEATURES), dtype=np.float32))
    epochs, run = steps // of_an_epoch, folder / "run"
    settings = {"data": str(folder / "rows.npy"), "epochs": epochs, "batch_size": BATCH, "hidden": [16], "latent": 4}
    training = prepare(resolve(model, flags=settings | {"validation": 1 / (of_an_epoch + 1), "backend": backend, "step": step}))
    make_folder(run)
    describe(training, run)
    progress = TrainingProgress(run, None, None, lines=False)
    seen: list[tuple[int, int, int]] = []

    def on_epoch(trainer: Trainer) -> None:
        progress.on_epoch(trainer)
        save_checkpoint(trainer, run)
        if trainer.epoch * SAMPLES // epochs > len(seen):
            seen.append((trainer.optimizer.steps, resident(), open_files()))
            print(f"{seen[-1][0]:>9} steps   {seen[-1][1] / MIB:8.1f} MiB   {seen[-1][2]:>3} open files", flush=True)

    training.trainer.run(on_epoch=on_epoch, on_batch=progress.on_batch, every_batch=False)
    return seen


def run(arguments: argparse.Namespace) -> int:
    """Soak, print; 1 if memory or open files grew."""
    if arguments.steps < SAMPLES:
        raise SystemExit(f"--steps {arguments.steps}: at least {SAMPLES} are needed")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seen = soak(Path(folder), steps=arguments.steps, model=arguments.model, step=arguments.step, backend=arguments.backend)
    warm = seen[SAMPLES // 10]
    growth, files = (max(one[1] for one in seen[SAMPLES // 10 :]) - warm[1]) / MIB, {one[2] for one in seen[SAMPLES // 10 :]}
    flat = growth <= arguments.allow and len(files) == 1
    print(f"{seen[-1][0]} steps in {time.monotonic() - started:.0f} s: memory grew by {growth:.2f} MiB after the first tenth,", end=" ")
    print(f"open files {' to '.join(str(count) for count in sorted(files))}: {'flat' if flat else 'NOT FLAT'}")
    return 0 if flat else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak.steps", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=200_000, help="(default: 200000)")
    parser.add_argument("--model", default="vae", help="(default: vae)")
    parser.add_argument("--step", default="ordinary", help="ordinary or compiled (default: ordinary)")
    parser.add_argument("--backend", default="numba", help="(default: numba)")
    parser.add_argument("--allow", type=float, default=4.0, help="MiB that memory may grow by (default: 4)")
    sys.exit(run(parser.parse_args()))
