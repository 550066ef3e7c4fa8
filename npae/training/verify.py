"""Everything that a run folder holds, checked: is it what was written, and does it agree with the rest?

    config.toml          parses, and every setting is one that there is
    environment.json     parses, and names backend and data
    history.jsonl        a line an epoch: 1, 2, 3, ...; as far as the checkpoint goes, the same rows as in it
    checkpoint/          both checkpoints and the best weights (verify_checkpoint.py)
    guard/  figures/     steps that can be made again; pictures that are whole
    *.json               whatever else was stored parses

A finding is good, bad, or a remark: what is not as after a quiet end of training, but harmless. Nothing is written.
Raises InputError for a folder that is no run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from npae.errors import InputError, printable
from npae.training.checkpoint import BEST_FILE
from npae.training.configuration import check_is_folder, stored
from npae.training.files import parse_json
from npae.training.history import History
from npae.training.lock import NAME as LOCK
from npae.training.lock import holder_of
from npae.training.manifest import LAST, PREVIOUS, read_manifest
from npae.training.repro import read_step
from npae.training.verify_checkpoint import best_sum, check_best, check_checkpoint

GOOD, REMARK, BAD = "good", "remark", "bad"


@dataclass(frozen=True)
class Finding:
    """One file, and what was found."""

    file: str
    state: str
    says: str


def verify(run: Path) -> list[Finding]:
    """Every finding, in the order of the folder's description."""
    check_is_folder(run)
    if not (run / "config.toml").exists() and not (run / "checkpoint").exists():
        raise InputError(f"{run} is not a run folder (no config.toml and no checkpoint in it); expected a folder made by npae train")
    checks: list[tuple[str, Callable[[Path], str]]] = [
        ("config.toml", _configuration),
        ("environment.json", _environment),
        ("history.jsonl", _history),
        (f"checkpoint/{LAST}", lambda run: check_checkpoint(run, LAST)),
    ]
    if (run / "checkpoint" / PREVIOUS).exists():
        checks.append((f"checkpoint/{PREVIOUS}", lambda run: check_checkpoint(run, PREVIOUS)))
    if (run / "checkpoint" / BEST_FILE).exists() or best_sum(run):
        checks.append((f"checkpoint/{BEST_FILE}", check_best))
    checks += list(_others(run))
    return [_found(name, check, run) for name, check in checks] + list(_remarks(run))


def _found(name: str, check: Callable[[Path], str], run: Path) -> Finding:
    """A check says what is good, or raises."""
    try:
        return Finding(name, GOOD, printable(check(run)))
    except InputError as error:
        return Finding(name, BAD, " ".join(str(error).split()))
    except OSError as error:
        return Finding(name, BAD, f"cannot be read: {error.strerror or error}")


def _configuration(run: Path) -> str:
    configuration = stored(run)
    return f"{configuration.name}: {len(configuration.values)} settings"


def _environment(run: Path) -> str:
    content = _json(run / "environment.json")
    try:
        backend, data = str(content["backend"]["name"]), str(content["data"]["fingerprint"])
    except (KeyError, TypeError) as error:
        raise InputError(f"does not say backend and data ({type(error).__name__}: {error})") from None
    return f"backend {backend}, data SHA-256 {data[:12]}..."


def _history(run: Path) -> str:
    """Its lines, and that the checkpoint's history is how it begins."""
    rows = History.read(run / "history.jsonl").rows
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or row.get("epoch") != number:
            raise InputError(f"line {number} is not epoch {number}; npae train --resume {run} writes it again from the checkpoint")
    try:
        known = read_manifest(run)["history"]
    except InputError:
        return f"{len(rows)} epochs; no checkpoint to compare with"
    if rows[: len(known)] != known:
        first = next(k for k in range(len(known)) if k >= len(rows) or rows[k] != known[k]) + 1
        raise InputError(f"epoch {first} is not as in the checkpoint; npae train --resume {run} writes it again")
    more = f", the last {len(rows) - len(known)} since the checkpoint" if len(rows) > len(known) else ""
    return f"{len(rows)} epochs{more}"


def _others(run: Path) -> Iterator[tuple[str, Callable[[Path], str]]]:
    """Repro files, pictures, and whatever else is JSON."""

    def of(check: Callable[[Path], str], path: Path) -> tuple[str, Callable[[Path], str]]:
        return str(path.relative_to(run)), lambda run: check(path)

    for path in sorted((run / "guard").glob("*.safetensors")):
        yield of(lambda path: f"step {read_step(path, backend='numpy').steps + 1} can be made again", path)
    for path in sorted((run / "figures").rglob("*")):
        if path.suffix in PICTURES:
            yield of(PICTURES[path.suffix], path)
    for path in sorted(run.glob("*.json")):
        if path.name not in ("environment.json", LOCK):
            yield of(lambda path: f"{len(_json(path))} entries", path)


def _remarks(run: Path) -> Iterator[Finding]:
    if holder := holder_of(run):
        yield Finding(LOCK, REMARK, f"{holder} is training here: what it writes may not agree for a moment")
    elif (run / LOCK).exists():
        yield Finding(LOCK, REMARK, f"the training was killed; go on with npae train --resume {run}")
    for path in sorted(run.rglob("*.tmp")):
        yield Finding(str(path.relative_to(run)), REMARK, "half written by a process that was killed; nothing reads it")


def _json(path: Path) -> Any:
    try:
        return parse_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except ValueError as error:
        raise InputError(f"is not JSON ({error})") from None


def _png(path: Path) -> str:
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            return f"{image.width} x {image.height}"
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"is not a whole picture ({error}); npae figure draws it again") from None


def _svg(path: Path) -> str:
    try:
        return f"{len(list(ElementTree.parse(path).iter()))} elements"
    except ElementTree.ParseError as error:
        raise InputError(f"is not a whole picture ({error}); npae figure draws it again") from None


PICTURES: dict[str, Callable[[Path], str]] = {".png": _png, ".svg": _svg}
