"""A model in one file: its parameters as safetensors, and in the header what is needed to build it again.

    save(model, "vae.safetensors")          load("vae.safetensors") -> model, or load(run_folder) -> the run's best weights

The file holds one tensor a parameter, by name ("encoder.0.W"), and the metadata {"format": "npae 1", "kind": "vae", "spec": JSON}.
Nothing is ever unpickled. Files are written under a temporary name and renamed.
Raises InputError for a file that is missing, damaged, or not an npae model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.models import Model, model_class
from npae.parameters import at_most
from npae.training.files import parse_json, write_bytes

FORMAT = "npae 1"


def save(model: Model, path: str | Path) -> Path:
    """Write the model's parameters and constructor arguments to one .safetensors file."""
    return write_bytes(Path(path), model_bytes(model))


def model_bytes(model: Model) -> bytes:
    """The content of that file."""
    tensors = {name: model.backend.to_host(model.parameters[name].value) for name in model.parameters.names()}
    return tensor_bytes(tensors, {"kind": model.kind, "spec": json.dumps(plain_spec(model))})


def load(path: str | Path, *, backend: str | None = None) -> Model:
    """The model in a file written by `save`, or in a run folder (its best weights if it kept some, else its last)."""
    path = Path(path)
    if path.is_dir():
        from npae.training.checkpoint import weights_file

        path = weights_file(path)
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{path} holds no npae model (format {metadata.get('format')!r}, expected {FORMAT!r}); expected a file written by npae.save"
        )
    try:
        spec = parse_json(metadata["spec"])
        with at_most(sum(tensor.size for tensor in tensors.values())):
            model = model_class(metadata["kind"])(**{**spec, "backend": backend})
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: the header is damaged, or of another version of npae ({type(error).__name__}: {error})") from None
    put_parameters(model, tensors, path)
    return model


def plain_spec(model: Model) -> dict[str, Any]:
    """The constructor's arguments as JSON can hold them; the backend is a choice of the machine, not of the model."""
    return {name: _plain(value) for name, value in model.spec.items() if name != "backend"}


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's, sequences as lists."""
    if isinstance(value, np.generic):
        return value.item()
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def put_parameters(model: Model, tensors: Mapping[str, Array], path: Path) -> None:
    """Fill the model from tensors by name; every parameter must be there, in its shape."""
    for name in model.parameters.names():
        parameter = model.parameters[name]
        found = tensors[name].shape if name in tensors else "missing"
        if found != parameter.shape:
            raise InputError(
                f"{path}: parameter {name} is {found}, expected {parameter.shape}: it is a checkpoint of another model or of other widths"
            )
        parameter.value[...] = model.backend.from_host(tensors[name].astype(model.dtype))


def check_flat(tensors: Mapping[str, Array], name: str, model: Model, path: Path) -> None:
    """A tensor with one number for each parameter must be there."""
    found, expected = tensors[name].shape if name in tensors else "missing", (len(model.parameters),)
    if found != expected:
        raise InputError(f"{path}: {name} is {found}, expected {expected}: it is damaged, or a checkpoint of another model")


def write_tensors(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> Path:
    """A safetensors file, complete or not there at all."""
    return write_bytes(path, tensor_bytes(tensors, metadata))


def tensor_bytes(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """The content of a safetensors file: the same bytes for the same model.

    The library saves a transposed array wrong without a word, so contiguous copies are made first; and it writes the header's keys in an
    order that changes from call to call, so the header (8 bytes of length, JSON padded to 8 bytes) is written again, sorted.
    """
    from safetensors.numpy import save as to_bytes

    raw = bytes(to_bytes({name: np.ascontiguousarray(array) for name, array in tensors.items()}, {"format": FORMAT, **metadata}))
    length = int.from_bytes(raw[:8], "little")
    header = json.dumps(json.loads(raw[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + raw[8 + length :]


def read_tensors(path: Path, expected: str = "a .safetensors file or a run folder") -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors and the metadata of a safetensors file; `expected` is what there should be, in words."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"{path}{' is a folder' if path.is_dir() else ': no such file'}; expected {expected}")
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(
            f"{path} is not a readable safetensors file ({error}): it is damaged or of another format; expected {expected}"
        ) from None
