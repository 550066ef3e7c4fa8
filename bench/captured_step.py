"""npae's training step on a GPU as a worker.        python -m bench.captured_step FOLDER MODEL captured|in-turn|eager

What `npae train` does there: the data lie on the device, the host copies the rows of an epoch's steps, launches them, and waits once.
`captured` replays a CUDA graph, `in-turn` one whose launches follow one another even where neither needs the other, `eager` launches the
same kernels one by one. Each step draws its own noise, by the seed and the number of
the step; those of the problem are the same numbers.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from typing import Any

from bench.catalogue import settings_of
from bench.gpu.device import the_gpu
from bench.peer import Peer
from bench.problem import BATCHES, make_model
from bench.workers import serve
from npae.captured import CapturedSteps

UNIT = 600  # steps in a call at most: an epoch of MNIST in batches of 100


class CapturedStep(Peer):
    """Gather, draw, forward, backward, Adam: many of them for one wait."""

    def __init__(self) -> None:
        super().__init__()
        self.form, self.gpu = sys.argv[3], the_gpu()
        self.unit = max(BATCHES, min(UNIT, len(self.problem.order) // self.rows))
        self.take_steps = self.start()

    def start(self) -> CapturedSteps:
        """From the problem's parameters; remembers how long the data took to the device."""
        settings, found = settings_of(self.model, "cupy", self.problem.dtype), []
        model, adam = make_model(settings, self.problem.parameters)
        self.upload_seconds = self.gpu.seconds(lambda: found.append(model.backend.from_host(self.problem.data)))
        form = {"replayed": self.form != "eager", "side_by_side": self.form != "in-turn"}
        return CapturedSteps(model, adam, settings["seed"], found[0], most=self.unit, **form)

    def steps(self, count: int) -> dict[str, float]:
        """In calls of an epoch, or less."""
        calls, total, own = math.ceil(count / self.unit), 0.0, time.process_time()

        def work() -> None:
            nonlocal total
            for _ in range(calls):
                total += sum(terms.total for terms in self.take_steps.run(list(itertools.islice(self.endless, self.unit))))

        seconds, steps = self.gpu.seconds(work), calls * self.unit
        return {"steps": steps, "seconds": seconds, "processor_seconds": time.process_time() - own, "loss": total / steps}

    def agree(self) -> dict[str, Any]:
        """With a model of its own."""
        terms = self.start().run(list(itertools.islice(self._batches(), BATCHES)))
        return {"terms": {**terms[0], "total": terms[0].total}, "later": terms[-1].total}

    def about(self) -> dict[str, Any]:
        """With what the device holds, the copy that no step repeats, and the launches of a step's graph: (all, one after another)."""
        held = {"device_bytes": self.take_steps.lane.allocated(), "upload_seconds": self.upload_seconds}
        chain = {"chain": self.take_steps.chain(self.rows)} if self.form != "eager" else {}
        return super().about() | held | chain | {"upload_bytes": self.problem.data.nbytes}


if __name__ == "__main__":
    serve(CapturedStep)
