"""Whole runs as processes, from nothing to the trained weights: `npae train`, and scripts that a user of PyTorch or JAX would write.

Everybody reads the same packed file of MNIST, shuffles every epoch, trains, and says the mean loss of each epoch. npae also checks the
file, hashes the data, and writes its record, history and checkpoints; it draws no pictures, because the others do not.

    npae       npae train PRESET --data mnist --epochs E --set step=compiled --no-figures        from a folder of its own
    torch      bench/epoch_torch.py        eager, fused Adam
    jax        bench/epoch_jax.py          an epoch in a call; compiled code is kept on disk, as npae keeps its own

    seconds        of the process, in turn with the others; ratios within a round (interleave.py)
    start          of a process that stops before its first step (npae: after it); "first": no compiled code on disk yet

The losses must agree before any time is believed: the mean loss of the last epoch, of each within BOUNDS of npae's. All start from weights
of their own and shuffle in their own way, and a learning rate of 0.01 makes that much of it: the bounds are the spread over seeds.
Raises InputError for unknown names and where MNIST is not here, Disagreement, and WorkerError where a process fails.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.command_epoch import SCRIPTS
from bench.epoch_process import Finished, run
from bench.errors import Disagreement
from bench.interleave import Measure, Plan, Sample, interleaved
from bench.lists import names
from bench.machine import machine, pinned, software
from bench.peers import PEERS
from bench.ratios import paired_ratio, quartiles
from npae.data.find import find, locate
from npae.data.idx_folder import TRAIN
from npae.errors import InputError
from npae.training.history import History

BOUNDS = {"flux-ae": (0.15, 0.2), "flux-vae": (0.3, 0.03), "flux-wae": (0.1, 0.06), "torch-ae": (0.05, 0.05)}  # after epoch 1, later
START = 0  # epochs of a process that is to stop before its first step


@dataclasses.dataclass
class Contender:
    """One of them, on one preset, for so many epochs; remembers how its processes ended."""

    name: str
    preset: str
    epochs: int
    images: Path
    folder: Path
    variables: Mapping[str, str]
    ended: list[Finished] = dataclasses.field(default_factory=list)
    losses: list[float] = dataclasses.field(default_factory=list)

    @property
    def key(self) -> str:
        """Among all of a preset."""
        return f"{self.name} {self.epochs}"

    def command(self, out: Path) -> list[str]:
        """Its process."""
        if self.name != "npae":
            return [sys.executable, "-m", f"bench.epoch_{self.name}", self.preset, str(self.images), str(self.epochs)]
        module = "npae" if self.epochs else "bench.epoch_start"
        flags = ["--data", "mnist", "--epochs", str(self.epochs or 1), "--set", "step=compiled", "--no-figures", "--out", str(out)]
        return [sys.executable, "-m", module, "train", self.preset, *flags]

    def once(self) -> Finished:
        """From its start to its end."""
        with tempfile.TemporaryDirectory(dir=self.folder) as out:
            finished = run(self.command(Path(out)), self.variables, self.folder)
            if not self.epochs:
                return finished
            if self.name == "npae":
                self.losses = History.read(Path(out) / "history.jsonl").column("train.total")
            else:
                self.losses = [float(line.split()[-1]) for line in finished.said.splitlines() if line.startswith("epoch")]
        return finished

    def measure(self, count: int) -> Sample:
        """One process, whatever the count: as interleave.py wants it."""
        self.ended.append(self.once())
        return Sample(1, self.ended[-1].seconds, self.ended[-1].processor_seconds)


def check(preset: str, epochs: int, losses: Mapping[str, Sequence[float]]) -> None:
    """Every last loss is near npae's."""
    allowed, truth = BOUNDS[preset][epochs > 1], losses["npae"][-1]
    for name, found in losses.items():
        if len(found) != epochs or not abs(found[-1] - truth) <= allowed * truth:
            raise Disagreement(
                f"{name} disagrees on {preset}: its losses are {', '.join(f'{loss:.6g}' for loss in found) or 'not there'}; "
                f"that of epoch {epochs} should be within {allowed:.0%} of npae's {truth:.6g}"
            )


def bench_preset(
    preset: str, every: Sequence[int], contenders: Sequence[str], images: Path, variables: Mapping[str, str], plan: Plan
) -> list[dict[str, Any]]:
    """Its rows."""
    with tempfile.TemporaryDirectory(prefix="npae-bench-") as temporary:
        folder = Path(temporary)
        caches = {"NUMBA_CACHE_DIR": str(folder / "numba"), "JAX_COMPILATION_CACHE_DIR": str(folder / "jax")}
        caches |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
        caches |= {"PYTHONDONTWRITEBYTECODE": ""}  # with it, every start of ours would compile what an installed package has compiled
        rest = images, folder, {**variables, **caches}
        starts = [Contender(name, preset, START, *rest) for name in contenders]
        first = {one.key: one.once().seconds for one in starts}
        runs = [Contender(name, preset, epochs, *rest) for epochs in every for name in contenders]
        for one in runs:
            one.once()
        for epochs in every:
            check(preset, epochs, {one.name: one.losses for one in runs if one.epochs == epochs})
        everybody = [*starts, *runs]
        measures: dict[str, Measure] = {one.key: one.measure for one in everybody}
        taken = interleaved(measures, plan)
    seconds = {key: [measured.seconds for measured in of_rounds] for key, of_rounds in taken.items()}
    rows = []
    for one in everybody:
        row = {"preset": preset, "name": one.name, "epochs": one.epochs, "seconds": quartiles(seconds[one.key])._asdict()}
        row |= {"rounds": seconds[one.key], "npae_over_this": paired_ratio(seconds[f"npae {one.epochs}"], seconds[one.key])._asdict()}
        row |= {"peak_bytes": max(finished.peak_bytes for finished in one.ended), "losses": one.losses}
        row |= {"others": [round(measured.others, 2) for measured in taken[one.key]]}
        rows.append(row | ({"first": first[one.key]} if one.key in first else {}))
    return rows


def measure(*, models: str, epochs: str, peers: str, threads: int, plan: Plan) -> dict[str, Any]:
    """The whole result, as JSON can hold it."""
    asked = names("--peers", peers, SCRIPTS)
    absent = {name: PEERS[name].absent() for name in asked if PEERS[name].absent()}
    chosen = names("--models", models, tuple(BOUNDS))
    contenders, every = ["npae", *(name for name in asked if name not in absent)], _counts(epochs)
    if not chosen:
        raise InputError(f"--models {models}: nothing to measure; name at least one of {', '.join(BOUNDS)}")
    folder = find("mnist")
    images = folder and locate(folder, TRAIN)
    if images is None:
        raise InputError("MNIST is not on this machine, and whole epochs are timed on it: npae data fetch mnist, or set NPAE_DATA_DIR")
    rows: list[dict[str, Any]] = []
    with pinned(threads) as variables:
        where = machine(threads) | {"variables": variables}
        for preset in chosen:
            print(f"{preset}: {', '.join(contenders)}; epochs {epochs}; {plan.rounds} rounds", file=sys.stderr)
            share = dataclasses.replace(plan, patience=plan.patience / len(chosen))
            rows += bench_preset(preset, every, contenders, images.resolve(), variables, share)
    packages = [package for name in asked for package in PEERS[name].packages]
    return {"machine": where, "versions": software(*packages), "rows": rows, "absent": absent}


def _counts(text: str) -> list[int]:
    """The numbers of --epochs."""
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise InputError(f"--epochs '{text}' is not a list of whole numbers of at least 1, such as 1,5")
    return list(dict.fromkeys(counts))
