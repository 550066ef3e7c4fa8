"""A training step as a plan: operations, in phases, cut into items of work; made from a model's layers, and readable.

    plan = Plan(model, optimizer, data, batch, threads, sparse)
    plan.describe()        the operations, phase by phase, one a line

Raises NotCovered where the model, the optimizer or the batch is not covered.
"""

from __future__ import annotations

import itertools
from functools import cached_property

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.compiled.layers import NotCovered
from npae.compiled.lowering import Lowering, Term
from npae.compiled.nonzeros import Nonzeros
from npae.compiled.objectives import lower
from npae.compiled.pace import Pace
from npae.compiled.updates import scratch_bytes, updates
from npae.kernels.step.operations import Rank, encode
from npae.models import Model
from npae.optim import Adam

EVEN = 2  # rows of a block are a multiple of it: then tiles of six and of four rows cover them
BLOCKS_PER_THREAD = 2  # of rows: one more to take where another thread is late
MANY = 1_000_000  # parameters from which on it is one: each block reads all weights again, which no longer lie near


class Plan:
    """Tables for npae.kernels.step.run, and the memory that they point into."""

    def __init__(self, model: Model, optimizer: Adam, data: Array, batch: int, threads: int, sparse: Nonzeros | None) -> None:
        if optimizer.clip_norm is not None:
            raise NotCovered(f"clip_norm {optimizer.clip_norm}: a norm is known only when the whole gradient is")
        self.batch, self.threads, self.parameters = batch, threads, len(model.parameters)
        lowering = Lowering(model, data, batch, sparse)
        lower(lowering)
        self.updates = updates(lowering, optimizer)
        self.phases = [*lowering.phases, self.updates.operations]
        self.checked, self.compiled, self.pace = len(lowering.phases) - 1, False, Pace(threads)
        self.program, self.numbers = encode([operation for phase in self.phases for _, operation in phase])
        self.items, self.bounds = self._items()
        self.buffers, self.terms, self.weights = lowering.buffers, lowering.terms, lowering.weights
        if self.updates.squares is not None:
            self.terms.append(Term("l2", address(self.updates.squares), len(self.updates.squares), 1.0, of_parameters=True))
        self.sync = self.buffers.array("sync", 8 * (2 + len(self.phases) * threads), np.int64)
        bytes_each = scratch_bytes(lowering)
        self.scratch = [self.buffers.array(f"scratch of thread {t}", bytes_each, np.uint8).ctypes.data for t in range(threads)]

    @cached_property
    def handlers(self) -> Array:
        """The compiled functions of its kinds of operation: compiled, or loaded, when they are first asked for."""
        from npae.kernels.step.perform import addresses

        return addresses(self.buffers.dtype.name, {type(operation) for phase in self.phases for _, operation in phase})

    def _items(self) -> tuple[Array, Array]:
        """(n, 4) first operation, last + 1, range; and where each phase's begin."""
        items: list[tuple[int, int, int, int]] = []
        bounds, first = [0], 0
        for phase in self.phases[:-1]:
            last = first + len(phase)
            if all(isinstance(operation, Rank) for _, operation in phase):
                items += [(k, k + 1, 0, 0) for k in range(first, last)]
            else:
                items += [(first, last, *rows) for rows in self._row_blocks()]
            bounds.append(len(items))
            first = last
        items += [(first + k, first + k + 1, *part) for k, parts in enumerate(self.updates.parts) for part in parts]
        return np.array(items, np.int64), np.array([*bounds, len(items)], np.int64)

    def _row_blocks(self) -> list[tuple[int, int]]:
        each = BLOCKS_PER_THREAD if self.threads > 1 and self.parameters < MANY else 1
        blocks = max(1, min(self.batch, self.threads * each))
        whole = EVEN if self.batch >= 4 * EVEN * blocks else 1
        edges = [*(self.batch * k // blocks // whole * whole for k in range(blocks)), self.batch]
        return list(itertools.pairwise(edges))

    def describe(self) -> str:
        """What a step does, phase by phase."""
        lines = []
        for number, phase in enumerate(self.phases):
            count = int(self.bounds[number + 1] - self.bounds[number])
            lines.append(f"phase {number}: {count} items of work on {self.threads} threads")
            lines += [f"    {type(operation).__name__:<14} {name}" for name, operation in phase]
        return "\n".join(lines)
