"""The reconstruction losses by name: what a model's `reconstruction` option may be, and the decoder output each of them reads.

name                       loss                                     decoder output      nats
squared_error              SquaredError, summed over features       linear              up to a constant, variance 1/2
mean_squared_error         SquaredError, mean over all elements     linear              no
gaussian                   Gaussian with variance eta               linear              yes
gaussian_learned           Gaussian whose variance is learned       linear              yes
bernoulli                  BernoulliLogits, summed over features    linear (logits)     yes
mean_bernoulli             BernoulliLogits, mean over all elements  linear (logits)     per pixel
bernoulli_probabilities    BernoulliProbabilities, clipped          sigmoid             yes
categorical                Categorical: text, symbols at places     linear (logits)     yes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from npae.errors import InputError, nearest
from npae.losses.bernoulli import CLIP, BernoulliLogits, BernoulliProbabilities, check_clip
from npae.losses.categorical import Categorical, check_symbols
from npae.losses.gaussian import Gaussian, check_variance
from npae.losses.gaussian_learned import GaussianLearned
from npae.losses.squared_error import SquaredError

Reconstruction: TypeAlias = SquaredError | Gaussian | GaussianLearned | BernoulliLogits | BernoulliProbabilities | Categorical

# name -> (the loss, made from eta, clip and the symbols of a text; the activation that the decoder must end with, None for any)
RECONSTRUCTIONS: dict[str, tuple[Callable[[float, float, int | None], Reconstruction], str | None]] = {
    "squared_error": (lambda eta, clip, symbols: SquaredError("sum"), None),
    "mean_squared_error": (lambda eta, clip, symbols: SquaredError("mean"), None),
    "gaussian": (lambda eta, clip, symbols: Gaussian(eta), None),
    "gaussian_learned": (lambda eta, clip, symbols: GaussianLearned(eta), None),
    "bernoulli": (lambda eta, clip, symbols: BernoulliLogits("sum"), "linear"),
    "mean_bernoulli": (lambda eta, clip, symbols: BernoulliLogits("mean"), "linear"),
    "bernoulli_probabilities": (lambda eta, clip, symbols: BernoulliProbabilities(clip), "sigmoid"),
    "categorical": (lambda eta, clip, symbols: Categorical(check_symbols(symbols)), "linear"),
}


def make_reconstruction(
    name: str, eta: float, output: str | None, *, clip: float = CLIP, symbols: int | None = None
) -> tuple[Reconstruction, str]:
    """The loss of that name, and the activation that the decoder ends with: the one asked for, or the one the loss needs."""
    if name not in RECONSTRUCTIONS:
        raise InputError(f"reconstruction '{name}' is not known{nearest(name, RECONSTRUCTIONS)}")
    make, needed = RECONSTRUCTIONS[name]
    check_variance(eta)
    check_clip(clip)
    if needed and output not in (None, needed):
        raise InputError(f"output '{output}': reconstruction '{name}' reads a decoder that ends with '{needed}'; leave output unset")
    return make(eta, clip, symbols), output or needed or "linear"
