"""What a configuration builds: the model from its own options, the training from all others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.data.text import Alphabet, TextFormat
from npae.models import MODELS
from npae.optim import Schedule
from npae.training.configuration import build_model, resolve
from npae.training.options import OF_THE_MODEL, OPTIONS, model_arguments
from npae.training.run import prepare

pytestmark = pytest.mark.usefixtures("without_environment")


@pytest.mark.parametrize("name", MODELS)
def test_the_model_is_built_from_every_option_that_applies_to_it(name: str) -> None:
    flags = {"latent": 3, "hidden": [7, 5], "dropout": 0.25, "dtype": "float64", "backend": "numpy", "seed": 9, "initialiser": "he"}
    extras: dict[str, dict[str, Any]] = {
        "ae": {"code_activation": "tanh"},
        "vae": {"beta": 0.5, "l2": 0.1},
        "wae": {"lambda": 4.0, "bandwidth": "prior"},
    }
    extra = extras.get(name, {})
    flags = {key: value for key, value in flags.items() if OPTIONS[key].argument in model_arguments(name)}
    y = {"labels": np.array([0, 2]), "targets": np.eye(6), None: None}[MODELS[name].companion]
    text = TextFormat(Alphabet("a", 11), Alphabet("ab", 2)) if name == "paired" else None
    model = build_model(resolve(name, flags=flags | extra), 11, y, text)
    assert (model.kind, model.features, model.latent) == (name, 11, 3)
    for key, value in (flags | extra).items():
        assert model.spec[OPTIONS[key].argument] == value
    sizes = {"cvae": {"classes": 3}, "paired": {"target_features": 6, "symbols": 3}}.get(name, {})
    assert {size: model.spec[size] for size in sizes} == sizes


def test_the_training_is_set_up_from_every_option_that_is_not_the_models(few_digits: Path, tmp_path: Path) -> None:
    """Each value is another one than the default, so that one left out shows."""
    np.savez(tmp_path / "labelled.npz", x=np.load(few_digits), y=np.arange(120) % 2)
    optimizer = {"learning_rate": 0.25, "beta1": 0.5, "beta2": 0.75, "epsilon": 1e-3, "epsilon_placement": "uncorrected", "clip_norm": 2.0}
    schedule = {"schedule": "step", "warmup": 3, "decay": 0.5}
    loop = {
        "epochs": 4,
        "batch_size": 50,
        "seed": 9,
        "shuffle": False,
        "drop_last": True,
        "binarise": "dynamic",
        "patience": 2,
        "watch": 7,
        "step": "ordinary",
        "guard": "skip",
    }
    rows = {"data": str(tmp_path / "labelled.npz"), "validation": 0.25, "scale": "none", "image_shape": [4, 16], "keep": [0, 1]}
    model = {"backend": "numpy", "dtype": "float64", "hidden": [3], "latent": 2}
    chosen = optimizer | schedule | loop | rows | model
    assert set(chosen) >= {key for key, one in OPTIONS.items() if one.default is not OF_THE_MODEL}
    run = prepare(resolve("ae", flags=chosen))
    for key, value in optimizer.items():
        assert getattr(run.trainer.optimizer, key) == value, key
    assert run.trainer.optimizer.schedule == Schedule("step", total=4 * (90 // 50), warmup=3, decay=0.5)
    for key, value in loop.items():
        assert getattr(run.trainer, key) == value, key
    assert (len(run.trainer.x), run.dataset.image_shape, run.trainer.x.dtype) == (90, (4, 16), np.dtype("float64"))


def test_without_clipping_there_is_none(few_digits: Path) -> None:
    flags = {"data": str(few_digits), "backend": "numpy", "clip_norm": 0.0, "hidden": [3]}
    assert prepare(resolve("ae", flags=flags)).trainer.optimizer.clip_norm is None
