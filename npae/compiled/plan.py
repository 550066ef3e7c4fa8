"""A training step as a plan: operations, in phases, cut into items of work; made from a model's layers, and readable.

    plan = Plan(model, optimizer, data, batch, threads, sparse)
    plan.describe()        the operations, phase by phase, one a line

Raises NotCovered where the model, the optimizer or the batch is not covered.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.compiled.layers import NotCovered
from npae.compiled.lowering import Lowering
from npae.compiled.nonzeros import Nonzeros
from npae.compiled.notes import Term
from npae.compiled.objectives import lower
from npae.compiled.pace import Pace
from npae.compiled.updates import scratch_bytes, updates
from npae.kernels.step.operations import Operation
from npae.kernels.step.table import encode
from npae.models import Model
from npae.optim import Adam


class Plan:
    """Tables for npae.kernels.step.run, and the memory that they point into."""

    def __init__(self, model: Model, optimizer: Adam, data: Array, batch: int, threads: int, sparse: Nonzeros | None) -> None:
        if optimizer.clip_norm is not None:
            raise NotCovered(f"clip_norm {optimizer.clip_norm}: a norm is known only when the whole gradient is")
        self.batch, self.threads, self.parameters = batch, threads, len(model.parameters)
        lowering = Lowering(model, data, batch, sparse, threads)
        lower(lowering)
        last = updates(lowering, optimizer)
        self.phases = [*lowering.phases, last.works]
        self.made_ready = [np.array(table, np.int64) for table in (last.copies, last.turns, last.squared, last.biases)]
        self.checked, self.compiled, self.pace = len(lowering.phases) - 1, False, Pace(threads)
        self.program, self.numbers = encode(self._operations())
        self.items, self.bounds = self._items()
        self.buffers, self.terms, self.weights = lowering.buffers, lowering.terms, lowering.weights
        if last.squares is not None:
            self.terms.append(Term("l2", address(last.squares), len(last.squares), 1.0, of_parameters=True))
        self.sources = np.array([(term.at, term.count) for term in self.terms], np.int64)
        self.sync = self.buffers.array("sync", 8 * (2 + len(self.phases) * threads), np.int64)
        bytes_each = scratch_bytes(lowering)
        self.scratch = [self.buffers.array(f"scratch of thread {t}", bytes_each, np.uint8).ctypes.data for t in range(threads)]

    @cached_property
    def handlers(self) -> Array:
        """The compiled functions of its kinds of operation: compiled, or loaded, when they are first asked for."""
        from npae.kernels.step.perform import addresses

        return addresses(self.buffers.dtype.name, {type(operation) for operation in self._operations()})

    def make_ready(self) -> None:
        """Weights in panels, W^T and sums of squares follow the parameters, which anybody may have changed since the last run."""
        from npae.kernels.step.entries import MAKE_READY  # loads LLVM, which --help can do without

        MAKE_READY(self.buffers.dtype.name, *(number for table in self.made_ready for number in (address(table), len(table))))

    def hand_back(self) -> None:
        """The weights, and their m and v, to where everybody else looks for them."""
        from npae.kernels.step.entries import HAND_BACK

        copies = self.made_ready[0]
        HAND_BACK(self.buffers.dtype.name, address(copies), len(copies))

    def _operations(self) -> list[Operation]:
        return [operation for phase in self.phases for work in phase for _, operation in work.operations]

    def _items(self) -> tuple[Array, Array]:
        """(n, 4) first operation, last + 1, range; and where each phase's begin."""
        items: list[tuple[int, int, int, int]] = []
        bounds, first = [0], 0
        for phase in self.phases:
            for work in phase:
                last = first + len(work.operations)
                items += [(first, last, *one) for one in work.ranges]
                first = last
            bounds.append(len(items))
        return np.array(items, np.int64), np.array(bounds, np.int64)

    def describe(self) -> str:
        """What a step does, phase by phase."""
        lines = []
        for number, phase in enumerate(self.phases):
            count = int(self.bounds[number + 1] - self.bounds[number])
            lines.append(f"phase {number}: {count} items of work on {self.threads} threads")
            lines += [f"    {type(operation).__name__:<14} {name}" for work in phase for name, operation in work.operations]
        return "\n".join(lines)
