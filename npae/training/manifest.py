"""The manifest of a checkpoint: what it consists of, with checksums, so that damage is noticed before anything is used.

    RUN/checkpoint/last.json       {"checksum": SHA-256 of the rest, "tensors": name, "sha256": of that file, "steps": ..., ...}
    RUN/checkpoint/previous.json   the manifest that last.json took the place of

Raises InputError where there is no checkpoint, and Damaged, an InputError, for one that is not what was written.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from npae.errors import InputError
from npae.training.files import parse_json, write_bytes, write_json
from npae.training.guard import HALVINGS
from npae.training.history import is_row

LAST, PREVIOUS = "last.json", "previous.json"
Check = Callable[[Any], bool]


def _whole_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_number, value.values()))


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _record(**parts: Check) -> Check:
    """A table with these entries."""
    return lambda value: isinstance(value, dict) and all(name in value and check(value[name]) for name, check in parts.items())


def _or_nothing(check: Check) -> Check:
    return lambda value: value is None or check(value)


KEYS: dict[str, Check] = {  # and what each has to be
    "tensors": _text,
    "sha256": _text,
    "steps": _whole_number,
    "epoch": _whole_number,
    "batch": _whole_number,
    "averages": _record(sums=_numbers, rows=_whole_number, batches=_whole_number, weights=_numbers),
    "seconds": _number,
    "history": lambda rows: isinstance(rows, list) and all(map(is_row, rows)),
    "best": _record(epoch=_whole_number, loss=_or_nothing(_number), sha256=_or_nothing(_text)),
    "guard": _record(
        incidents=lambda rows: isinstance(rows, list),
        halvings=lambda count: _whole_number(count) and count <= HALVINGS,
        start=_or_nothing(_whole_number),
    ),
}


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
        manifest = parse_json(path.read_bytes())
    except (ValueError, OSError) as error:
        raise Damaged(f"{path} is damaged ({error}); restore it, or train again") from None
    if not isinstance(manifest, dict) or manifest.pop("checksum", None) != _checksum(manifest):
        raise Damaged(f"{path} is damaged (its checksum does not fit its content); restore it, or train again")
    if missing := KEYS.keys() - manifest.keys():
        raise InputError(
            f"{path} has no {', '.join(sorted(missing))}: it was written by another version of npae; use that one, or train again"
        )
    if wrong := [key for key, fits in KEYS.items() if not fits(manifest[key])]:
        raise InputError(f"{path}: {wrong[0]} is {manifest[wrong[0]]!r}, which no training writes; restore it, or train again")
    if Path(manifest["tensors"]).name != manifest["tensors"]:
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
