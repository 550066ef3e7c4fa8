"""The readers of what a training leaves: configuration, model file, checkpoint, history, environment, lock, a step to be made again.

What is spoiled inside of a checkpoint gets its checksums back: they notice damage, and whoever means harm can compute them too.
"""

from __future__ import annotations

import functools
import hashlib
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from npae.errors import InputError
from npae.models import AE, VAE, Model
from npae.optim import Adam
from npae.training.checkpoint import restore_checkpoint, save_checkpoint
from npae.training.configuration import build_model, resolve, stored
from npae.training.history import History
from npae.training.lock import holder_of
from npae.training.loop import Trainer
from npae.training.manifest import LAST, PREVIOUS
from npae.training.model_file import load, model_bytes
from npae.training.options import OPTIONS
from npae.training.replay import differences, recorded
from npae.training.repro import Step, read_step, write_step
from npae.training.run import open_run
from npae.training.verify import verify
from tests.fuzz.containers import spoiled_safetensors
from tests.fuzz.mutations import spoiled_value
from tests.fuzz.reader import Files, Reader

TOML_VALUES = (
    *(
        "0",
        "-1",
        "1" + "0" * 12,
        "1" + "0" * 400,
        "9" * 5000,
        "nan",
        "inf",
        "1e400",
        "true",
        "1979-05-27",
        "{}",
        "[]",
        "[1, 2]",
        "[-1]",
        "[[1]]",
    ),
    *('""', '"x"', '["x"]', '"\\u001b[2J\\n"', '"\\u0000"', '"/"', '"~no one/x"', '"' + "x" * 5000 + '"'),
    *("[" * 2000 + "]" * 2000, "{x = " * 1500 + "1" + "}" * 1500),
)
X = np.random.default_rng(1).random((12, 5), dtype=np.float32)


def _trainer(kind: type[Model] = AE) -> Trainer:
    model = kind(5, hidden=(4,), latent=2, backend="numpy")
    return Trainer(model, Adam(model.parameters, 1e-3), X, epochs=2, batch_size=6, validation=X)


