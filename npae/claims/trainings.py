"""The models that claims are tested on: trained by name, kept for the claims that come after.

    trainings("flux-vae", seed)                          a preset, as published
    trainings("vae", seed, epochs=20, beta=0.0)          a model with some of its settings changed

`data` and `epochs` replace what a claim asks for (a quick look on other data); the report says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.classifier import Classifier, fit_classifier
from npae.evaluation.subset import some_indices
from npae.models import Model
from npae.training.configuration import resolve
from npae.training.history import History
from npae.training.loop import Trainer
from npae.training.run import prepare
from npae.training.split import Part, split

Watch = Callable[[str, Trainer], None]


@dataclass(frozen=True, eq=False)
class Trained:
    """A model with its history, what it was trained on, and the test rows."""

    model: Model
    history: History
    train: Part
    test: Part

    @property
    def y(self) -> Array | None:
        """What the model reads beside the test rows."""
        return self.test.companion(type(self.model), "data")


class Trainings:
    """Trains each (name, seed, settings) once."""

    def __init__(self, *, data: str = "mnist", epochs: int | None = None, backend: str | None = None, watch: Watch | None = None) -> None:
        self.data, self.epochs, self.backend, self.watch = data, epochs, backend, watch
        self._kept: dict[str, Trained] = {}
        self._classifiers: dict[int, Classifier] = {}

    def __call__(self, name: str, seed: int, **settings: Any) -> Trained:
        """The trained model."""
        key = json.dumps([name, seed, settings], sort_keys=True)
        if key not in self._kept:
            self._kept[key] = self._train(name, seed, settings)
        return self._kept[key]

    def _train(self, name: str, seed: int, settings: dict[str, Any]) -> Trained:
        flags = {"data": self.data, "seed": seed, "validation": "none"} | settings
        flags |= {"epochs": self.epochs} if self.epochs else {}
        flags |= {"backend": self.backend} if self.backend else {}
        run = prepare(resolve(name, flags=flags))
        if run.dataset.test is None or run.dataset.test_labels is None or run.dataset.train_labels is None:
            raise InputError(f"--data {self.data}: claims need training rows and test rows with labels, as mnist and digits have")

        def on_batch(trainer: Trainer, terms: object) -> None:
            if self.watch:
                self.watch(f"{name} seed {seed}", trainer)

        run.trainer.run(on_batch=on_batch, every_batch=False)
        return Trained(run.model, run.trainer.history, run.split.train, split(run.dataset, "test", 0).seen)

    def classifier(self, seed: int, train: Part) -> Classifier:
        """A classifier of the data, for its feature space; one for each seed."""
        if seed not in self._classifiers:
            assert train.labels is not None
            self._classifiers[seed] = fit_classifier(train.rows, train.labels, seed=seed)
        return self._classifiers[seed]


def some_of(part: Part, count: int, seed: int) -> tuple[Array, Array]:
    """`count` rows picked by the seed, and their labels."""
    assert part.labels is not None
    chosen = some_indices(len(part.rows), count, seed)
    return part.rows[chosen], np.asarray(part.labels[chosen])
