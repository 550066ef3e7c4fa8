"""What an audit finds wrong, or worth a remark: a function for each kind of fault; audit.py says what is which, and why.

An MMD or KL has to be larger far from the prior than at it: that is looked at in the node alone, apart from the model's weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from npae.backend import Array
from npae.inspection.batches import Batch
from npae.inspection.knobs import WEIGHTS, Knob
from npae.layers import inference
from npae.losses import IMQMMD, RBFMMD, GaussianKL
from npae.models import VAE, Model, Terms

WRONG, REMARK = "wrong", "remark"
LITTLE = 0.01  # of the loss
FAR = 3.0  # prior standard deviations
PASSING = ("free_bits", "clip", "kl_epsilon")  # settings that stand ready, and may have nothing to do now


@dataclass(frozen=True)
class Finding:
    """`state` is wrong or remark."""

    state: str
    what: str
    says: str


@dataclass(frozen=True)
class Term:
    """The mean over the batches; share of the sum of all terms' sizes, None for a term that is only watched."""

    name: str
    value: float
    weight: float
    share: float | None


def of_terms(terms: tuple[Term, ...], loss: float) -> list[Finding]:
    """Terms that hardly count."""
    small = [term for term in terms if term.share is not None and term.share < LITTLE]
    return [
        Finding(
            REMARK,
            term.name,
            f"{term.weight * term.value:.3g} of {loss:.4g}: {100 * (term.share or 0):.2g} % of the loss; it hardly counts",
        )
        for term in small
    ]


def of_knob(knob: Knob) -> list[Finding]:
    """What is wrong with a setting, or worth a remark."""
    if knob.pull is not None and knob.pull <= 0:
        return [
            Finding(WRONG, knob.key, f"the gradient of its term pulls the other way (pull {knob.pull:.2g}, expected 1): a sign is turned")
        ]
    if knob.gradient_change:
        return []
    if knob.loss_change:
        return [
            Finding(
                WRONG, knob.key, f"the loss follows it (slope {knob.slope:.3g}), and no gradient does: it changes nothing that is learned"
            )
        ]
    if knob.key in WEIGHTS:
        return [Finding(WRONG, knob.key, "neither the loss nor any gradient follows it: it is not used")]
    given = knob.origin != "default" and knob.key not in PASSING
    says = "neither the loss nor any gradient follows it" + (f", though it is set ({knob.origin})" if given else "")
    return [Finding(WRONG if given else REMARK, knob.key, says)]


def held_up(model: Model) -> Array | None:
    """Which units of the KL free bits hold up, after a look."""
    if not (isinstance(model, VAE) and model.kl.free_bits):
        return None
    return np.asarray(model.backend.to_host(model.kl.per_unit) < model.kl.free_bits)


def of_free_bits(held: list[Array | None], model: Model) -> list[Finding]:
    """A KL that is clamped, in all its units or in some."""
    found = [one for one in held if one is not None]
    if not found:
        return []
    always, units, bits = int(np.all(found, axis=0).sum()), len(found[0]), model.spec["free_bits"]
    if always == units:
        says = (
            f"clamped: each of the {units} units stays below free_bits {bits:g} in every batch, so the KL has no gradient at all; lower it"
        )
        return [Finding(WRONG, "kl", says)]
    return [Finding(REMARK, "kl", f"{always} of {units} units stay below free_bits {bits:g}: no gradient there")] if always else []


def of_signs(model: Model, batch: Batch, terms: Terms) -> list[Finding]:
    """Weights below 0, and divergences that do not grow away from the prior."""
    found = [
        Finding(WRONG, name, f"its weight is {weight:g}: the loss is lowered by making it larger; a sign is turned")
        for name, weight in terms.weights.items()
        if weight < 0
    ]
    for name, at, far in _near_and_far(model, max(len(batch.x), 2)):
        if far <= at:
            where = f"{far:.4g} for codes {FAR:g} standard deviations off the prior, {at:.4g} at it"
            found.append(Finding(WRONG, name, f"{where}: minimised, it pushes away; a sign is turned"))
    return found


def of_warmup(model: Model, last_step: int) -> list[Finding]:
    """A warm-up that outlasts the training."""
    if not (isinstance(model, VAE) and "kl_warmup" in model.spec and model.beta_at(last_step) < model.beta):
        return []
    reached = model.beta_at(last_step)
    longer = f"kl_warmup {model.spec['kl_warmup']} is longer than the training of {last_step + 1} steps"
    return [Finding(REMARK, "kl_warmup", f"{longer}: beta reaches {reached:.3g} of {model.beta:g}")]


def _near_and_far(model: Model, rows: int) -> Iterator[tuple[str, float, float]]:
    """Each MMD and KL of the model: for codes from the prior, and for codes far off it."""
    rng = np.random.Generator(np.random.Philox(0))
    z, w = (model.backend.from_host(rng.standard_normal((rows, model.latent)).astype(model.dtype)) for _ in range(2))
    for name, node in model.children():
        if isinstance(node, RBFMMD | IMQMMD):
            with inference(node):
                at, far = (float(node.forward(codes, w)) for codes in (z, z + FAR))
            yield name, at, far
        if isinstance(node, GaussianKL):
            with inference(node):
                at, far = (_exact(node, 0 * z + mean, 0 * z + 1) for mean in (0.0, FAR))
            yield name, at, far


def _exact(node: GaussianKL, mu: Array, s: Array) -> float:
    """The divergence without its free bits."""
    node.forward(mu, s)
    return node.exact
