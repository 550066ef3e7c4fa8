"""Is -L a lower bound of log p(x), and what do beta and the variance amount to in nats?

    L = c nll + w KL        c = 1, or 1/F where the reconstruction is a mean over F numbers

    beta in nats   w / c: the weight of the KL where the reconstruction is the negative log-likelihood of a row
    variance       what eta would have to be for beta 1 to give the same optimum: squared error E is 2 eta times nats of N(y, eta I), so
                   squared_error E + w' KL: eta = w'/2         gaussian E / 2 eta + w' KL: eta w'               w' = beta in nats

-L bounds log p(x) from below where w' >= 1 (a larger weight, free bits and penalties that are never negative only loosen it), the KL is
that of the posterior that is sampled, and the reconstruction is a likelihood (squared_error: of N(y, I/2), but for a constant).
Sources: Kingma & Welling 2014; Higgins et al. 2017 (beta); Lucas et al. 2019, "Don't blame the ELBO!" (beta as the decoder's variance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from npae.backend import Array
from npae.losses import BernoulliLogits, BernoulliProbabilities, Gaussian, GaussianLearned, SquaredError
from npae.models import Model, Terms

CLOSE = 1e-9


@dataclass(frozen=True)
class Effective:
    """None where there is no KL, or no variance."""

    beta: float | None
    variance: float | None
    says: str


@dataclass(frozen=True)
class Bound:
    """Whether -L is one, and why, or why not."""

    holds: bool
    why: str


def effective(model: Model, terms: Terms) -> Effective:
    """beta and the variance in nats per row, at that step."""
    weight = kl_weight(terms)
    if weight is None or not model.has_posterior:
        return Effective(None, None, f"nothing in a {model.kind} model weighs a KL")
    beta = weight * model.likelihood.per_image(model.outputs)
    mean = model.likelihood.per_image(model.outputs) != 1
    what = f"the KL's weight {weight:g}" + (f" times the {model.outputs} numbers that the reconstruction is a mean of" if mean else "")
    likelihood = model.likelihood
    if isinstance(likelihood, SquaredError):
        return Effective(beta, beta / 2, f"{what}; squared error is nats of variance 1/2")
    if isinstance(likelihood, Gaussian):
        return Effective(beta, beta * likelihood.eta, f"{what}; eta {likelihood.eta:g}")
    if isinstance(likelihood, GaussianLearned):
        return Effective(beta, likelihood.eta, f"{what}; the variance is learned")
    return Effective(beta, None, what)


def kl_weight(terms: Terms) -> float | None:
    """Of whatever stands for the KL in the total."""
    weights = [terms.weights[name] for name in ("kl", "kl_free_bits", "kl_keras") if name in terms]
    return max(weights, key=abs) if weights else None


def bound(model: Model, terms: Terms, beta: float | None, x: Array) -> Bound:
    """Of the objective at that step, for rows such as x."""
    if model.caveat:
        return Bound(False, model.caveat.removeprefix("not a bound: "))
    if model.players and not model.has_posterior:
        return Bound(False, "players of a game minimise different losses; none of them bounds log p(x)")
    if not model.has_posterior:
        return Bound(False, "there is no posterior and no KL: a reconstruction loss says nothing of log p(x)")
    if model.kind != "iwae":
        why_not = _why_not(model, terms, beta)
        if why_not:
            return Bound(False, why_not)
    grey = isinstance(model.likelihood, BernoulliLogits | BernoulliProbabilities) and bool(np.any((x > 0) & (x < 1)))
    if grey:
        return Bound(
            False, "x lies between 0 and 1, where a Bernoulli gives a cross-entropy and no likelihood; --set binarise=dynamic makes it one"
        )
    loosened = (
        "; looser than the evidence lower bound: " + ", ".join(_loosened(model, terms, beta)) if _loosened(model, terms, beta) else ""
    )
    constant = ", but for the constant of a Gaussian of variance 1/2" if isinstance(model.likelihood, SquaredError) else ""
    by = "the importance-weighted bound" if model.kind == "iwae" else "reconstruction in nats and the KL of the posterior that is sampled"
    return Bound(True, by + constant + loosened)


def _why_not(model: Model, terms: Terms, beta: float | None) -> str:
    if beta is None:
        return "the KL is not in the objective"
    if terms.weights.get("mmd"):
        return f"the MMD, of weight {terms.weights['mmd']:g}, is estimated without bias and may be negative: it belongs to no bound"
    if beta < 1 - CLOSE:
        return f"beta is {beta:.4g} in nats, below 1: some of the KL is missing, and -L may lie above log p(x)"
    if model.spec.get("kl_epsilon"):
        return f"kl_epsilon {model.spec['kl_epsilon']:g} puts the KL term below the divergence"
    return ""


def _loosened(model: Model, terms: Terms, beta: float | None) -> list[str]:
    found = [f"beta {beta:.4g} in nats"] if beta is not None and model.kind != "iwae" and beta > 1 + CLOSE else []
    found += [f"free bits of {model.spec['free_bits']:g} nats"] if model.spec.get("free_bits") else []
    return found + (["l2"] if terms.weights.get("l2") else [])
