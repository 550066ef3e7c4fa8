"""The denoising models: what is encoded and what it is compared with, that they denoise, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from sklearn.datasets import load_digits

from npae import noise as streams
from npae.backend import Array, backend
from npae.corruption import CORRUPTIONS, corrupt, draw_corrupted
from npae.errors import InputError
from npae.models import AE, DenoisingAE, DenoisingVAE, Model
from npae.optim import Adam


def _noisy(model: DenoisingAE | DenoisingVAE, x: Array, numbers: Array) -> Array:
    return corrupt(backend("numpy"), model.corruption, model.level, x, numbers, np.empty_like(x), np.empty(x.shape, bool))


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_corrupted_rows_are_encoded_and_the_clean_ones_are_the_target(kind: str, x: Array) -> None:
    model, x = DenoisingAE(12, (9,), 4, corruption=kind, level=0.4, dtype="float64"), x.astype(np.float64)
    noise = model.draw(3, 7, len(x))
    noisy = _noisy(model, x, noise.corruption)
    assert (noisy != x).any()
    expected = ((model.reconstruct(noisy) - x) ** 2).sum(axis=1).mean()
    for terms in (model.loss_and_grad(x, noise=noise), model.loss(x, noise=noise)):
        assert terms.total == terms.reconstruction == pytest.approx(expected, rel=1e-12)
    assert model.loss_and_grad(x, noise=model.draw(3, 8, len(x))).total != expected


def test_the_numbers_are_those_of_the_stream_that_draw_corrupted_reads(x: Array) -> None:
    model = DenoisingAE(12, (9,), 4, corruption="masking", level=0.4)
    np.testing.assert_array_equal(_noisy(model, x, model.draw(3, 7, len(x)).corruption), draw_corrupted("masking", 0.4, x, seed=3, step=7))
    stream, distribution, columns = model.noise_columns()["corruption"]
    assert (stream, distribution, columns) == (streams.CORRUPT, "uniform", 12)


def test_without_corruption_the_objective_and_gradient_are_the_plain_autoencoders(x: Array) -> None:
    model, plain = DenoisingAE(12, (9,), 4, level=0.0, dtype="float64"), AE(12, (9,), 4, dtype="float64")
    assert model.loss_and_grad(x, noise=model.draw(0, 0, len(x))).total == plain.loss_and_grad(x).total
    np.testing.assert_array_equal(model.parameters.grad, plain.parameters.grad)


def test_the_terms_of_the_denoising_vae_are_those_of_the_posterior_of_the_corrupted_rows(x: Array) -> None:
    model, x = DenoisingVAE(12, (9,), 4, corruption="masking", level=0.4, beta=0.5, dtype="float64"), x.astype(np.float64)
    noise = model.draw(3, 7, len(x))
    mu, sigma = model.posterior(_noisy(model, x, noise.corruption))
    p = model.decode(mu + sigma * noise.eps)
    terms = model.loss_and_grad(x, noise=noise)
    assert terms.nll == pytest.approx(-(special.xlogy(x, p) + special.xlog1py(1 - x, -p)).sum() / len(x), rel=1e-10)
    assert terms.kl == pytest.approx((0.5 * (sigma**2 + mu**2 - 1) - np.log(sigma)).sum() / len(x), rel=1e-10)
    assert terms.total == pytest.approx(terms.nll + 0.5 * terms.kl, rel=1e-14)


def test_encoding_and_reconstructing_corrupt_nothing(x: Array) -> None:
    for model in (DenoisingAE(12, (9,), 4), DenoisingVAE(12, (9,), 4)):
        np.testing.assert_array_equal(model.encode(x), model.encode(x))
        np.testing.assert_array_equal(model.encode(x[:3]), model.encode(x)[:3])


def _trained(model: Model, x: Array, steps: int = 250) -> Model:
    adam = Adam(model.parameters, 5e-3)
    for step in range(steps):
        model.loss_and_grad(x, noise=model.draw(0, step, len(x)))
        adam.update()
    return model


@pytest.mark.parametrize(("kind", "level"), [("gaussian", 0.3), ("masking", 0.3), ("salt_and_pepper", 0.2)])
def test_a_trained_one_gives_held_out_digits_back_cleaner_than_they_came_and_cleaner_than_a_plain_one_does(kind: str, level: float) -> None:
    digits = load_digits().data / 16
    train, held_out = digits[:300], digits[1000:]
    noisy = draw_corrupted(kind, level, held_out, seed=9)
    options: dict[str, Any] = {"hidden": (48,), "latent": 24, "output": "sigmoid"}
    denoising = _trained(DenoisingAE(64, corruption=kind, level=level, **options), train)
    plain = _trained(AE(64, **options), train)

    def error(rows: Array) -> float:
        return float(((rows - held_out) ** 2).mean())

    assert error(denoising.reconstruct(noisy)) < 0.6 * error(noisy)
    assert error(denoising.reconstruct(noisy)) < 0.8 * error(plain.reconstruct(noisy))


@pytest.mark.parametrize("model", [DenoisingAE, DenoisingVAE])
def test_an_unfit_corruption_is_refused_when_the_model_is_made(model: type[Model]) -> None:
    with pytest.raises(InputError, match=r"corruption 'salt' is not known"):
        model(6, corruption="salt")  # type: ignore[call-arg]
    with pytest.raises(InputError, match="level 2 does not fit corruption 'masking'"):
        model(6, corruption="masking", level=2)  # type: ignore[call-arg]
    with pytest.raises(InputError, match=r"corruption 'gaussian' leaves \[0, 1\], where reconstruction 'bernoulli' has its data"):
        model(6, corruption="gaussian", reconstruction="bernoulli")  # type: ignore[call-arg]


def test_data_that_the_corruption_is_not_for_are_refused() -> None:
    x = np.full((3, 6), 2.0)
    model = DenoisingAE(6, corruption="salt_and_pepper")
    with pytest.raises(InputError, match=r"x ranges over \[2, 2\]: corruption 'salt_and_pepper' is for data in \[0, 1\]"):
        model.loss_and_grad(x, noise=model.draw(0, 0, 3))
    gaussian = DenoisingAE(6)
    assert np.isfinite(gaussian.loss_and_grad(x, noise=gaussian.draw(0, 0, 3)).total)


def test_a_step_without_the_numbers_says_where_they_come_from(x: Array) -> None:
    with pytest.raises(InputError, match=r"noise 'corruption' is missing, expected \(20, 12\): pass noise=model.draw"):
        DenoisingAE(12).loss_and_grad(x)