def _contents(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@functools.cache
def _runs() -> list[Files]:
    """Run folders as npae train leaves them."""
    from npae.training.files import write_json, write_text

    found = []
    for name, kind in (("ae", AE), ("vae", VAE)):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            trainer = _trainer(kind)
            save_checkpoint(trainer, folder)
            trainer.run()
            save_checkpoint(trainer, folder)
            trainer.history.write(folder / "history.jsonl")
            flags = {"hidden": [4], "latent": 2, "epochs": 2, "backend": "numpy", "image_shape": [5, 1], "learning_rate": 1e-3}
            write_text(folder / "config.toml", resolve(name, flags=flags).as_toml())
            environment = {
                "python": "3",
                "versions": {"numpy": "2"},
                "backend": {"name": "numpy", "kernels": "cpu"},
                "blas": [{"threads": 1}],
            }
            write_json(folder / "environment.json", environment | {"data": {"fingerprint": "0" * 64, "train": [12, 5]}})
            write_json(folder / "training.lock", {"pid": 1, "host": "elsewhere"})
            found.append(_contents(folder))
    return found


def _only(part: str, runs: int = 2) -> Callable[[], list[Files]]:
    """Of so many runs, the files with that in their names."""
    return lambda: [{name: content for name, content in files.items() if part in name} for files in _runs()[:runs]]


def _configurations() -> list[Files]:
    texts = [resolve(kind).as_toml() for kind in ("ae", "vae", "wae", "sparse")]
    texts.append('model = "vae"\nlatent = 3\n# a remark\nhidden = [8, 4]\n[origin]\nlatent = "flag"\n')
    return [{"config.toml": text.encode()} for text in texts]


def _model_files() -> list[Files]:
    return [{"model.safetensors": model_bytes(kind(5, hidden=(4,), latent=2, backend="numpy"))} for kind in (AE, VAE)]


def _steps() -> list[Files]:
    with tempfile.TemporaryDirectory() as folder:
        path = write_step(Path(folder) / "step.safetensors", Step.of(_trainer(), np.arange(6), "a loss that is not finite"))
        return [{path.name: path.read_bytes()}]


def spoiled_json(content: bytes, dice: random.Random) -> bytes:
    """A value changed, in one of the lines."""
    lines = content.decode().splitlines() if content.count(b"\n{") else [content.decode()]
    place = dice.randrange(len(lines))
    lines[place] = json.dumps(spoiled_value(json.loads(lines[place]), dice))
    return "\n".join(lines).encode()


def spoiled_toml(content: bytes, dice: random.Random) -> bytes:
    """A setting of any name with a value of any kind, before the table of origins."""
    key = dice.choice([*OPTIONS, "name", "model", "origin", "x", '"\\u001b[2J"', '"' + "k" * 2000 + '"'])
    value = dice.choice(TOML_VALUES)
    kept = [line for line in content.decode().splitlines() if not line.startswith(f"{key} =")]
    return "\n".join([f"{key} = {value}", *kept]).encode()


def spoiled_manifest(content: bytes, dice: random.Random) -> bytes:
    """A value changed, and the checksum made to fit."""
    manifest = json.loads(content)
    del manifest["checksum"]
    manifest = spoiled_value(manifest, dice)
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return json.dumps({"checksum": digest, **manifest} if isinstance(manifest, dict) else manifest).encode()


class _Checkpoint(Reader):
    """Tensors that were spoiled get a manifest that fits them."""

    def spoil(self, dice: random.Random) -> Files:
        before = dice.choice(self.examples())
        files = super().spoil(dice)
        for name in (f"checkpoint/{LAST}", f"checkpoint/{PREVIOUS}"):
            content = before.get(name)
            if content is None or files.get(name) not in {example.get(name) for example in self.examples()} or dice.random() < 0.2:
                continue
            manifest = json.loads(files[name])
            del manifest["checksum"]
            manifest["sha256"] = hashlib.sha256(files[f"checkpoint/{manifest['tensors']}"]).hexdigest()
            digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
            files[name] = json.dumps({"checksum": digest, **manifest}).encode()
        return files


def _read_configuration(folder: Path) -> None:
    found = resolve(None, file=folder / "config.toml")
    (folder / "config.toml").write_text(found.as_toml(), encoding="utf-8")
    assert stored(folder).values == found.values


def _read_stored(folder: Path) -> None:
    build_model(stored(folder), 5)


def _read_checkpoint(folder: Path) -> None:
    try:
        restore_checkpoint(_trainer(), folder)
    finally:
        load(folder, backend="numpy")


def _read_history(folder: Path) -> None:
    rows = History.read(folder / "history.jsonl")
    for name in ("epoch", "seconds", "train.total"):
        assert len(rows.column(name)) == len(rows)
    assert len(repr(rows)) < 100
    recorded(folder)


def _read_run(folder: Path) -> None:
    """verify says what is wrong, and refuses nothing that has a configuration."""
    for finding in verify(folder):
        assert finding.says.isprintable(), finding
    holder_of(folder)
    open_run(folder)


def _read_lock(folder: Path) -> None:
    says = holder_of(folder)
    if says and not (says.isprintable() and len(says) < 500):
        raise InputError(says)  # which counts as a message that cannot be printed


TENSORS = (".safetensors", spoiled_safetensors)
INSIDES = (("last.json", spoiled_manifest), (".json", spoiled_json), (".jsonl", spoiled_json), (".toml", spoiled_toml), TENSORS)

RUN_READERS = (
    Reader("config", _configurations, _read_configuration, ((".toml", spoiled_toml),)),
    Reader("model", _model_files, lambda folder: load(folder / "model.safetensors", backend="numpy"), (TENSORS,)),
    Reader("step", _steps, lambda folder: read_step(folder / "step.safetensors", backend="numpy"), (TENSORS,)),
    _Checkpoint("checkpoint", _only("checkpoint/", runs=1), _read_checkpoint, ((".json", spoiled_manifest), TENSORS)),
    Reader("history", _only(".jsonl"), _read_history, (("", spoiled_json),)),
    Reader("environment", _only("environment.json"), lambda folder: differences(folder, {"python": "3"}), (("", spoiled_json),)),
    Reader("lock", _only(".lock"), _read_lock, (("", spoiled_json),)),
    _Checkpoint("run", _runs, _read_run, INSIDES),
)
