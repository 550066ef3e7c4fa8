"""One training step on the device, for batches of one size: launches that read nothing back.

    forward, backward     the model's own page
    check_gradient  gradient_scale and Adam's coefficients; the terms go into the log, and the counters on. Where the loss or the gradient
                    is not finite the scale is NaN, and nothing moves: not the counters, and not what Adam would
    adam            theta, m, v

and beside Adam, for the step that comes next (the host launches them once before the first):

    begin_step      rows of the batch and x (B, F), from the order that was copied before
    gather          what each row comes with, if anything
    noise           Philox, with the step's number where the device counts it

Everything that differs between two steps is a number on the device: a recorded graph repeats addresses and whatever the host told it.
Two launches wait for each other only where one needs what the other makes: what goes beside the rest is on a line of its own (lane.py).

    zeros            the gradient is zeroed during the forward pass
    gradients        of weights and biases: nothing but the end of the step needs them, so the gradient goes down the layers past them
    terms, penalty   the objective beside the reconstruction: divergence, MMD, squared parameters; and the latters' gradient
    batch, draws     of the next step
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array
from npae.data.binarise import binarise_batch
from npae.kernels.graph.gpu import Ending, begin_step, check_gradient, gather
from npae.layers import forget
from npae.layers.fused import fused
from npae.models import Model, Terms
from npae.optim import Adam

COEFFICIENTS = 2  # of Adam: alpha and root_scale


class BatchStep:
    """The launches of a step, and the memory that they share with the host."""

    def __init__(
        self, model: Model, optimizer: Adam, seed: int, data: Array, given: tuple[Array, ...], *, batch: int, most: int, binarise: str
    ) -> None:
        """`most` steps follow one another without the host; `binarise` is "dynamic" where pixels are drawn anew in each epoch."""
        self.model, self.optimizer, self.seed, self.data, self.given = model, optimizer, seed, data, given
        self.batch, self.most, self.binarise, self.shown = batch, most, binarise, Terms({})
        xp = model.backend.xp
        self.order = xp.zeros((most + 1) * batch, "int64")  # the last step, too, begins one that may come
        self.table, self.coefficients = xp.zeros((most, COEFFICIENTS), "float64"), xp.zeros(COEFFICIENTS, "float64")
        self.counters, self.bad, self.epoch = xp.zeros(2, "int64"), xp.zeros((), "uint32"), xp.zeros((), "int64")
        self.step, self.gradient_scale = self.counters[:1].reshape(()), xp.zeros((), "float64")
        self.rows, self.places = xp.zeros(batch, "int64"), xp.arange(batch, dtype="int64")
        self.x = xp.zeros((batch, data.shape[1]), data.dtype)
        self.of_rows = tuple(xp.zeros((batch, *part.shape[1:]), part.dtype) for part in given)
        self.noise = model.room_for_noise(batch)
        self.log = xp.zeros((most, 0), "float64")

    def tell(self, first: int, epoch: int, order: Array, table: Array) -> None:
        """Copy the steps to come, the number of the first, their epoch, their rows one after another, their coefficients; and begin it."""
        host, xp = self.model.backend.from_host, self.model.backend.xp
        self.order[: len(order)] = host(order)
        self.table[: len(table)] = host(table)
        self.counters[...] = host(np.array([first, 0]))
        self.epoch[...] = host(np.array(epoch))
        self.bad[...] = xp.zeros((), "uint32")
        self._begin()
        self.model.backend.join()

    def launch(self, steps: int = 1) -> None:
        """So many steps, one after another."""
        try:
            for _ in range(steps):
                self._step()
        except BaseException:  # the backward of what has been remembered will not come
            forget(self.model)
            raise

    def _step(self) -> None:
        model, parameters, adam, backend = self.model, self.model.parameters, self.optimizer, self.model.backend
        with backend.beside("zeros"):
            parameters.zero_grad()
        with fused(model):
            x = binarise_batch(self.x, self.seed, self.epoch, self.rows, backend) if self.binarise == "dynamic" else self.x
            terms = model.terms_of(x, self.noise, self.step, {}, *self.of_rows)
            backend.join("zeros")
            model.backward()
        numbers = self._show(terms)
        of_loss = [terms[name] for name in terms if name in model.players or self._counts(terms.weights[name])]
        finite = [number for number in of_loss if not isinstance(number, int | float)]
        end = Ending(numbers, self.log, self.counters, self.table, self.coefficients)
        backend.join()
        check_gradient(parameters.grad, finite, adam.clip_norm, self.bad, self.gradient_scale, end)
        self._begin()
        adam.apply(self.coefficients[0], self.coefficients[1], self.gradient_scale)
        backend.join()

    def _begin(self) -> None:
        """Batch and noise of the step that the counters are at, on lines of their own."""
        backend = self.model.backend
        with backend.beside("batch"):
            begin_step(self.counters, self.order, self.rows, self.data, self.x)
            for source, out in zip(self.given, self.of_rows, strict=True):
                gather(source, self.rows, out)
        self.model.fill(self.noise, self.seed, self.step, self.places)

    def told(self, done: int) -> list[Terms]:
        """The terms of the steps that were made, as floats (waits for the device)."""
        log, shown = self.model.backend.to_host(self.log)[:done], self.shown
        keys = list(shown.unread())
        every = []
        for row in log.tolist():
            read = dict(zip(keys, row, strict=True))
            values = {name: read.get(("value", name), value) for name, value in shown.items()}
            every.append(Terms(values, {name: read.get(("weight", name), weight) for name, weight in shown.weights.items()}))
        return every

    def made(self) -> int:
        """The steps that were made since the host told of them (waits for the device)."""
        return int(self.model.backend.to_host(self.counters)[1])

    def _show(self, terms: Terms) -> list[Array]:
        """The numbers to be logged, and room for them."""
        self.shown, numbers = terms, [*terms.unread().values()]
        if self.log.shape[1] != len(numbers):
            self.log = self.model.backend.xp.zeros((self.most, len(numbers)), "float64")
        return numbers

    @staticmethod
    def _counts(weight: Any) -> bool:
        return not isinstance(weight, int | float) or weight != 0
