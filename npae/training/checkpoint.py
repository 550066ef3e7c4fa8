"""The whole state of a training on disk, so that `--resume` continues bit for bit, whenever the process ended and however.

    checkpoint/last.json                    the manifest (manifest.py): counters, sums, history, and the other files' SHA-256
    checkpoint/last-STEPS-HASH.safetensors  parameters, Adam's m and v (flat), the best weights so far (flat)
    checkpoint/previous.json                the checkpoint before it, with its own tensors: used where the last one is damaged
    checkpoint/best.safetensors             the best weights as a model file, where validation chose some

The tensors are written first, under a name made from their content; renaming the manifest is the one moment at which the
new checkpoint replaces the old. Whatever happens before, the old manifest still points
at the old tensors. What no manifest names is deleted afterwards.
Raises InputError for a checkpoint that is missing, damaged, or of another model.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from npae.errors import InputError
from npae.training.averages import Averages
from npae.training.files import write_bytes
from npae.training.guard import Start
from npae.training.history import History
from npae.training.loop import Best, Trainer
from npae.training.manifest import LAST, PREVIOUS, Damaged, check_sum, read_manifest, tensors_of, write_manifest
from npae.training.model_file import check_flat, model_bytes, plain_spec, put_parameters, read_tensors, tensor_bytes

OPTIMIZER_M, OPTIMIZER_V, BEST = "optimizer.m", "optimizer.v", "best.parameters"
START = "start."  # of the epoch under way, which the guard may go back to: start.parameters, start.m, start.v
BEST_FILE = "best.safetensors"


def save_checkpoint(trainer: Trainer, run: Path) -> None:
    """Store everything that the rest of the training depends on."""
    folder = run / "checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    content = tensor_bytes(_tensors(trainer), {"kind": trainer.model.kind, "spec": json.dumps(plain_spec(trainer.model))})
    digest = hashlib.sha256(content).hexdigest()
    path = write_bytes(folder / f"last-{trainer.optimizer.steps:08d}-{digest[:8]}.safetensors", content)
    best = _best_model(trainer)
    named = write_manifest(run, _manifest(trainer, path, digest, best))
    if best is not None:
        write_bytes(folder / BEST_FILE, best)
    for left in (*folder.glob("last-*.safetensors"), *folder.glob("*.tmp")):  # superseded, or half written by a process that was killed
        if left.name not in named:
            left.unlink()


def _tensors(trainer: Trainer) -> dict[str, Any]:
    model, optimizer, host = trainer.model, trainer.optimizer, trainer.model.backend.to_host
    tensors = {name: host(model.parameters[name].value) for name in model.parameters.names()}
    tensors |= {OPTIMIZER_M: host(optimizer.m), OPTIMIZER_V: host(optimizer.v)}
    if trainer.best.parameters is not None:
        tensors[BEST] = trainer.best.parameters
    start = trainer.guarded.start
    if start and trainer.batch:
        tensors |= {START + "parameters": start.parameters, START + "m": start.m, START + "v": start.v}
    return tensors


def _manifest(trainer: Trainer, tensors: Path, digest: str, best: bytes | None) -> dict[str, Any]:
    chosen = trainer.best.epoch
    guard = trainer.guarded
    return {
        "tensors": tensors.name,
        "sha256": digest,
        "steps": trainer.optimizer.steps,
        "epoch": trainer.epoch,
        "batch": trainer.batch,
        "averages": vars(trainer.averages),
        "seconds": trainer.seconds,
        "history": trainer.history.rows,
        "best": {
            "epoch": chosen,
            "loss": trainer.best.loss if chosen else None,
            "sha256": None if best is None else hashlib.sha256(best).hexdigest(),
        },
        "guard": {"incidents": guard.incidents, "halvings": guard.halvings, "start": guard.start.steps if guard.start else None},
    }


def restore_checkpoint(trainer: Trainer, run: Path) -> str | None:
    """Put a trainer where the stored one stopped; where the last checkpoint is damaged, a line that says which one was used instead."""
    try:
        _restore(trainer, run, LAST)
    except Damaged as damage:
        try:
            _restore(trainer, run, PREVIOUS)
        except Damaged:
            raise damage from None
        what = str(damage).partition(";")[0]
        return f"{what}; going on from the checkpoint before it: epoch {trainer.epoch}, step {trainer.optimizer.steps}"
    return None


def _restore(trainer: Trainer, run: Path, name: str) -> None:
    manifest = read_manifest(run, name)
    path = tensors_of(run, manifest)
    tensors, metadata = read_tensors(path)
    model, optimizer = trainer.model, trainer.optimizer
    if metadata.get("kind") != model.kind:
        raise InputError(
            f"{path}: a checkpoint of a {metadata.get('kind')}, expected one of a {model.kind}; resume it with the model it was made with"
        )
    put_parameters(model, tensors, path)
    flat = {OPTIMIZER_M, OPTIMIZER_V, *(tensors.keys() & {BEST, *(START + part for part in ("parameters", "m", "v"))})}
    for key in sorted(flat):
        check_flat(tensors, key, model, path)
    optimizer.m[...] = model.backend.from_host(tensors[OPTIMIZER_M])
    optimizer.v[...] = model.backend.from_host(tensors[OPTIMIZER_V])
    optimizer.steps = manifest["steps"]
    trainer.epoch, trainer.batch, trainer.seconds = manifest["epoch"], manifest["batch"], manifest["seconds"]
    trainer.averages, trainer.history = Averages(**manifest["averages"]), History(manifest["history"])
    if BEST in tensors:
        trainer.best = Best(manifest["best"]["epoch"], manifest["best"]["loss"], tensors[BEST])
    guard = manifest["guard"]
    trainer.guarded.incidents = guard["incidents"]
    trainer.guarded.halve(trainer, guard["halvings"])
    if {START + "parameters", START + "m", START + "v"} <= tensors.keys() and guard["start"] is not None:
        trainer.guarded.start = Start(tensors[START + "parameters"], tensors[START + "m"], tensors[START + "v"], guard["start"])


def has_checkpoint(run: Path) -> bool:
    """Whether anything was ever stored there: a process may be killed before its first checkpoint."""
    return any((run / name).exists() for name in ("history.jsonl", f"checkpoint/{LAST}", f"checkpoint/{PREVIOUS}"))


def _best_model(trainer: Trainer) -> bytes | None:
    """The best weights as a model file of their own."""
    if trainer.best.parameters is None:
        return None
    parameters = trainer.model.parameters
    last = parameters.value.copy()
    trainer.use_best()
    content = model_bytes(trainer.model)
    parameters.value[...] = last
    return content


def weights_file(run: Path) -> Path:
    """The model file that stands for a run, its bytes checked: the best weights if it kept some, else the last."""
    try:
        manifest = read_manifest(run)
        best = manifest["best"]["sha256"]
        if best is None:
            return tensors_of(run, manifest)
        check_sum(run / "checkpoint" / BEST_FILE, best)
    except Damaged as damage:
        if (run / "checkpoint" / PREVIOUS).is_file():
            raise Damaged(f"{str(damage).partition(';')[0]}; npae train --resume {run} mends it from what is whole") from None
        raise
    return run / "checkpoint" / BEST_FILE
