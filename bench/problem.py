"""The training step that everybody is asked to do: data, parameters, and batches with their noise, made by npae and written to a folder.

    data.npy     (N, 784) float32         all training rows; each peer gathers its own batches from them
    order.npy    (N,) int64               one shuffled order of the rows, drawn beforehand: it is no part of a step
    MODEL.json   batch, dtype, network    the network and its objective in plain data (network.py), null where the peers do not know it
    MODEL.npz    param:NAME               where the parameters start, by npae's names: Dense W (I, O) and b (O,)
                 x (4, B, 784)            four batches
                 eps, prior (4, B, Z)     their noise, for the models that need it; dropoutK (4, B, H): kept where >= the rate

To agree on: the terms of the first batch, and the total of the fourth after Adam steps on the first three. The truth is npae's NumPy
reference in float64. The data are MNIST where it is on this machine, otherwise random pixels, as many of them nonzero as in MNIST.
Raises InputError for a batch that the data are too few for, NotDescribed for a model whose rows come with labels or targets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.catalogue import note, settings_of
from bench.describe import NotDescribed, describe
from bench.network import Network, from_plain
from npae.backend import Array
from npae.compiled import CompiledSteps, NotCovered
from npae.data import batch_indices, load
from npae.data.find import find
from npae.errors import InputError
from npae.models import Model, model_class
from npae.noise import Noise
from npae.optim import Adam
from npae.training.configuration import Configuration, build_model

FEATURES, ROWS, NONZERO, BATCHES = 784, 60_000, 0.191, 4
PARAMETER, NOISE = "param:", "noise:"


@dataclass(frozen=True)
class Problem:
    """What a worker reads back."""

    data: Array
    order: Array
    dtype: str
    description: Network | None
    parameters: dict[str, Array]
    x: Array
    noise: dict[str, Array]

    @property
    def network(self) -> Network:
        """For a peer, which is only started where there is one."""
        assert self.description is not None
        return self.description


@dataclass(frozen=True)
class Written:
    """What `write_model` made, and who cannot take part: "peers" (all of them), "compiled"."""

    truth: dict[str, Any]
    batch: int
    parameters: int
    network: Network | None
    note: str = ""
    cannot: dict[str, str] = field(default_factory=dict)


def make_model(settings: Configuration, parameters: dict[str, Array]) -> tuple[Model, Adam]:
    """npae's model with those parameters, and its Adam."""
    model = build_model(settings, FEATURES)
    for name, value in parameters.items():
        model.parameters[name].value[...] = model.backend.from_host(value)
    keys = ("learning_rate", "beta1", "beta2", "epsilon", "epsilon_placement")
    return model, Adam(model.parameters, **{key: settings[key] for key in keys}, clip_norm=settings["clip_norm"] or None)


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
    return f"{title}, {len(data)} x {data.shape[1]}"


def write_model(folder: Path, name: str, batch: int | None = None, dtype: str = "float32") -> Written:
    """MODEL.json and MODEL.npz, in the model's own batch size where none is given."""
    data, order = np.load(folder / "data.npy", mmap_mode="r"), np.load(folder / "order.npy")
    settings = settings_of(name, "numpy", dtype)
    batch = batch or int(settings["batch_size"])
    if BATCHES * batch > len(order):
        raise InputError(f"--batch {batch}: {BATCHES} batches are needed of {len(order)} rows; give {len(order) // BATCHES} or less")
    if model_class(settings.model).companion:
        raise NotDescribed(f"a {settings.model}: its rows come with {model_class(settings.model).companion}, and the bench has rows alone")
    model, adam = make_model(settings, {})
    parameters = {key: model.parameters[key].value for key in model.parameters.names()}
    x = data[order[: BATCHES * batch]].reshape(BATCHES, batch, FEATURES).astype(dtype)
    draws = [model.draw(settings["seed"], step, batch) for step in range(BATCHES)]
    noise = {key: np.stack([draw[key] for draw in draws]) for key in draws[0]}
    cannot: dict[str, str] = {}
    network: Network | None = None
    try:
        network = describe(model, adam, batch)
    except NotDescribed as reason:
        cannot["peers"] = str(reason)
    try:
        CompiledSteps(*make_model(settings_of(name, "numba", dtype), {}), settings["seed"], x[0]).plan(batch)
    except NotCovered as reason:
        cannot["compiled"] = str(reason)
    arrays: dict[str, Any] = {PARAMETER + key: value for key, value in parameters.items()} | {NOISE + key: noise[key] for key in noise}
    np.savez(folder / f"{name}.npz", x=x, **arrays)
    content = {"batch": batch, "dtype": dtype, "network": network and network.plain()}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    exact = {key: array.astype(np.float64) for key, array in noise.items()}
    truth = answer(*make_model(settings_of(name, "numpy", "float64", fitting=dtype), parameters), x, exact)
    return Written(truth, batch, len(model.parameters), network, note(name, dtype), cannot)


def read(folder: Path, name: str) -> Problem:
    """What `write_data` and `write_model` left."""
    content = json.loads((folder / f"{name}.json").read_text())
    with np.load(folder / f"{name}.npz", allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    parameters, noise = (
        {key.removeprefix(kind): value for key, value in arrays.items() if key.startswith(kind)} for kind in (PARAMETER, NOISE)
    )
    network = from_plain(content["network"]) if content["network"] else None
    data, order = np.load(folder / "data.npy").astype(content["dtype"], copy=False), np.load(folder / "order.npy")
    return Problem(data, order, content["dtype"], network, parameters, arrays["x"], noise)
