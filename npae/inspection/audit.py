"""An objective looked through: what each setting does, what each term weighs, what gets no gradient, and whether it is a bound.

    terms      value and weight, means over some batches; share = |weight value| / sum of these
    knobs      knobs.py                      bound, effective beta and variance       bound.py
    zero       parameters whose gradient is exactly 0 in every batch

Wrong is: the model's own caveat (the Keras document's KL); every unit of the KL held up by free bits, so that none has a gradient; the
weight of a term (beta, lambda, l2, alpha) that moves nothing, or the loss and no gradient; a setting that was given and moves nothing; a
term of negative weight, or whose gradient pulls the other way; an MMD or KL that is smaller far from the prior than at it; a parameter
without a gradient. A remark is: a term below 1 % of the loss, a setting left at its default that nothing reads, units held up by free
bits, a beta that the warm-up does not reach.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from npae.inspection.batches import coming_batches, look
from npae.inspection.bound import Bound, Effective, bound, effective
from npae.inspection.findings import (
    WRONG,
    Finding,
    Term,
    held_up,
    of_free_bits,
    of_knob,
    of_signs,
    of_terms,
    of_warmup,
)
from npae.inspection.knobs import Knob, knobs
from npae.models import Terms
from npae.training.configuration import Configuration
from npae.training.loop import Trainer

BATCHES = 20


@dataclass(frozen=True)
class Audit:
    """Everything; `wrong` says whether something is."""

    about: dict[str, Any]
    loss: float
    terms: tuple[Term, ...]
    knobs: tuple[Knob, ...]
    without_gradient: tuple[str, ...]
    effective: Effective
    bound: Bound
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> bool:
        """Whether anything is."""
        return any(finding.state == WRONG for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "wrong": self.wrong}


def audit(trainer: Trainer, configuration: Configuration) -> Audit:
    """The objective at the weights that the trainer has, on the batches that come next."""
    model, batches = coming_batches(trainer, BATCHES)
    seen = [(*look(model, batch), held_up(model)) for batch in batches]
    every, first = [terms for terms, _, _ in seen], seen[0][0]
    terms, loss = _terms(every), float(np.mean([one.total for one in every]))
    largest = np.max([np.abs(gradient) for _, gradient, _ in seen], axis=0)
    zero = tuple(name for name, place in model.parameters.slices.items() if not largest[place].any())
    values = {key: value for key, value in configuration.values.items() if value is not None}
    turned = knobs(model, batches[0], values, configuration.origins)
    amounts = effective(model, first)
    holds = bound(model, first, amounts.beta, model.backend.to_host(batches[0].x))
    last_step = trainer.batches * configuration["epochs"] - 1
    findings = [
        *([Finding(WRONG, "objective", model.caveat)] if model.caveat else []),
        *of_free_bits([held for _, _, held in seen], model),
        *of_signs(model, batches[0], first),
        *(finding for knob in turned for finding in of_knob(knob)),
        *(Finding(WRONG, name, "its gradient is exactly 0 in every batch: nothing is learned there") for name in zero),
        *of_terms(terms, loss),
        *of_warmup(model, last_step),
    ]
    about = {"model": model.kind, "step": trainer.optimizer.steps, "batches": len(batches), "rows": len(batches[0].x)}
    return Audit(about, loss, terms, tuple(turned), zero, amounts, holds, tuple(findings))


def _terms(every: list[Terms]) -> tuple[Term, ...]:
    values = {name: float(np.mean([terms[name] for terms in every])) for name in every[0]}
    weights = {name: every[0].weights.get(name, 0.0) for name in values}
    whole = sum(abs(weights[name] * value) for name, value in values.items()) or 1.0
    return tuple(
        Term(name, value, weights[name], abs(weights[name] * value) / whole if weights[name] else None) for name, value in values.items()
    )
