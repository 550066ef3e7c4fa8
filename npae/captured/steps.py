"""Many training steps on a GPU in one call: the host copies what they are to do, launches them, and waits once.

    steps = CapturedSteps(model, optimizer, seed, data, given, most=600)
    steps.run([rows, rows, ...], epoch) -> [Terms, ...]         one for each batch, as the ordinary step gives them

The first steps for a batch size are launched one by one, which compiles their kernels and takes their memory; then they are recorded as
CUDA graphs, one of a single step and one of TOGETHER, so that an epoch is a handful of launches of the host's. With replayed=False all are
launched one by one. Both give the same numbers to the last bit: they are the same launches.
Where a loss or a gradient is not finite, that step and all after it leave everything as it is, and fewer Terms come back; the ordinary step
then says why. Raises InputError where the model's backend is not cupy.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from npae.backend import Array
from npae.captured.batch import BatchStep
from npae.errors import InputError
from npae.kernels.cuda.device import current
from npae.kernels.cuda.recording import Recording
from npae.models import Model, Terms
from npae.optim import Adam

TOGETHER = 50  # steps in the larger graph: an epoch of 600 is 12 launches of the host's
WARM_UP = 2  # steps that are launched one by one: the second one already finds all the memory that it needs


class CapturedSteps:
    """Steps for one model, optimiser and data set, recorded once for each batch size."""

    def __init__(
        self,
        model: Model,
        optimizer: Adam,
        seed: int,
        data: Array,
        given: tuple[Array, ...] = (),
        *,
        most: int,
        binarise: str = "none",
        replayed: bool = True,
        side_by_side: bool = True,
    ) -> None:
        """`most` steps in one call; data (N, F) and given, what each row comes with, lie on the device.

        Not `replayed`: launched one by one. Not `side_by_side`: each launch after the one before, whether or not it needs it.
        """
        if model.backend.name != "cupy":
            form = "captured" if replayed else "eager"
            raise InputError(f"step '{form}' runs on a GPU, and the backend is {model.backend.name}; take --backend cupy, or step auto")
        self.model, self.optimizer, self.seed, self.data, self.given = model, optimizer, seed, data, given
        self.most, self.binarise, self.replayed = most, binarise, replayed
        self.lane = current().lane()
        self.lane.side_by_side = side_by_side
        self._steps: dict[int, BatchStep] = {}
        self._graphs: dict[tuple[int, int], Recording] = {}  # of a batch size and a number of steps
        self._made: dict[int, int] = {}  # steps that were launched one by one

    def run(self, batches: Sequence[Array], epoch: int = 0) -> list[Terms]:
        """One step for each of these batches of equal size, all of that epoch."""
        batch, adam = len(batches[0]), self.optimizer
        table = np.array([adam.coefficients(adam.steps + k) for k in range(len(batches))])
        with self.lane:
            step = self._step(batch)
            step.tell(adam.steps, epoch, np.concatenate(batches), table)
            left = len(batches)
            while left:
                left -= self._launch(step, left)
            self.lane.wait()  # the host's only wait in a call
            done = step.made()
            adam.steps += done
            return step.told(done)

    def _step(self, batch: int) -> BatchStep:
        if batch not in self._steps:
            self._steps[batch] = BatchStep(
                self.model, self.optimizer, self.seed, self.data, self.given, batch=batch, most=self.most, binarise=self.binarise
            )
        return self._steps[batch]

    def _launch(self, step: BatchStep, left: int) -> int:
        """One step, or TOGETHER of those that are left by one graph; returns how many."""
        made = self._made.get(step.batch, 0)
        if not self.replayed or made < WARM_UP:
            step.launch()
            self._made[step.batch] = made + 1
            return 1
        count = TOGETHER if left >= TOGETHER else 1
        self._recorded(step, count)()
        return count

    def _recorded(self, step: BatchStep, count: int) -> Recording:
        graph = step.batch, count
        if graph not in self._graphs:
            self._graphs[graph] = self.lane.record(functools.partial(step.launch, count))
        return self._graphs[graph]

    def chain(self, batch: int) -> tuple[int, int]:
        """Launches of a step's graph, and how many of them come one after another; steps of that batch size have been made before."""
        with self.lane:
            return self._recorded(self._steps[batch], 1).chain()
