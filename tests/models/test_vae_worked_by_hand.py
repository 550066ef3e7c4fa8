"""A variational autoencoder of one latent unit, worked with a pencil: 2 - 1 - 2, one row, one draw.

Read it beside npae/layers/reparameterise.py, npae/losses/kl.py and npae/models/vae.py. The weights are chosen so that sigma is 2 and the
decoder's probabilities are 3/4 and 1/2.

        mu = x Wm + bm     s = x Ws + bs, sigma = exp(s)     z = mu + sigma eps     l = z W + b     p = 1 / (1 + exp(-l))
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from npae.models import VAE
from npae.noise import Noise

X, EPS = np.array([[1.0, 0.0]]), np.array([[0.5]])
LN2, LN3 = math.log(2), math.log(3)  # 0.693147, 1.098612

WEIGHTS = {
    "encoder.0.mu.W": [[0.50], [-0.25]],
    "encoder.0.mu.b": [0.25],
    "encoder.0.s.W": [[0.25], [0.50]],
    "encoder.0.s.b": [LN2 - 0.25],
    "decoder.0.W": [[1.0, -0.5]],
    "decoder.0.b": [LN3 - 1.75, 0.875],
}

# ---- forward -------------------------------------------------------------------------------------------------------------------------
#
# mu = 1(0.5) + 0(-0.25) + 0.25                  = 0.75
# s  = 1(0.25) + 0(0.5) + ln 2 - 0.25            = ln 2         sigma = exp(s) = 2
# z  = mu + sigma eps = 0.75 + 2(0.5)            = 1.75
# l  = 1.75(1) + ln 3 - 1.75                     = ln 3         p = 1 / (1 + 1/3) = 0.75
#      1.75(-0.5) + 0.875                        = 0            p = 1 / (1 + 1)   = 0.5
#
# nll = -ln p(x = 1) - ln p(x = 0) = -ln 0.75 - ln(1 - 0.5)     = 0.287682 + 0.693147               = 0.980829 nats
# kl  = 1/2 (sigma^2 + mu^2 - 1 - 2 s)                          = 1/2 (4 + 0.5625 - 1 - 1.386294)   = 1.088103 nats
# total = nll + kl                                                                                  = 2.068932 nats

# ---- backward ------------------------------------------------------------------------------------------------------------------------
#
# l -> nll          dl = p - x             =  0.75 - 1 = -0.25        0.5 - 0 = 0.5
# l = z W + b       dW = z dl              = -0.4375                  0.875
#                   db = dl
#                   dz = dl W^T            = -0.25(1) + 0.5(-0.5)     = -0.5
# z = mu + e^s eps  dmu = dz               = -0.5
#                   ds = dz eps sigma      = -0.5 (0.5) 2             = -0.5
# (mu, s) -> kl     dmu += mu              = -0.5 + 0.75              =  0.25
#                   ds  += sigma^2 - 1     = -0.5 + 3                 =  2.5
# mu = x Wm + bm    dWm = x^T dmu          =  0.25, 0                 the second weight meets a zero
# s  = x Ws + bs    dWs = x^T ds           =  2.5, 0

GRADIENTS: dict[str, Any] = {
    "encoder.0.mu.W": [[0.25], [0.0]],
    "encoder.0.mu.b": [0.25],
    "encoder.0.s.W": [[2.5], [0.0]],
    "encoder.0.s.b": [2.5],
    "decoder.0.W": [[-0.4375, 0.875]],
    "decoder.0.b": [-0.25, 0.5],
}


@pytest.fixture(params=["numpy", "numba"])
def model(request: pytest.FixtureRequest) -> VAE:
    """The network with the weights above."""
    model = VAE(2, (), 1, dtype="float64", backend=request.param)
    for name, numbers in WEIGHTS.items():
        model.parameters[name].value[...] = numbers
    return model


def test_the_terms_are_those_on_paper(model: VAE) -> None:
    terms = model.loss(X, noise=Noise(eps=EPS))
    assert terms.nll == pytest.approx(0.980829, abs=5e-7)
    assert terms.kl == pytest.approx(1.088103, abs=5e-7)
    assert terms.total == pytest.approx(2.068932, abs=5e-7)


def test_every_number_of_both_passes_is_the_one_on_paper(model: VAE) -> None:
    mu, s = model.encoder.forward(X)
    z = model.reparameterise.forward(mu, s, EPS)
    logits = model.decoder.forward(z)
    assert (mu[0, 0], s[0, 0], z[0, 0]) == pytest.approx((0.75, LN2, 1.75), rel=1e-14)
    np.testing.assert_allclose(logits, [[LN3, 0.0]], rtol=1e-14, atol=1e-15)
    model.likelihood.forward(logits, X)
    model.kl.forward(mu, s)
    dl = model.likelihood.backward()
    np.testing.assert_allclose(dl, [[-0.25, 0.5]], rtol=1e-14)
    dz = model.decoder.backward(dl)
    assert dz[0, 0] == pytest.approx(-0.5, rel=1e-14)
    assert [float(d[0, 0]) for d in model.reparameterise.backward(dz)] == pytest.approx([-0.5, -0.5], rel=1e-14)
    assert [float(d[0, 0]) for d in model.kl.backward()] == pytest.approx([0.75, 3.0], rel=1e-14)


def test_every_gradient_is_that_on_paper(model: VAE) -> None:
    model.loss_and_grad(X, noise=Noise(eps=EPS))
    for name, numbers in GRADIENTS.items():
        np.testing.assert_allclose(model.parameters[name].grad, numbers, rtol=1e-13, atol=1e-15, err_msg=name)


def test_the_posterior_and_the_decoded_probabilities_are_those_on_paper(model: VAE) -> None:
    mu, sigma = model.posterior(X)
    assert (mu[0, 0], sigma[0, 0]) == pytest.approx((0.75, 2.0), rel=1e-14)
    np.testing.assert_allclose(model.decode(np.array([[1.75]])), [[0.75, 0.5]], rtol=1e-14)
