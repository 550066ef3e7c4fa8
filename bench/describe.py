"""npae's model read as a bench/network.py that other frameworks can build.

    describe(model, adam, batch) -> Network        NotDescribed says which part has no counterpart there

Its layers are read from the model's Chains, its objective from the page that its class has: those of AE, VAE and WAE, unchanged.
"""

from __future__ import annotations

import dataclasses
import math

from bench.network import KL, MMD, Adam, Layer, Likelihood, Network, Sampling
from npae.compiled.layers import Layer as ReadLayer
from npae.compiled.layers import NotCovered, read
from npae.losses import RBFMMD, BernoulliLogits, BernoulliProbabilities, Gaussian, SquaredError
from npae.losses.bandwidth import PICKS
from npae.models import AE, VAE, WAE, Model
from npae.optim import Adam as NpaeAdam
from npae.optim import Schedule


class NotDescribed(Exception):
    """What the peers do not know."""


def describe(model: Model, adam: NpaeAdam, batch: int) -> Network:
    """Network and objective."""
    page = next((kind for kind in (AE, VAE, WAE) if (type(model).forward, type(model).backward) == (kind.forward, kind.backward)), None)
    if page is None:
        raise NotDescribed(f"the objective of a {model.kind}")
    try:
        encoder, heads = read(model.encoder, "encoder")
        decoder, more = read(model.decoder, "decoder")
    except NotCovered as reason:
        raise NotDescribed(str(reason)) from None
    if more or (heads and len(heads) != 2):
        raise NotDescribed("a network with other heads than mu and s at the encoder's end")
    return Network(
        encoder=[_layer(layer) for layer in encoder],
        heads=[_layer(layer) for layer in heads],
        decoder=[_layer(layer) for layer in decoder],
        likelihood=_likelihood(model),
        adam=_adam(adam),
        sampling=Sampling(model.reparameterise.form, model.reparameterise.noise_scale) if isinstance(model, VAE | WAE) and heads else None,
        kl=_kl(model) if isinstance(model, VAE) else [],
        mmd=_mmd(model, batch) if isinstance(model, WAE) else None,
        l2=model.l2_weight if isinstance(model, VAE) else 0.0,
    )


def _layer(layer: ReadLayer) -> Layer:
    dense, rate = layer.dense, layer.dropout.rate if layer.dropout else 0.0
    return Layer(layer.name, dense.n_in, dense.n_out, layer.activation, layer.parameter, rate)


def _likelihood(model: Model) -> Likelihood:
    """By the class of the loss."""
    loss, term, features = model.likelihood, model.reconstruction_term, model.outputs
    if type(loss) in (SquaredError, BernoulliLogits):
        factor = 1.0 if loss.reduction == "sum" else 1 / features  # type: ignore[union-attr]
        return Likelihood(term, "squared_error" if type(loss) is SquaredError else "bernoulli_logits", factor, 0.0, 0.0)
    if type(loss) is BernoulliProbabilities:
        return Likelihood(term, "bernoulli_probabilities", 1.0, 0.0, loss.clip)
    if type(loss) is Gaussian:
        return Likelihood(term, "squared_error", 1 / (2 * loss.eta), 0.5 * features * math.log(2 * math.pi * loss.eta), 0.0)
    raise NotDescribed(f"the loss {type(loss).__name__}")


def _adam(adam: NpaeAdam) -> Adam:
    """Its constants."""
    if adam.clip_norm is not None or dataclasses.replace(adam.schedule, total=1, decay=0.1) != Schedule():
        raise NotDescribed("an Adam whose gradient is clipped or whose learning rate changes")
    return Adam(adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon, adam.epsilon_placement)


def _kl(model: VAE) -> list[KL]:
    """The one that is minimised; before it, where that is not the divergence, the divergence."""
    if model.kl.free_bits or model.kl_warmup:
        raise NotDescribed(f"free_bits {model.kl.free_bits}" if model.kl.free_bits else f"kl_warmup {model.kl_warmup}")
    exact = KL("kl", 0.0 if model.kl_keras else model.beta, model.kl.form, model.kl.noise_scale, model.kl.epsilon)
    return [exact, KL("kl_keras", model.beta, model.kl_keras.form, 1.0, 0.0)] if model.kl_keras else [exact]


def _mmd(model: WAE, batch: int) -> MMD:
    """The bandwidth's rule as numbers."""
    loss = model.mmd
    if not isinstance(loss, RBFMMD) or loss.through_bandwidth:
        raise NotDescribed("stop_gradient false" if isinstance(loss, RBFMMD) else "the kernel imq")
    rule = loss.bandwidth.rule
    if rule == "median":
        raise NotDescribed("the bandwidth median")
    if rule in PICKS:
        ranks = {pick.right: pick.rank for pick in PICKS[str(rule)](batch)}
        return MMD(model.lambda_, None, (ranks["w"], ranks["z"]))
    return MMD(model.lambda_, rule if isinstance(rule, float) else 2 * model.latent * loss.bandwidth.prior_variance, None)
