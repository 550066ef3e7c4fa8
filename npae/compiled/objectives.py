"""The objective of each kind of model, in operations: what its own page says in layers and losses.

    lower(lowering)        the whole step of lowering.model; its terms in the page's order

A model is covered if its class has the page of one of the kinds below, unchanged. Raises NotCovered, which says what is in the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from npae.compiled.discrepancy import Discrepancy
from npae.compiled.gaussian import Posterior
from npae.compiled.layers import Layer, NotCovered, read
from npae.compiled.lowering import Lowering
from npae.compiled.notes import Done, Matrix, Term
from npae.kernels.step.codes import LIKELIHOODS
from npae.losses import BernoulliLogits, BernoulliProbabilities, Gaussian, SquaredError
from npae.models import AE, VAE, WAE, Model


def lower(lowering: Lowering) -> None:
    """The model's operations."""
    model = type(lowering.model)
    for kind, write in PAGES.items():
        if (model.forward, model.backward) == (kind.forward, kind.backward):
            write(lowering)
            lowering.watch_gradient()
            return
    raise NotCovered(f"the objective of a {model.kind}")


def _networks(lowering: Lowering) -> tuple[list[Layer], list[Layer], list[Layer]]:
    """The encoder's body and heads, and the decoder."""
    body, heads = read(lowering.model.encoder, "encoder")
    decoder, more = read(lowering.model.decoder, "decoder")
    if more or decoder[-1].dropout:
        raise NotCovered("a decoder that does not end with one Dense layer")
    return body, heads, decoder


def _dropouts(lowering: Lowering, encoder: list[Layer], decoder: list[Layer]) -> tuple[list[int], list[int]]:
    """The uniform numbers of each part's dropout layers."""
    dropped = [layer for layer in (*encoder, *decoder) if layer.dropout]
    drawn = [lowering.draw(f"dropout{k}") for k in range(len(dropped))]
    split = sum(layer.dropout is not None for layer in encoder)
    return drawn[:split], drawn[split:]


def _reconstruct(lowering: Lowering, decoder: list[Layer], z: Matrix, x: Matrix, dropouts: list[int]) -> tuple[list[Done], Matrix]:
    """z -> y -> the loss and dy."""
    done = lowering.forward(decoder[:-1], z, dropouts)
    code, scale, clip, constant = _likelihood(lowering.model, lowering.batch)
    term = lowering.model.reconstruction_term
    last, dy = lowering.decode(decoder[-1], done[-1].output if done else z, x, code, scale, clip, term, constant)
    return [*done, last], dy


def _likelihood(model: Model, batch: int) -> tuple[int, float, float, float]:
    """Code, scale, clip and constant of the reconstruction loss."""
    loss = model.likelihood
    if type(loss) in (SquaredError, BernoulliLogits):
        count = batch * (1 if loss.reduction == "sum" else model.outputs)  # type: ignore[union-attr]
        return LIKELIHOODS.index("squared_error" if type(loss) is SquaredError else "bernoulli_logits"), 1 / count, 0.0, 0.0
    if type(loss) is BernoulliProbabilities:
        return LIKELIHOODS.index("bernoulli_sigmoid"), 1 / batch, loss.clip, 0.0
    if type(loss) is Gaussian:
        constant = 0.5 * math.log(2 * math.pi * loss.eta) * model.outputs
        return LIKELIHOODS.index("squared_error"), 1 / (2 * loss.eta * batch), 0.0, constant
    raise NotCovered(f"the loss {type(loss).__name__}")


def _ae(lowering: Lowering) -> None:
    """x -> z -> y -> loss, and back"""
    encoder, heads, decoder = _networks(lowering)
    if heads:
        raise NotCovered("an encoder with heads")
    x = lowering.gather()
    for_encoder, for_decoder = _dropouts(lowering, encoder, decoder)
    coded = lowering.forward(encoder, x, for_encoder)
    done, dy = _reconstruct(lowering, decoder, coded[-1].output, x, for_decoder)
    lowering.backward([*coded, *done], dy)


def _vae(lowering: Lowering) -> None:
    """x -> (mu, s) -> z -> y; KL; and back"""
    model = lowering.model
    assert isinstance(model, VAE)
    if model.kl.free_bits:
        raise NotCovered(f"free_bits {model.kl.free_bits}")
    encoder, heads, decoder = _networks(lowering)
    x, batch = lowering.gather(), lowering.batch
    gaussian = Posterior(lowering, "keras" if model.kl_keras else "exact", model.kl.noise_scale, model.kl.epsilon)
    for_encoder, for_decoder = _dropouts(lowering, encoder, decoder)
    z = gaussian.forward(encoder, heads, x, for_encoder)
    done, dy = _reconstruct(lowering, decoder, z, x, for_decoder)
    lowering.terms.append(Term("kl", gaussian.totals, batch, 1 / batch))
    if model.kl_keras:
        lowering.terms.append(Term("kl_keras", gaussian.keras_totals, batch, 1 / batch))
    kept = {"kl": 0.0} if model.kl_keras else {}
    l2 = {"l2": model.l2_weight} if model.l2_weight else {}
    lowering.weights = lambda step: kept | {"kl_keras" if kept else "kl": model.beta_at(step)} | l2
    dy = lowering.backward(done, dy, 2 * model.l2_weight)
    gaussian.backward(lowering.back([done[0]], dy, None, "d z"))


def _wae(lowering: Lowering) -> None:
    """x -> z -> y; MMD^2 of z and the prior's w; and back"""
    model = lowering.model
    assert isinstance(model, WAE)
    encoder, heads, decoder = _networks(lowering)
    x, batch = lowering.gather(), lowering.batch
    gaussian = Posterior(lowering, "none", 1.0, 0.0) if heads else None
    discrepancy = Discrepancy(lowering)
    for_encoder, for_decoder = _dropouts(lowering, encoder, decoder)
    coded: list[Done] = []
    if gaussian:
        z = gaussian.forward(encoder, heads, x, for_encoder)
    else:
        coded = lowering.forward(encoder, x, for_encoder)
        z = coded[-1].output
    discrepancy.forward(z)
    done, dy = _reconstruct(lowering, decoder, z, x, for_decoder)
    lowering.terms.append(Term("mmd", discrepancy.totals, batch, 1.0))
    lowering.weights = lambda step: {"mmd": model.lambda_}
    dy = lowering.backward(done, dy)
    dz = lowering.back([done[0]], dy, None, "d z")
    discrepancy.backward(z, dz, model.lambda_)
    if gaussian:
        gaussian.backward(dz)
    else:
        lowering.backward(coded, dz)


PAGES: dict[type[Model], Callable[[Lowering], None]] = {AE: _ae, VAE: _vae, WAE: _wae}
