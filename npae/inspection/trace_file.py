"""A step that was laid open, in a file: every tensor (.npz), or the numbers about each (.json).

    .npz    one array a tensor, "encoder.0.dW", in the order of the step; and `about`: JSON as bytes (model, step, rows, dtype, backend)
    .json   what npae trace --json prints

Nothing is unpickled; an .npz that unpacks to more than the limit for data is refused (data/arrays.py).
Raises InputError for a file that is missing, damaged, or none of these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npae.backend import Array
from npae.data.arrays import read_npz_members
from npae.errors import InputError
from npae.inspection.flow import Flow
from npae.training.files import write_json, write_npz

ABOUT = "about"
SUMMARY = ("mean", "std", "min", "max", "norm")


@dataclass(frozen=True)
class Stored:
    """`arrays`: of each tensor its numbers, or (`summaries`) mean, std, min, max and norm of them; in the order of the step."""

    about: Mapping[str, Any]
    arrays: Mapping[str, Array]
    summaries: bool


def write_trace(path: Path, flow: Flow) -> Path:
    """Store it in the form that the suffix names."""
    if path.suffix == ".json":
        return write_json(path, flow.as_dict())
    if path.suffix != ".npz":
        raise InputError(f"{path}: a trace is stored as .npz or .json; end the name in one of them")
    about = np.frombuffer(json.dumps(flow.about).encode(), np.uint8)
    return write_npz(path, **{ABOUT: about}, **flow.arrays)


def read_trace(path: Path) -> Stored:
    """A file that write_trace wrote, or the output of npae trace --json."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a run, or what npae trace --npz or --json wrote")
    try:
        return _of_npz(path) if path.suffix == ".npz" else _of_json(path)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} holds no trace ({type(error).__name__}: {error}); write it with npae trace --npz or --json") from None


def of_flow(flow: Flow) -> Stored:
    """The same of a step just laid open."""
    return Stored(flow.about, flow.arrays, summaries=False)


def _of_npz(path: Path) -> Stored:
    arrays = read_npz_members(path)
    about = json.loads(bytes(arrays.pop(ABOUT)))
    return Stored(dict(about), arrays, summaries=False)


def _of_json(path: Path) -> Stored:
    content = json.loads(path.read_text())
    about = {key: content[key] for key in ("model", "step", "rows", "dtype", "backend")}
    rows = {f"{row['node']}.{row['tensor']}": [row[name] for name in SUMMARY] for row in content["tensors"]}
    return Stored(about, {name: np.array(row, np.float64) for name, row in rows.items()}, summaries=True)
