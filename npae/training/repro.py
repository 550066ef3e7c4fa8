"""All that one training step depends on, in one file: npae replay-step makes it again, anywhere, without the data or the run.

A safetensors file. Tensors: the parameters by name, optimizer.m, optimizer.v (flat), batch.x and, where rows come with something, batch.y:
the rows as the model was given them; batch.rows, their numbers in the data. Metadata: kind and spec (the model), and step, JSON:
{"steps": made before this one, "seed": ..., "backend": ..., "adam": {...}, "message": what was said when it was written}.
The noise follows from seed and steps. Nothing is unpickled. Raises InputError for a file that is not one of these.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npae.backend import Array
from npae.errors import InputError
from npae.models import Model, model_class
from npae.optim import Adam, Schedule
from npae.parameters import at_most
from npae.training.files import parse_json
from npae.training.model_file import check_flat, plain_spec, put_parameters, read_tensors, write_tensors

if TYPE_CHECKING:
    from npae.training.loop import Trainer

ADAM = ("learning_rate", "beta1", "beta2", "epsilon", "epsilon_placement", "clip_norm")


@dataclass
class Step:
    """A step that is about to be made: `steps` were made before it."""

    model: Model
    optimizer: Adam
    x: Array
    given: tuple[Array, ...]
    rows: Array
    seed: int
    message: str

    @property
    def steps(self) -> int:
        """The number of steps made before this one."""
        return self.optimizer.steps

    @classmethod
    def of(cls, trainer: Trainer, rows: Array, message: str) -> Step:
        """The trainer's next step, on those rows."""
        x, given = trainer.inputs(rows)
        return cls(trainer.model, trainer.optimizer, x, given, rows, trainer.seed, message)


def write_step(path: Path, step: Step) -> Path:
    """Store it."""
    model, adam, host = step.model, step.optimizer, step.model.backend.to_host
    tensors = {name: host(model.parameters[name].value) for name in model.parameters.names()}
    tensors |= {"optimizer.m": host(adam.m), "optimizer.v": host(adam.v), "batch.x": host(step.x), "batch.rows": step.rows}
    if step.given:
        tensors["batch.y"] = host(step.given[0])
    settings = {name: getattr(adam, name) for name in ADAM} | {"learning_rate": adam.rate()}  # the schedule's factor included
    content = {"steps": step.steps, "seed": step.seed, "backend": model.backend.name, "adam": settings, "message": step.message}
    return write_tensors(path, tensors, {"kind": model.kind, "spec": json.dumps(plain_spec(model)), "step": json.dumps(content)})


def read_step(path: Path, *, backend: str | None = None) -> Step:
    """The stored step, to be made with that backend, or the one it was made with."""
    expected = "a file that the guard wrote: RUN/guard/step-NUMBER.safetensors"
    tensors, metadata = read_tensors(path, expected)
    if "step" not in metadata:
        raise InputError(f"{path} holds no training step; expected {expected}")
    try:
        content: dict[str, Any] = parse_json(metadata["step"])
        spec = parse_json(metadata["spec"])
        with at_most(sum(tensor.size for tensor in tensors.values())):
            model = model_class(metadata["kind"])(**{**spec, "backend": backend or content["backend"]})
        put_parameters(model, tensors, path)
        adam = Adam(model.parameters, schedule=Schedule(), **content["adam"])
        check_flat(tensors, "optimizer.m", model, path)
        check_flat(tensors, "optimizer.v", model, path)
        device = model.backend.from_host
        adam.m[...], adam.v[...], adam.steps = device(tensors["optimizer.m"]), device(tensors["optimizer.v"]), int(content["steps"])
        x, rows = device(tensors["batch.x"]), tensors["batch.rows"]
        given = (device(tensors["batch.y"]),) if "batch.y" in tensors else ()
        return Step(model, adam, x, given, rows, int(content["seed"]), str(content["message"]))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path} is damaged, or of another version of npae ({type(error).__name__}: {error})") from None
