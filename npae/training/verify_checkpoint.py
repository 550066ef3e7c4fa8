"""A checkpoint, checked: each part against its checksum, and against the others.

The manifest's own checksum; the SHA-256 of the tensors; a model can be built from them, and Adam's memory is that of its parameters; every
number is finite; at the end of an epoch the weights have the fingerprint that the history holds; the SHA-256 of the best weights.
Each check returns what is good in a few words. Raises InputError for what is not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from npae.errors import InputError
from npae.training.checkpoint import BEST_FILE, OPTIMIZER_M
from npae.training.fingerprint import fingerprint_of
from npae.training.manifest import check_sum, read_manifest, tensors_of
from npae.training.model_file import load, read_tensors


def check_checkpoint(run: Path, name: str) -> str:
    """Manifest and tensors, one against the other and against the history."""
    manifest = read_manifest(run, name)
    path = tensors_of(run, manifest)
    _check_finite(path)
    model = load(path, backend="numpy")
    if read_tensors(path)[0][OPTIMIZER_M].shape != (len(model.parameters),):
        raise InputError(f"{path.name}: Adam's memory is not that of the model's {len(model.parameters)} parameters")
    where = f"step {manifest['steps']}, epoch {manifest['epoch']}"
    row = manifest["history"][-1] if manifest["history"] else {}
    if manifest["batch"] or "fingerprint" not in row:
        return f"{where}, batch {manifest['batch']}"
    if fingerprint_of(model) != row["fingerprint"]:
        raise InputError(f"the weights are not those of the history's epoch {row['epoch']}; train again")
    return f"{where}; the weights are those of the history"


def check_best(run: Path) -> str:
    """The best weights as a model file of their own."""
    expected = best_sum(run)
    path = run / "checkpoint" / BEST_FILE
    if expected is None:
        raise InputError(f"the checkpoint knows of no best weights; npae train --resume {run} puts it right")
    try:
        check_sum(path, expected)
    except InputError as error:
        raise InputError(f"{str(error).partition(';')[0]}; npae train --resume {run} writes it again") from None
    _check_finite(path)
    load(path, backend="numpy")
    return f"epoch {read_manifest(run)['best']['epoch']}"


def best_sum(run: Path) -> str | None:
    """The SHA-256 of the best weights, as far as the manifest can be read."""
    try:
        expected: str | None = read_manifest(run)["best"]["sha256"]
    except InputError:
        return None
    return expected


def _check_finite(path: Path) -> None:
    for name, tensor in read_tensors(path)[0].items():
        if not np.isfinite(tensor).all():
            raise InputError(f"{path.name}: {name} holds values that are not finite; train again")
