"""kill -9 at random moments of a training and of its checkpoints' writes; what goes on must end byte-equal to a training nobody disturbed.

  python -m tests.soak.kills --times 50
  python -m tests.soak.kills --times 50 --step compiled
  python -m tests.soak.kills --times 5 --seed 3 --model wae

Every other kill comes from outside, at a random moment; the others come inside of a checkpoint or of the history, at a random one of its
calls to the system: before or after it, or with half of the bytes written. A checkpoint is written after every epoch. Each process is
forked from this one and is npae train itself: first --out, then --resume. Afterwards npae verify must find the run whole. Exit status 1
if not, or if the end differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from npae.cli import main, progress
from npae.cli import train as _train  # noqa: F401  (loaded before the forks, so that each is quick)
from npae.training import files
from npae.training.history import History

ROWS, FEATURES = 1000, 36
CALLS = 40  # calls to the system among which a kill from inside chooses: several epochs' worth
PATIENCE = 120.0  # seconds that a process may take to begin or to die; a whole training may take ten times as long


def soak(folder: Path, *, times: int, seed: int, model: str, step: str, backend: str, epochs: int) -> dict[str, Any]:
    """Kill so many times, let it finish, compare; what came of it."""
    dice = random.Random(seed)
    data = folder / "rows.npy"
    np.save(data, np.random.default_rng(0).random((ROWS, FEATURES), dtype=np.float32))
    new = ["train", model, "--data", str(data), "--epochs", str(epochs), "--hidden", "16", "--latent", "4", "--batch-size", "50"]
    new += ["--backend", backend, "--set", f"step={step}", "--set", "dropout=0.1", "--no-figures", "--quiet", "--out"]
    if _end_of(_start([*new, str(folder / "straight")], eager=False), 10 * PATIENCE) != 0:
        raise SystemExit(f"the training itself fails: npae {' '.join(new)} FOLDER")
    run, kinds = folder / "killed", list[str]()
    again = ["train", "--resume", str(run), "--no-figures", "--quiet"]
    while len(kinds) < times:
        words = again if (run / "config.toml").exists() else [*new, str(run)]
        kind = _kill_from_inside(words, dice) if len(kinds) % 2 else _kill_from_outside(words, run, dice)
        if kind is None:
            raise SystemExit(f"the training was finished after {len(kinds)} kills: give more --epochs than {epochs}")
        kinds.append(kind)
    status = _end_of(_start(again, eager=False), 10 * PATIENCE)
    whole = _end_of(_start(["verify", str(run)]))
    same = status == 0 and state(run) == state(folder / "straight")
    return {"kills": len(kinds), "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))}, "same": same, "whole": whole == 0}


def state(run: Path) -> tuple[Any, ...]:
    """What a run ended with: its tensors, its best weights and its history, without the seconds."""
    manifest = json.loads((run / "checkpoint" / "last.json").read_text())
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    timeless = [{name: value for name, value in row.items() if name != "seconds"} for row in rows]
    tensors = (run / "checkpoint" / manifest["tensors"]).read_bytes()
    return tensors, (run / "checkpoint" / "best.safetensors").read_bytes(), timeless, manifest["steps"], manifest["best"]


def _start(words: list[str], before: Callable[[], None] | None = None, *, eager: bool = True) -> int:
    """npae in a process of its own; its number. `eager`: a checkpoint after every epoch."""
    process = os.fork()
    if process:
        return process
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)
    if eager:
        progress.SAVE_SECONDS = -1.0
    if before:
        before()
    os._exit(main(words))


def _end_of(process: int, patience: float = PATIENCE) -> int:
    """Its exit status; minus the signal that ended it."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    raise SystemExit(f"a process hung for {patience:.0f} s")


def _kill_from_outside(words: list[str], run: Path, dice: random.Random) -> str | None:
    """After a random time: from its very start, or from when it has begun to train. None where it was over before that."""
    early = dice.random() < 0.25
    began = _signature(run / "history.jsonl")
    process = _start(words)
    deadline = time.monotonic() + PATIENCE
    while not early and _signature(run / "history.jsonl") == began and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(10 ** dice.uniform(-3.0, -0.7))  # a millisecond to two tenths of a second
    os.kill(process, signal.SIGKILL)
    killed = _end_of(process) == -signal.SIGKILL
    return ("from outside, starting" if early else "from outside, training") if killed else None


def _signature(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _kill_from_inside(words: list[str], dice: random.Random) -> str | None:
    """At a random call to the system."""
    left, moment = dice.randint(1, CALLS), dice.choice(("before", "after", "half"))

    def die_at(call: Callable[..., Any], spoil: Callable[..., None] | None) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0 and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*arguments, **named)
            if left == 0:
                if moment == "half" and spoil:
                    spoil(*arguments)
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counted

    def half_of_the_file(descriptor: int) -> None:
        os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)

    def half_of_the_line(history: History, path: Path) -> None:
        os.truncate(path, path.stat().st_size - 40)

    def arm() -> None:
        files.os.fsync = die_at(os.fsync, half_of_the_file)  # type: ignore[assignment]
        files.os.replace = die_at(os.replace, None)  # type: ignore[assignment]
        Path.unlink = die_at(Path.unlink, None)  # type: ignore[method-assign]
        History.append_to = die_at(History.append_to, half_of_the_line)  # type: ignore[method-assign]

    return f"from inside, {moment}" if _end_of(_start(words, arm)) == -signal.SIGKILL else None


def run(arguments: argparse.Namespace) -> int:
    """Soak, print; 1 if anything was lost."""
    epochs = arguments.epochs or 20 + (80 if arguments.step == "compiled" else 12) * arguments.times
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        found = soak(
            Path(folder), times=arguments.times, seed=arguments.seed, model=arguments.model, step=arguments.step,
            backend=arguments.backend, epochs=epochs,
        )  # fmt: skip
    for kind, count in found["kinds"].items():
        print(f"{kind:<24} {count}")
    print(f"{found['kills']} kills of a training of {epochs} epochs in {time.monotonic() - started:.0f} s")
    print(f"weights, best weights and history byte-equal to the undisturbed training: {'yes' if found['same'] else 'NO'}")
    print(f"npae verify finds the run whole: {'yes' if found['whole'] else 'NO'}")
    return 0 if found["same"] and found["whole"] else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak.kills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=50, help="kills (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--model", default="vae", help="(default: vae)")
    parser.add_argument("--step", default="ordinary", help="ordinary or compiled (default: ordinary)")
    parser.add_argument("--backend", default="numba", help="(default: numba)")
    parser.add_argument("--epochs", type=int, help="of the training (default: 20, and 12 for each kill, 80 where the step is compiled)")
    sys.exit(run(parser.parse_args()))
