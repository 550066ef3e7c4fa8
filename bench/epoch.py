"""Whole runs as processes, from nothing to the trained weights: `npae train`, and scripts that a user of PyTorch or JAX would write.

Everybody reads the same packed file of MNIST, shuffles every epoch, trains, and says the mean loss of each epoch. npae also checks the
file, hashes the data, and writes its record, history and checkpoints; it draws no pictures, because the others do not.

    npae       npae train PRESET --data mnist --epochs E --set step=compiled --no-figures        from a folder of its own
    torch      bench/epoch_torch.py        eager, fused Adam
    jax        bench/epoch_jax.py          an epoch in a call; compiled code is kept on disk, as npae keeps its own

    npae-cuda  npae train PRESET ... --backend cupy: a CUDA graph a step
    torch-cuda, torch-cuda-graph           bench/epoch_torch_cuda.py, eager or a CUDA graph a step
    jax-cuda   bench/epoch_jax.py, on the GPU

    seconds        of the process, in turn with the others; ratios within a round (interleave.py)
    epoch          seconds of an epoch as the run itself says them, the data where they are trained on; the first epoch is left out
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

from bench.command_epoch import CUDA_SCRIPTS, SCRIPTS
from bench.devices import HIDDEN
from bench.epoch_process import Finished, run
from bench.errors import BenchError, Disagreement
from bench.interleave import Measure, Plan, Sample, interleaved
from bench.lists import names
from bench.machine import machine, pinned, software
from bench.peers import CUDA_PEERS, peers_on
from bench.ratios import paired_ratio, quartiles
from bench.step import gpu_of
from npae.data.find import find, locate
from npae.data.idx_folder import TRAIN
from npae.errors import InputError
from npae.training.history import History

BOUNDS = {"flux-ae": (0.15, 0.2), "flux-vae": (0.3, 0.03), "flux-wae": (0.1, 0.06), "torch-ae": (0.05, 0.05)}  # after epoch 1, later
START = 0  # epochs of a process that is to stop before its first step
OWN = {"npae": ("--set", "step=compiled"), "npae-cuda": ("--backend", "cupy")}  # and what `npae train` is told
MODULES = {"torch": "epoch_torch", "jax": "epoch_jax", "jax-cuda": "epoch_jax"}  # of the others epoch_torch_cuda
FORMS = {"torch-cuda": "eager", "torch-cuda-graph": "graph"}


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
    epoch_seconds: list[float] = dataclasses.field(default_factory=list)  # of all runs, but for the first epoch of each

    @property
    def key(self) -> str:
        """Among all of a preset."""
        return f"{self.name} {self.epochs}"

    def command(self, out: Path) -> list[str]:
        """Its process."""
        if self.name not in OWN:
            module, form = f"bench.{MODULES.get(self.name, 'epoch_torch_cuda')}", FORMS.get(self.name, "")
            return [sys.executable, "-m", module, self.preset, str(self.images), str(self.epochs), *filter(None, [form])]
        module = "npae" if self.epochs else "bench.epoch_start"
        flags = ["--data", "mnist", "--epochs", str(self.epochs or 1), *OWN[self.name], "--no-figures", "--out", str(out)]
        return [sys.executable, "-m", module, "train", self.preset, *flags]

    def environment(self) -> dict[str, str]:
        """Its variables: those of everybody, and which devices it may find."""
        if self.name in OWN:
            return {**self.variables, **(HIDDEN if self.name == "npae" else {})}
        return {**self.variables, **(CUDA_PEERS[self.name].variables if self.name in CUDA_PEERS else HIDDEN)}

    def once(self) -> Finished:
        """From its start to its end."""
        with tempfile.TemporaryDirectory(dir=self.folder) as out:
            finished = run(self.command(Path(out)), self.environment(), self.folder)
            if not self.epochs:
                return finished
            if self.name in OWN:
                history = History.read(Path(out) / "history.jsonl")
                self.losses, seconds = history.column("train.total"), [float(row["seconds"]) for row in history.rows]
            else:
                lines = [line.split() for line in finished.said.splitlines() if line.startswith("epoch")]
                self.losses = [float(words[-1]) for words in lines]
                seconds = [float(words[words.index("seconds") + 1]) for words in lines if "seconds" in words]
            self.epoch_seconds += seconds[1:]
        return finished

    def measure(self, count: int) -> Sample:
        """One process, whatever the count: as interleave.py wants it."""
        self.ended.append(self.once())
        return Sample(1, self.ended[-1].seconds, self.ended[-1].processor_seconds)


def check(preset: str, epochs: int, losses: Mapping[str, Sequence[float]]) -> None:
    """Every last loss is near npae's, which comes first."""
    allowed, truth = BOUNDS[preset][epochs > 1], next(iter(losses.values()))[-1]
    for name, found in losses.items():
        if len(found) != epochs or not abs(found[-1] - truth) <= allowed * truth:
            raise Disagreement(
                f"{name} disagrees on {preset}: its losses are {', '.join(f'{loss:.6g}' for loss in found) or 'not there'}; "
                f"that of epoch {epochs} should be within {allowed:.0%} of npae's {truth:.6g}"
            )


