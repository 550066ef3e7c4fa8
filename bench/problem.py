"""The training step that everybody is asked to do: data, parameters, and batches with their noise, made by npae and written to a folder.

    data.npy    (N, 784) float32         all training rows; each peer gathers its own batches from them
    order.npy   (N,) int64               one shuffled order of the rows, drawn beforehand: it is no part of a step
    MODEL.npz   param:NAME               where the parameters start, by npae's names: Dense W (I, O) and b (O,)
                x (4, B, 784)            four batches
                eps, prior (4, B, Z)     their noise, for the models that need it

To agree on: the terms of the first batch, and the total of the fourth after Adam steps on the first three. The truth is npae's NumPy
reference in float64. The data are MNIST where it is on this machine, otherwise random pixels, as many of them nonzero as in MNIST.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npae.backend import Array
from npae.data import batch_indices, load
from npae.data.find import find
from npae.errors import InputError
from npae.models import Model
from npae.noise import Noise
from npae.optim import Adam
from npae.training.configuration import Configuration, build_model, resolve

MODELS = ("ae", "vae", "wae")
FEATURES, ROWS, NONZERO, BATCHES = 784, 60_000, 0.191, 4
PARAMETER, NOISE = "param:", ("eps", "prior")


@dataclass(frozen=True)
class Problem:
    """What a worker reads back."""

    data: Array
    order: Array
    parameters: dict[str, Array]
    x: Array
    noise: dict[str, Array]
    learning_rate: float
    epsilon: float


def settings_of(model: str, backend: str, dtype: str = "float32") -> Configuration:
    """The published run of that model."""
    return resolve(f"flux-{model}", flags={"backend": backend, "dtype": dtype})


def make_model(settings: Configuration, parameters: dict[str, Array]) -> tuple[Model, Adam]:
    """npae's model with those parameters, and its Adam."""
    model = build_model(settings, FEATURES)
    for name, value in parameters.items():
        model.parameters[name].value[...] = value
    return model, Adam(model.parameters, settings["learning_rate"], epsilon=settings["epsilon"])


def answer(model: Model, adam: Adam, x: Array, noise: dict[str, Array]) -> dict[str, Any]:
    """npae's terms of the first batch, and its total on the last after Adam steps on those before."""
    first: dict[str, float] = {}
    for k in range(BATCHES):
        terms = model.loss_and_grad(x[k], noise=Noise(**{name: array[k] for name, array in noise.items()}), step=k)
        first = first or {**terms, "total": terms.total}
        adam.update()
    return {"terms": first, "later": terms.total}


def write_data(folder: Path) -> str:
    """data.npy and order.npy; returns what the data are."""
    if find("mnist") is None:
        rng = np.random.default_rng(0)
        data = rng.random((ROWS, FEATURES), np.float32)
        data *= rng.random(data.shape, np.float32) < NONZERO
        title = f"random pixels, {NONZERO:.0%} of them nonzero as in MNIST (for MNIST itself: npae data fetch mnist)"
    else:
        data, title = load("mnist").train, "MNIST"
    np.save(folder / "data.npy", data)
    (order,) = batch_indices(len(data), len(data), seed=0, epoch=0, shuffle=True, drop_last=False)
    np.save(folder / "order.npy", order)
    return f"{title}, {len(data)} x {data.shape[1]} float32"


def write_model(folder: Path, name: str, batch: int) -> dict[str, Any]:
    """MODEL.npz; returns the truth."""
    data, order = np.load(folder / "data.npy", mmap_mode="r"), np.load(folder / "order.npy")
    if BATCHES * batch > len(order):
        raise InputError(f"--batch {batch}: {BATCHES} batches are needed of {len(order)} rows; give {len(order) // BATCHES} or less")
    settings = settings_of(name, "numpy")
    model, _ = make_model(settings, {})
    parameters = {key: model.parameters[key].value for key in model.parameters.names()}
    x = data[order[: BATCHES * batch]].reshape(BATCHES, batch, FEATURES)
    draws = [model.draw(settings["seed"], step, batch) for step in range(BATCHES)]
    noise = {key: np.stack([draw[key] for draw in draws]) for key in draws[0]}
    arrays: dict[str, Any] = {PARAMETER + key: value for key, value in parameters.items()}
    arrays |= {"x": x, **noise, **{key: settings[key] for key in ("learning_rate", "epsilon")}}
    np.savez(folder / f"{name}.npz", **arrays)
    exact = {key: array.astype(np.float64) for key, array in noise.items()}
    return answer(*make_model(settings_of(name, "numpy", "float64"), parameters), x, exact)


def read(folder: Path, name: str) -> Problem:
    """What `write_data` and `write_model` left."""
    with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    parameters = {key.removeprefix(PARAMETER): value for key, value in arrays.items() if key.startswith(PARAMETER)}
    noise = {key: value for key, value in arrays.items() if key in NOISE}
    data, order = np.load(folder / "data.npy"), np.load(folder / "order.npy")
    return Problem(data, order, parameters, arrays["x"], noise, float(arrays["learning_rate"]), float(arrays["epsilon"]))
