"""The record of a training: one row an epoch, as an object and as JSON lines.

    {"epoch": 1, "step": 600, "seconds": 0.9, "learning_rate": 0.01, "batches": 600,
     "weights": {"nll": 1.0, "kl": 1.0}, "train": {"total": ..., "nll": ..., "kl": ...}, "validation": {...} or null,
     "fingerprint": "9a1c..."}

Terms are means over the epoch's rows, in the model's own loss scale; total is the weighted sum that was minimised. Where rows are watched
(option `watch`), "watched" holds the terms of the first so many training rows after the epoch, dropout off. The fingerprint is that of the
weights as the epoch left them (fingerprint.py). Where the guard had to act, "guard" lists what it did (guard.py).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from npae.errors import InputError
from npae.training.files import parse_json, write_text

Row = dict[str, Any]


class History(Sequence[Row]):
    """history[-1]["train"]["kl"], or history.column("train.kl") for all epochs."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self.rows = list(rows)
        self.best_epoch: int | None = None

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __repr__(self) -> str:
        last = self.rows[-1]["train"]["total"] if self.rows else float("nan")
        return f"History({len(self.rows)} epochs, last training loss {last:.6g})"

    def append(self, row: Row) -> None:
        """Add an epoch."""
        self.rows.append(row)

    def column(self, name: str) -> list[Any]:
        """One value of every epoch: "seconds", "train.total", "validation.kl"."""
        values: list[Any] = []
        for row in self.rows:
            value: Any = row
            for part in name.split("."):
                if not isinstance(value, dict) or part not in value:
                    raise InputError(f"history has no '{name}' (epoch {row['epoch']}); it has {', '.join(_names(row))}")
                value = value[part]
            values.append(value)
        return values

    def write(self, path: Path) -> None:
        """All rows as JSON lines, in place of what was there."""
        write_text(path, "".join(json.dumps(row, allow_nan=False) + "\n" for row in self.rows))

    def append_to(self, path: Path) -> None:
        """The newest row, at the end of the file."""
        with path.open("a") as file:
            file.write(json.dumps(self.rows[-1], allow_nan=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> History:
        """The rows of a JSON-lines file."""
        if not path.is_file():
            raise InputError(f"{path}: no such file; expected the history.jsonl of a run folder")
        rows = []
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            try:
                row = parse_json(line)
            except ValueError as error:
                raise InputError(f"{path}:{number} is not JSON ({error}): expected one epoch a line; delete that line") from None
            if not is_row(row):
                raise InputError(f"{path}:{number} is no epoch: expected its number, its seconds and its training terms; delete that line")
            rows.append(row)
        return cls(rows)


def is_row(row: Any) -> bool:
    """Whether it is what a training writes about an epoch, as far as all who read a history rely on it."""
    if not isinstance(row, dict) or not _is_number(row.get("epoch")) or not _is_number(row.get("seconds")):
        return False
    parts = [row.get("train"), *(part for name in ("validation", "watched", "weights") if (part := row.get(name)) is not None)]
    return all(isinstance(part, dict) and all(map(_is_number, part.values())) for part in parts) and "total" in row["train"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _names(row: Row) -> list[str]:
    flat = [name for name, value in row.items() if not isinstance(value, dict)]
    return flat + [f"{part}.{name}" for part in ("train", "validation", "watched") if isinstance(row.get(part), dict) for name in row[part]]
