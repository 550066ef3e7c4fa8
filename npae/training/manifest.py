"""The manifest of a checkpoint: what it consists of, with checksums, so that damage is noticed before anything is used.

    RUN/checkpoint/last.json       {"checksum": SHA-256 of the rest, "tensors": name, "sha256": of that file, "steps": ..., ...}
    RUN/checkpoint/previous.json   the manifest that last.json took the place of

Raises InputError where there is no checkpoint, and Damaged, an InputError, for one that is not what was written.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from npae.errors import InputError
from npae.training.files import write_bytes, write_json

LAST, PREVIOUS = "last.json", "previous.json"
KEYS = {"tensors", "sha256", "steps", "epoch", "batch", "averages", "seconds", "history", "best", "guard"}


class Damaged(InputError):
    """A file of a checkpoint is gone, or is not what was written."""


def write_manifest(run: Path, manifest: dict[str, Any]) -> set[str]:
    """Make it the run's last checkpoint; the one that was, if it is whole and another, becomes the previous one.

    Returns the names of the tensors files that the two need.
    """
    folder = run / "checkpoint"
    before = _whole(run, LAST) if (folder / LAST).is_file() else None
    if before and before["tensors"] != manifest["tensors"]:
        write_bytes(folder / PREVIOUS, (folder / LAST).read_bytes())
    elif (folder / PREVIOUS).is_file():  # what is damaged does not take the place of what is whole
        before = _whole(run, PREVIOUS)
    write_json(folder / LAST, {"checksum": _checksum(manifest), **manifest})
    return {str(one["tensors"]) for one in (manifest, before) if one}


def _whole(run: Path, name: str) -> dict[str, Any] | None:
    """The manifest, if it and its tensors are what was written."""
    try:
        manifest = read_manifest(run, name)
        tensors_of(run, manifest)
    except InputError:
        return None
    return manifest


def read_manifest(run: Path, name: str = LAST) -> dict[str, Any]:
    """checkpoint/last.json of a run folder, or previous.json."""
    path = run / "checkpoint" / name
    if not path.is_file():
        raise Damaged(f"{run} holds no checkpoint (no {path}); expected a run folder made by npae train")
    try:
        manifest = json.loads(path.read_bytes())
    except (ValueError, OSError) as error:
        raise Damaged(f"{path} is damaged ({error}); restore it, or train again") from None
    if not isinstance(manifest, dict) or manifest.pop("checksum", None) != _checksum(manifest):
        raise Damaged(f"{path} is damaged (its checksum does not fit its content); restore it, or train again")
    if missing := KEYS - manifest.keys():
        raise InputError(
            f"{path} has no {', '.join(sorted(missing))}: it was written by another version of npae; use that one, or train again"
        )
    if Path(str(manifest["tensors"])).name != manifest["tensors"]:
        raise InputError(f"{path} names '{manifest['tensors']}', which is not in its folder; restore it, or train again")
    return manifest


def tensors_of(run: Path, manifest: dict[str, Any]) -> Path:
    """The tensors file that the manifest names, its bytes checked."""
    path = run / "checkpoint" / str(manifest["tensors"])
    check_sum(path, str(manifest["sha256"]))
    return path


def check_sum(path: Path, expected: str) -> None:
    """The file is there and has the recorded SHA-256."""
    if not path.is_file():
        raise Damaged(f"{path}: no such file, although the checkpoint names it; restore it, or train again")
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise Damaged(f"{path} cannot be read ({error.strerror}); restore it, or train again") from None
    if found != expected:
        raise Damaged(f"{path} is damaged: SHA-256 {found[:12]}..., expected {expected[:12]}...; restore it, or train again")


def _checksum(manifest: dict[str, Any]) -> str:
    """SHA-256 of the manifest's own content."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
