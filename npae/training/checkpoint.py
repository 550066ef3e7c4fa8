"""The whole state of a training on disk, so that `--resume` continues bit for bit.

    checkpoint/last.json                    the manifest: counters, sums, history, and the name and SHA-256 of the tensors file
    checkpoint/last-STEPS-HASH.safetensors  parameters, Adam's m and v (flat), the best weights so far (flat)
    checkpoint/best.safetensors             the best weights as a model file, where validation chose some

The tensors are written first, under a name made from their content; renaming the manifest is the one moment at which the
new checkpoint replaces the old. Whatever happens before, the old manifest still points
at the old tensors. Superseded tensors are deleted afterwards.
Raises InputError for a checkpoint that is missing, damaged, or of another model.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from npae.errors import InputError
from npae.training.averages import Averages
from npae.training.files import write_bytes, write_json
from npae.training.history import History
from npae.training.loop import Best, Trainer
from npae.training.model_file import plain_spec, put_parameters, read_tensors, save, tensor_bytes

OPTIMIZER_M, OPTIMIZER_V, BEST = "optimizer.m", "optimizer.v", "best.parameters"


def save_checkpoint(trainer: Trainer, run: Path) -> None:
    """Store everything that the rest of the training depends on."""
    folder = run / "checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    model, optimizer, host = trainer.model, trainer.optimizer, trainer.model.backend.to_host
    tensors = {name: host(model.parameters[name].value) for name in model.parameters.names()}
    tensors |= {OPTIMIZER_M: host(optimizer.m), OPTIMIZER_V: host(optimizer.v)}
    if trainer.best.parameters is not None:
        tensors[BEST] = trainer.best.parameters
    metadata = {"kind": model.kind, "spec": json.dumps(plain_spec(model))}
    content = tensor_bytes(tensors, metadata)
    digest = hashlib.sha256(content).hexdigest()
    path = write_bytes(folder / f"last-{optimizer.steps:08d}-{digest[:8]}.safetensors", content)
    manifest = _manifest(trainer, path, digest)
    write_json(folder / "last.json", {"checksum": _checksum(manifest), **manifest})
    for old in folder.glob("last-*.safetensors"):
        if old != path:
            old.unlink()
    save_best(trainer, run)


def _manifest(trainer: Trainer, tensors: Path, digest: str) -> dict[str, Any]:
    return {
        "tensors": tensors.name,
        "sha256": digest,
        "steps": trainer.optimizer.steps,
        "epoch": trainer.epoch,
        "batch": trainer.batch,
        "averages": vars(trainer.averages),
        "seconds": trainer.seconds,
        "history": trainer.history.rows,
        "best": {"epoch": trainer.best.epoch, "loss": trainer.best.loss if trainer.best.epoch else None},
    }


def _checksum(manifest: dict[str, Any]) -> str:
    """SHA-256 of the manifest's own content."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def restore_checkpoint(trainer: Trainer, run: Path) -> None:
    """Put a trainer where the stored one stopped."""
    manifest = read_manifest(run)
    path = run / "checkpoint" / str(manifest["tensors"])
    check_sum(path, str(manifest["sha256"]))
    tensors, metadata = read_tensors(path)
    model, optimizer = trainer.model, trainer.optimizer
    if metadata.get("kind") != model.kind:
        raise InputError(
            f"{path}: a checkpoint of a {metadata.get('kind')}, expected one of a {model.kind}; resume it with the model it was made with"
        )
    put_parameters(model, tensors, path)
    optimizer.m[...] = model.backend.from_host(tensors[OPTIMIZER_M])
    optimizer.v[...] = model.backend.from_host(tensors[OPTIMIZER_V])
    optimizer.steps = manifest["steps"]
    trainer.epoch, trainer.batch, trainer.seconds = manifest["epoch"], manifest["batch"], manifest["seconds"]
    trainer.averages, trainer.history = Averages(**manifest["averages"]), History(manifest["history"])
    if BEST in tensors:
        trainer.best = Best(manifest["best"]["epoch"], manifest["best"]["loss"], tensors[BEST])


def read_manifest(run: Path) -> dict[str, Any]:
    """checkpoint/last.json of a run folder."""
    path = run / "checkpoint" / "last.json"
    if not path.is_file():
        raise InputError(f"{run} holds no checkpoint (no {path}); expected a run folder made by npae train")
    try:
        manifest = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is damaged ({error}); restore it, or train again") from None
    if not isinstance(manifest, dict) or manifest.pop("checksum", None) != _checksum(manifest):
        raise InputError(f"{path} is damaged (its checksum does not fit its content); restore it, or train again")
    if Path(str(manifest["tensors"])).name != manifest["tensors"]:
        raise InputError(f"{path} names '{manifest['tensors']}', which is not in its folder; restore it, or train again")
    return manifest


def check_sum(path: Path, expected: str) -> None:
    """The file is there and has the recorded SHA-256."""
    if not path.is_file():
        raise InputError(f"{path}: no such file, although checkpoint/last.json names it; restore it, or train again")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise InputError(f"{path} is damaged: SHA-256 {found[:12]}..., expected {expected[:12]}...; restore it, or train again")


def save_best(trainer: Trainer, run: Path) -> None:
    """The best weights as a model file of their own."""
    if trainer.best.parameters is None:
        return
    parameters = trainer.model.parameters
    last = parameters.value.copy()
    trainer.use_best()
    save(trainer.model, run / "checkpoint" / "best.safetensors")
    parameters.value[...] = last


def weights_file(run: Path) -> Path:
    """The model file that stands for a run: the best weights if it kept some, else the last."""
    best = run / "checkpoint" / "best.safetensors"
    if best.is_file():
        return best
    manifest = read_manifest(run)
    path = run / "checkpoint" / str(manifest["tensors"])
    check_sum(path, str(manifest["sha256"]))
    return path
