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

import numpy as np

from npae.backend import Array
from npae.compiled.buffers import address
from npae.compiled.layers import NotCovered
from npae.compiled.lowering import Lowering
from npae.compiled.nonzeros import Nonzeros, density
from npae.compiled.objectives import lower
from npae.compiled.plan import Plan
from npae.compiled.threads import Crew, count
from npae.kernels.step.codes import ALPHA, BETA1, BETA2, EPSILON, KL_WEIGHT, OF_A_STEP, ROOT
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
        if data.shape[1] != model.features:  # compiled code reads where it is told to
            raise ValueError(f"data has {data.shape[1]} columns; expected the model's {model.features}")
        self.sparse = Nonzeros(data) if density(data) < SPARSE_BELOW else None
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
        plan.make_ready()
        done, asked = 0, 0
        while done == asked < total:  # else something was not finite
            threads = plan.threads if self.threads else plan.pace.threads()
            asked = min(total, done + (plan.pace.steps(threads) if plan.compiled else 1))
            spell, started = slice(done, asked), time.perf_counter()
            done += self._take(plan, threads, first + done, rates[spell], order[spell], scales, values[:, spell])
            if plan.compiled:  # the first step of a plan may have waited for the compiler
                plan.pace.note(threads, (time.perf_counter() - started) / (spell.stop - spell.start))
            plan.compiled = True
        plan.hand_back()
        self.optimizer.steps += done
        names, shown_values = [plan.terms[k].name for k in shown], values[0][:, shown].tolist()
        return [Terms(dict(zip(names, shown_values[k], strict=True)), weights[k]) for k in range(done)]

    def _take(self, plan: Plan, threads: int, first: int, rates: Array, order: Array, scales: Array, values: Array) -> int:
        """Some of a run's steps; returns how many were made."""
        from npae.kernels.step.entries import RUN_STEPS  # loads LLVM, which --help can do without

        plan.sync[:], made = 0, np.zeros(threads, np.int64)
        moments = [np.array((plan.batch, first, 0, 0, 0, *self.key, scratch), np.uint64).view(np.int64) for scratch in plan.scratch]

        def part(thread: int) -> None:
            RUN_STEPS(
                self.model.dtype.name, thread, threads, address(plan.sync), plan.checked, address(plan.handlers), address(plan.program),
                address(plan.numbers), address(plan.items), len(plan.items), address(plan.bounds), len(plan.phases), address(rates),
                address(order), len(order), plan.batch, address(moments[thread]), address(plan.sources), address(scales),
                address(values[thread]), len(plan.terms), address(made) + made.itemsize * thread,
            )  # fmt: skip

        if self.crew is None or self.crew.n < threads:
            self.crew = Crew(threads)
        self.crew.run(part, threads)
        return int(made[0])

    def _rates(self, weights: list[dict[str, float]]) -> Array:
        """(steps, OF_A_STEP): the STEP_RATES of npae/kernels/step/codes.py."""
        adam, rates = self.optimizer, np.empty((len(weights), OF_A_STEP))
        rates[:, [ALPHA, ROOT]] = [adam.coefficients(adam.steps + k) for k in range(len(weights))]
        rates[:, [BETA1, BETA2, EPSILON]] = adam.beta1, adam.beta2, adam.epsilon
        rates[:, KL_WEIGHT] = [of_terms.get("kl_keras", of_terms.get("kl", 0.0)) for of_terms in weights]
        return rates