def once(one: Contender) -> Finished | None:
    """How it ended; nothing where it is a framework that fails on the GPU."""
    try:
        return one.once()
    except BenchError as error:
        if one.name not in CUDA_PEERS:
            raise
        print(f"{one.name} on {one.preset} is left out: {error}", file=sys.stderr)
        return None


def bench_preset(
    preset: str, every: Sequence[int], contenders: Sequence[str], images: Path, variables: Mapping[str, str], plan: Plan
) -> list[dict[str, Any]]:
    """Its rows; npae is the first of the contenders. Who fails on a GPU is told on the screen and left out."""
    with tempfile.TemporaryDirectory(prefix="npae-bench-") as temporary:
        folder = Path(temporary)
        caches = {"NUMBA_CACHE_DIR": str(folder / "numba"), "JAX_COMPILATION_CACHE_DIR": str(folder / "jax")}
        caches |= {"CUPY_CACHE_DIR": str(folder / "cupy")}
        caches |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
        caches |= {"PYTHONDONTWRITEBYTECODE": ""}  # with it, every start of ours would compile what an installed package has compiled
        rest = images, folder, {**variables, **caches}
        starts = [Contender(name, preset, START, *rest) for name in contenders]
        first = {one.key: finished.seconds for one in starts if (finished := once(one))}
        starts = [one for one in starts if one.key in first]
        runs = [Contender(one.name, preset, epochs, *rest) for epochs in every for one in starts]
        runs = [one for one in runs if once(one)]
        for epochs in every:
            check(preset, epochs, {one.name: one.losses for one in runs if one.epochs == epochs})
        everybody = [*starts, *runs]
        measures: dict[str, Measure] = {one.key: one.measure for one in everybody}
        taken = interleaved(measures, plan)
    seconds = {key: [measured.seconds for measured in of_rounds] for key, of_rounds in taken.items()}
    rows = []
    for one in everybody:
        own = f"{contenders[0]} {one.epochs}"
        row = {"preset": preset, "name": one.name, "epochs": one.epochs, "seconds": quartiles(seconds[one.key])._asdict()}
        row |= {"rounds": seconds[one.key], "npae_over_this": paired_ratio(seconds[own], seconds[one.key])._asdict()}
        row |= {"peak_bytes": max(finished.peak_bytes for finished in one.ended), "losses": one.losses}
        row |= {"epoch_seconds": quartiles(one.epoch_seconds)._asdict()} if one.epoch_seconds else {}
        row |= {"others": [round(measured.others, 2) for measured in taken[one.key]]}
        rows.append(row | ({"first": first[one.key]} if one.key in first else {}))
    return rows


def measure(*, models: str, epochs: str, peers: str, threads: int, plan: Plan, devices: Sequence[str] = ("cpu",)) -> dict[str, Any]:
    """The whole result, as JSON can hold it."""
    kinds = peers_on(devices)
    asked = names("--peers", peers, [name for name in (*SCRIPTS, *CUDA_SCRIPTS) if name in kinds])
    absent = {name: kinds[name].absent() for name in asked if kinds[name].absent()}
    chosen = names("--models", models, tuple(BOUNDS))
    own = [{"cpu": "npae", "cuda": "npae-cuda"}[device] for device in reversed(devices)]
    contenders, every = [*own, *(name for name in asked if name not in absent)], _counts(epochs)
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
    packages = [package for name in asked for package in kinds[name].packages]
    return gpu_of(devices) | {"machine": where, "versions": software(*packages), "rows": rows, "absent": absent}


def _counts(text: str) -> list[int]:
    """The numbers of --epochs."""
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise InputError(f"--epochs '{text}' is not a list of whole numbers of at least 1, such as 1,5")
    return list(dict.fromkeys(counts))
