"""npae's compiled training step as a worker: what `npae train` does where it compiles.        python -m bench.compiled_step FOLDER MODEL

Each step draws its own noise, by the seed and the number of the step; those of the problem are the same numbers.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from bench.catalogue import settings_of
from bench.peer import Clock, Peer
from bench.problem import BATCHES, make_model
from bench.workers import serve
from npae.compiled import CompiledSteps

UNIT = 100  # steps a call, as JAX's


class CompiledStep(Peer):
    """Gather, draw, forward, backward, Adam: one call for 100 of them."""

    def __init__(self) -> None:
        super().__init__()
        self.take_steps = self.start()

    def start(self) -> CompiledSteps:
        """From the problem's parameters."""
        settings = settings_of(self.model, "numba", self.problem.dtype)
        model, adam = make_model(settings, self.problem.parameters)
        return CompiledSteps(model, adam, settings["seed"], self.problem.data)

    def steps(self, count: int) -> dict[str, float]:
        """In calls of 100."""
        calls, total, clock = math.ceil(count / UNIT), 0.0, Clock()
        for _ in range(calls):
            total += sum(terms.total for terms in self.take_steps.run(list(itertools.islice(self.endless, UNIT))))
        return clock.stop(calls * UNIT, total)

    def agree(self) -> dict[str, Any]:
        """With a model of its own."""
        terms = self.start().run(list(itertools.islice(self._batches(), BATCHES)))
        return {"terms": {**terms[0], "total": terms[0].total}, "later": terms[-1].total}


if __name__ == "__main__":
    serve(CompiledStep)
