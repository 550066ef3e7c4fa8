"""A model's network and objective in plain data, which PyTorch, JAX and NumPy can build alike.        bench/describe.py makes it

    layer        y = dropout(f(x W + b))              W (I, O)   b (O,)   at parameters NAME.W, NAME.b
    encoder      x -> ... -> h;  heads, where there are two: h -> mu, s
    sampling     z = mu + sigma(s) eps                the forms of npae.layers.reparameterise
    decoder      z -> ... -> y
    likelihood   factor / B * sum (y - x)^2                                          squared_error
                 factor / B * sum (max(y, 0) - y x + log(1 + e^-|y|))                bernoulli_logits
                 -factor / B * sum (x log q + (1 - x) log(1 - q)), q = clip(y)       bernoulli_probabilities;   all + constant
    kl           1/(2 B) sum (v + mu^2 - 1 - log(epsilon + v)), v = sigma(s)^2, in a form and with a noise scale of its own
    mmd          unbiased MMD^2 of z and the prior's w, RBF; sigma2 a number, or the sum of the two order statistics of `ranks`
    l2           sum p^2 of the decoder's parameters

A term is (name, value, weight); the objective is sum weight * value; a term of weight 0 is only watched.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

EXPONENT = {"log_std": 1.0, "log_variance": 0.5}  # sigma = noise_scale exp(EXPONENT s); of form sigma: noise_scale s


@dataclass(frozen=True)
class Layer:
    """y = dropout(f(x W + b)); `parameter` is a leaky ReLU's slope, a softplus's floor."""

    name: str
    inputs: int
    outputs: int
    activation: str
    parameter: float
    dropout: float


@dataclass(frozen=True)
class Likelihood:
    """The reconstruction's term, of weight 1."""

    term: str
    name: str
    factor: float
    constant: float
    clip: float


@dataclass(frozen=True)
class Sampling:
    """How z is drawn."""

    form: str
    noise_scale: float


@dataclass(frozen=True)
class KL:
    """A KL term."""

    term: str
    weight: float
    form: str
    noise_scale: float
    epsilon: float


@dataclass(frozen=True)
class MMD:
    """A WAE's penalty. `ranks`: those of the distances (z, w) and (z, z), counted from 0 in ascending order, all n^2 of each."""

    weight: float
    sigma2: float | None
    ranks: tuple[int, int] | None


@dataclass(frozen=True)
class Adam:
    """`placement` of epsilon as in npae.optim.adam."""

    rate: float
    beta1: float
    beta2: float
    epsilon: float
    placement: str


@dataclass(frozen=True)
class Network:
    """All of it."""

    encoder: list[Layer]
    heads: list[Layer]
    decoder: list[Layer]
    likelihood: Likelihood
    adam: Adam
    sampling: Sampling | None
    kl: list[KL]
    mmd: MMD | None
    l2: float

    @property
    def layers(self) -> list[Layer]:
        """Every one."""
        return [*self.encoder, *self.heads, *self.decoder]

    @property
    def latent(self) -> int:
        """Numbers in a code."""
        return self.decoder[0].inputs

    @property
    def rates_of_dropout(self) -> dict[str, tuple[int, float]]:
        """dropout0, dropout1, ...: columns and rate of each layer that drops, in order."""
        dropped = [layer for layer in (*self.encoder, *self.decoder) if layer.dropout]
        return {f"dropout{k}": (layer.outputs, layer.dropout) for k, layer in enumerate(dropped)}

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return dataclasses.asdict(self)


def from_plain(content: dict[str, Any]) -> Network:
    """What `plain` returned, after JSON made lists of its tuples."""
    sampling, mmd = content["sampling"], content["mmd"]
    if mmd and mmd["ranks"]:
        mmd = {**mmd, "ranks": tuple(mmd["ranks"])}
    return Network(
        **{part: [Layer(**layer) for layer in content[part]] for part in ("encoder", "heads", "decoder")},
        likelihood=Likelihood(**content["likelihood"]),
        adam=Adam(**content["adam"]),
        sampling=Sampling(**sampling) if sampling else None,
        kl=[KL(**one) for one in content["kl"]],
        mmd=MMD(**mmd) if mmd else None,
        l2=content["l2"],
    )
