"""Many training steps in one call of compiled code, from a model's layers.

    steps = CompiledSteps(model, optimizer, seed, data)        NotCovered says what stands in the way
    steps.run([rows, rows, ...]) -> [Terms, ...]               one for each batch, as the ordinary step gives them

The parameters and Adam's m and v are moved where they lie. Where the loss or the gradient is not finite the run ends before that step's
update, and fewer Terms come back; the ordinary step then says why. The gradient of a step is never stored: model.parameters.grad is left
alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.compiled.layers import NotCovered
from npae.compiled.lowering import Lowering
from npae.compiled.nonzeros import Nonzeros, share
from npae.compiled.objectives import lower
from npae.compiled.plan import Plan
from npae.compiled.threads import Crew, count
from npae.kernels.step.codes import OF_A_STEP
from npae.models import Model, Terms
from npae.optim import Adam

SPARSE_BELOW = 0.35  # share of nonzeros up to which the first layer reads them alone
LOW_WORD = 2**32
SMALL = 2  # rows of a batch that is only looked at


class CompiledSteps:
    """Plans for one model, one for each batch size."""

    def __init__(self, model: Model, optimizer: Adam, seed: int, data: Array, *, threads: int | None = None) -> None:
        if model.backend.name != "numba":
            raise NotCovered(f"backend {model.backend.name}")
        self.model, self.optimizer, self.data = model, optimizer, data
        self.key = (seed % LOW_WORD, seed // LOW_WORD)
        lower(Lowering(model, data, SMALL, None))  # says what is not covered before anything is made of the data
        self.sparse = Nonzeros(data) if share(data) < SPARSE_BELOW else None
        self.threads = threads
        self.plans: dict[int, Plan] = {}
        self.crew: Crew | None = None

    def plan(self, batch: int) -> Plan:
        """The plan for batches of that size, on as many threads as were asked for, or as the work is worth."""
        if batch not in self.plans:
            threads = self.threads or count(3.0 * batch * len(self.model.parameters))
            self.plans[batch] = Plan(self.model, self.optimizer, self.data, batch, threads, self.sparse)
        return self.plans[batch]

    def run(self, batches: Sequence[Array]) -> list[Terms]:
        """One step for each of these batches of equal size."""
        plan, first, total = self.plan(len(batches[0])), self.optimizer.steps, len(batches)
        order, shown = np.concatenate(batches).reshape(total, -1), [k for k, term in enumerate(plan.terms) if not term.hidden]
        weights = [plan.weights(first + k) for k in range(total)]
        rates, values = self._rates(weights), np.zeros((plan.threads, total, len(plan.terms)))
        scales = np.array([(term.factor, term.constant, weights[0].get(term.name, 1.0), term.of_parameters) for term in plan.terms])
        self._make_ready(plan)
        done, asked = 0, 0
        while done == asked < total:  # else something was not finite
            threads = plan.threads if self.threads else plan.pace.threads()
            asked = min(total, done + (plan.pace.steps(threads) if plan.compiled else 1))
            spell, started = slice(done, asked), time.perf_counter()
            done += self._take(plan, threads, first + done, rates[spell], order[spell], scales, values[:, spell])
            if plan.compiled:  # the first step of a plan may have waited for the compiler
                plan.pace.note(threads, (time.perf_counter() - started) / (spell.stop - spell.start))
            plan.compiled = True
        self._hand_back(plan)
        self.optimizer.steps += done
        names, shown_values = [plan.terms[k].name for k in shown], values[0][:, shown].tolist()
        return [Terms(dict(zip(names, shown_values[k], strict=True)), weights[k]) for k in range(done)]

    def _take(self, plan: Plan, threads: int, first: int, rates: Array, order: Array, scales: Array, values: Array) -> int:
        """Some of a run's steps; returns how many were made."""
        from npae.kernels.step.run import run_steps

        kind, plan.sync[:] = self.model.dtype.type(0), 0
        sources = np.array([(term.at, term.count) for term in plan.terms], np.int64)
        moments = [np.array((plan.batch, first, 0, 0, 0, *self.key, scratch), np.uint64).view(np.int64) for scratch in plan.scratch]

        def part(thread: int) -> Any:
            return run_steps(
                kind, thread, threads, address(plan.sync), plan.checked, plan.handlers, plan.program, plan.numbers, plan.items,
                plan.bounds, rates, order, moments[thread], sources, scales, values[thread],
            )  # fmt: skip

        if self.crew is None or self.crew.n < threads:
            self.crew = Crew(threads)
        done: int = self.crew.run(part, threads)[0]
        return done

    def _rates(self, weights: list[dict[str, float]]) -> Array:
        """(steps, 6): see npae.kernels.step.codes.RATES."""
        adam, rates = self.optimizer, np.empty((len(weights), OF_A_STEP))
        for k, of_terms in enumerate(weights):
            kl = of_terms.get("kl_keras", of_terms.get("kl", 0.0))
            rates[k] = *adam.coefficients(adam.steps + k), adam.beta1, adam.beta2, adam.epsilon, kl
        return rates

    def _make_ready(self, plan: Plan) -> None:
        """Weights in panels, W^T and sums of squares follow the parameters, which anybody may have changed since the last run."""
        from npae.kernels.step.panels import to_panels
        from npae.kernels.step.start import square, turn
        from npae.kernels.step.update import squares_of

        kind = self.model.dtype.type(0)
        for one in plan.updates.in_panels:
            done, n_in, n_out = one.done, one.done.layer.dense.n_in, one.done.layer.dense.n_out
            for matrix, panels in zip(one.matrices, one.panels, strict=True):
                to_panels(kind, matrix, panels, n_in, n_out)
            if done.turned:
                turn(kind, done.panels, done.turned, n_in, n_out, done.depth, done.above)
            if one.squares is not None:
                square(kind, done.panels, n_in, n_out, one.squares)
        for value, place in plan.updates.squared:
            place[0] = squares_of(kind, address(value), 1, len(value))

    def _hand_back(self, plan: Plan) -> None:
        """The weights, and their m and v, to where everybody else looks for them."""
        from npae.kernels.step.panels import from_panels

        for one in plan.updates.in_panels:
            dense = one.done.layer.dense
            for matrix, panels in zip(one.matrices, one.panels, strict=True):
                from_panels(self.model.dtype.type(0), matrix, panels, dense.n_in, dense.n_out)
