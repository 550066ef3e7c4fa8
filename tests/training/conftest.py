"""Small trainings: 120 rows of scikit-learn's digits in a file, and everything that a training is, by configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from npae.backend import Array
from npae.models import Terms
from npae.training.configuration import resolve
from npae.training.loop import Trainer
from npae.training.run import prepare

ROWS = 120
Make = Callable[..., Trainer]


@pytest.fixture(scope="session")
def few_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 images in [0, 1] as a .npy: five batches of 24 rows, or two of 50 and one of 20."""
    path = tmp_path_factory.mktemp("few-digits") / "digits120.npy"
    np.save(path, (load_digits().images[:ROWS] / 16).astype(np.float32))
    return path


@pytest.fixture
def without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No backend chosen outside."""
    monkeypatch.delenv("NPAE_BACKEND", raising=False)


@pytest.fixture(scope="session")
def toml() -> Callable[..., Path]:
    """toml(folder, text): a file of settings with that text."""

    def write(folder: Path, text: str, name: str = "settings.toml") -> Path:
        path = folder / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def rows(few_digits: Path) -> Array:
    """The same images as rows (120, 64)."""
    images: Array = np.load(few_digits).reshape(ROWS, -1)
    return images


@pytest.fixture(scope="session")
def train_as(few_digits: Path) -> Make:
    """train_as("vae", latent=3): a trainer for those settings, on little data and narrow layers."""

    def make(kind: str, **settings: Any) -> Trainer:
        small = {
            "data": str(few_digits),
            "hidden": [8],
            "latent": 2,
            "batch_size": 24,
            "epochs": 4,
            "validation": "none",
            "backend": "numpy",
        }
        return prepare(resolve(kind, flags=small | settings)).trainer

    return make


@pytest.fixture(scope="session")
def state_of() -> Callable[[Trainer], dict[str, Any]]:
    """Everything that the rest of a training depends on, as bytes and plain numbers; wall-clock seconds left out."""

    def state(trainer: Trainer) -> dict[str, Any]:
        best = trainer.best
        return {
            "parameters": trainer.model.parameters.value.tobytes(),
            "m": trainer.optimizer.m.tobytes(),
            "v": trainer.optimizer.v.tobytes(),
            "steps": trainer.optimizer.steps,
            "place": (trainer.epoch, trainer.batch),
            "averages": (trainer.averages.rows, trainer.averages.batches, dict(trainer.averages.sums)),
            "history": [{name: value for name, value in row.items() if name != "seconds"} for row in trainer.history],
            "best": (best.epoch, best.loss, None if best.parameters is None else best.parameters.tobytes()),
        }

    return state


@pytest.fixture(scope="session")
def stop_at() -> Callable[[Trainer, int, int | None], None]:
    """stop_at(trainer, epoch, batch): train, and interrupt after that batch of the epoch after `epoch` finished ones.

    Without a batch the interrupt comes at that epoch's end, from `on_epoch`; a batch of -1 is the epoch's last, before validation.
    """

    def stop(trainer: Trainer, epoch: int, batch: int | None) -> None:
        wanted = trainer.batches if batch == -1 else batch

        def on_batch(trainer: Trainer, terms: Terms) -> None:
            if (trainer.epoch, trainer.batch) == (epoch, wanted):
                raise KeyboardInterrupt

        def on_epoch(trainer: Trainer) -> None:
            if wanted is None and trainer.epoch == epoch:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            trainer.run(on_batch=on_batch, on_epoch=on_epoch)

    return stop
