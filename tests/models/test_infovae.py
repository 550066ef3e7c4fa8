"""InfoVAE: its three terms and their weights, and the models that it becomes at the ends of alpha and lambda."""

from __future__ import annotations

import numpy as np
import pytest

from npae.backend import Array
from npae.errors import InputError
from npae.models import VAE, WAE, InfoVAE


def _both(model: InfoVAE, other: VAE | WAE, x: Array) -> tuple[Array, Array]:
    noise = model.draw(0, 3, len(x))
    model.loss_and_grad(x, noise=noise)
    other.loss_and_grad(x, noise=noise)
    return model.parameters.grad, other.parameters.grad


def test_with_alpha_0_and_lambda_1_it_is_the_vae(x: Array) -> None:
    model, vae = InfoVAE(12, (9,), 4, alpha=0.0, lambda_=1.0, dtype="float64"), VAE(12, (9,), 4, dtype="float64")
    noise = model.draw(0, 3, len(x))
    terms, others = model.loss(x, noise=noise), vae.loss(x, noise=noise)
    assert (terms.nll, terms.kl, terms.total) == (others.nll, others.kl, others.total)
    np.testing.assert_allclose(*_both(model, vae, x), rtol=0, atol=1e-14)


def test_with_alpha_1_it_is_a_wae_with_a_gaussian_encoder(x: Array) -> None:
    model = InfoVAE(12, (9,), 4, alpha=1.0, lambda_=7.0, bandwidth="prior", reconstruction="squared_error", dtype="float64")
    wae = WAE(12, (9,), 4, lambda_=7.0, bandwidth="prior", dtype="float64")
    noise = model.draw(0, 3, len(x))
    assert model.loss(x, noise=noise).total == pytest.approx(wae.loss(x, noise=noise).total, rel=1e-13)
    np.testing.assert_allclose(*_both(model, wae, x), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("alpha", "lambda_", "kl", "mmd"), [(0.5, 100.0, 0.5, 99.5), (-1.0, 5.0, 2.0, 3.0), (0.25, 0.75, 0.75, 0.0)])
def test_alpha_and_lambda_weigh_the_divergence_and_the_discrepancy(alpha: float, lambda_: float, kl: float, mmd: float, x: Array) -> None:
    model = InfoVAE(12, (9,), 4, alpha=alpha, lambda_=lambda_, dtype="float64")
    noise = model.draw(0, 3, len(x))
    terms = model.loss(x, noise=noise)
    assert terms.weights == {"nll": 1.0, "kl": kl, "mmd": mmd}
    assert terms.total == pytest.approx(terms.nll + kl * terms.kl + mmd * terms.mmd, rel=1e-13)
    mu, sigma = model.posterior(x)
    assert terms.mmd == pytest.approx(_mmd(mu + sigma * noise.eps, noise.prior), rel=1e-9)


def _mmd(z: Array, w: Array) -> float:
    """From the kernel matrices, with the prior's bandwidth 2 Z = 8."""

    def k(a: Array, b: Array) -> Array:
        return np.asarray(np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / 16))

    n = len(z)
    off = 1 - np.eye(n)
    return float(((k(z, z) + k(w, w)) * off).sum() / (n * (n - 1)) - 2 * k(z, w).mean())


def test_weights_that_would_push_away_from_the_prior_are_refused() -> None:
    with pytest.raises(InputError, match=r"alpha 1.5 must be a finite number of at most 1"):
        InfoVAE(6, alpha=1.5)
    with pytest.raises(InputError, match=r"alpha 0.2 and lambda 0.5: .* below 0 here; take lambda 0.8 or more"):
        InfoVAE(6, alpha=0.2, lambda_=0.5)
    with pytest.raises(InputError, match="kernel 'cosine' is not known"):
        InfoVAE(6, kernel="cosine")


def test_a_batch_of_one_row_has_no_pairs() -> None:
    model = InfoVAE(6)
    with pytest.raises(InputError, match="needs at least 2 rows"):
        model.loss(np.zeros((1, 6)), noise=model.draw(0, 0, 1))
