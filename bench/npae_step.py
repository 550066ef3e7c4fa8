"""npae's training step as a worker: what `npae.fit` does for a batch.        python -m bench.npae_step FOLDER MODEL BACKEND"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np

from bench.catalogue import settings_of
from bench.peer import Clock, Peer
from bench.problem import answer, make_model
from bench.workers import serve
from npae.training.step import TrainingStep


class NpaeStep(Peer):
    """Gather, draw, forward, backward, Adam."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = settings_of(self.model, sys.argv[3], self.problem.dtype)
        model, adam = make_model(self.settings, self.problem.parameters)
        self.take_step = TrainingStep(model, adam, self.settings["seed"])
        self.x = model.check_data(self.problem.data)
        self.batch = model.buffer("batch", self.problem.x.shape[1:])

    def steps(self, count: int) -> dict[str, float]:
        """As in npae.training.loop."""
        total, clock = 0.0, Clock()
        for rows in itertools.islice(self.endless, count):
            x = np.take(self.x, rows, axis=0, out=self.batch, mode="clip")
            total += self.take_step(x).total
        return clock.stop(count, total)

    def agree(self) -> dict[str, Any]:
        """With a model of its own, so that the timed one is left alone."""
        return answer(*make_model(self.settings, self.problem.parameters), self.problem.x, self.problem.noise)


if __name__ == "__main__":
    serve(NpaeStep)
