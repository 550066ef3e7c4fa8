"""The terms of each objective: which there are, what they weigh, and what the total is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

from npae.backend import Array
from npae.models import AE, VAE, WAE, Model, Terms

Make = Callable[..., Model]


def _vae(**options: object) -> VAE:
    return VAE(12, (9,), 4, dtype="float64", seed=1, **options)  # type: ignore[arg-type]


def _terms(model: Model, x: Array, y: Array | None = None, *, step: int | None = None) -> Terms:
    return model.loss_and_grad(x, y, noise=model.draw(0, 0, len(x)), step=step)


def _posterior_divergence(model: VAE, x: Array) -> Array:
    """KL of each unit, the mean over the rows, from the posterior that the model states."""
    mu, sigma = model.posterior(x)
    return np.asarray((0.5 * (sigma**2 + mu**2 - 1) - np.log(sigma)).mean(axis=0))


def test_the_total_is_the_weighted_sum_of_the_terms(make: Make, x: Array, y: Array | None) -> None:
    terms = _terms(make(), x, y, step=3)
    assert terms.total == pytest.approx(sum(terms.weights[name] * value for name, value in terms.items()), rel=1e-12)
    assert set(terms.weights) == set(terms)


def test_terms_are_read_by_name_and_print_themselves() -> None:
    terms = Terms({"nll": 2.0, "kl": 3.0}, {"kl": 0.5})
    assert (terms.nll, terms["kl"], terms.total, len(terms), list(terms)) == (2.0, 3.0, 3.5, 2, ["nll", "kl"])
    assert repr(terms) == "Terms(total=3.5, nll=2, kl=3)"
    with pytest.raises(AttributeError, match="no term 'l2'"):
        _ = terms.l2


def test_a_term_of_weight_zero_is_watched_and_does_not_spoil_the_total() -> None:
    assert Terms({"nll": 2.0, "kl": math.inf}, {"kl": 0.0}).total == 2.0


def test_an_autoencoder_has_its_reconstruction_alone(x: Array) -> None:
    model = AE(12, (9,), 4, dtype="float64")
    terms = _terms(model, x)
    assert dict(terms) == {"reconstruction": terms.total}
    assert terms.total == pytest.approx(((model.reconstruct(x) - x) ** 2).sum(axis=1).mean(), rel=1e-12)


@pytest.mark.parametrize("posterior", ["log_std", "log_variance", "sigma"])
def test_the_terms_of_a_vae_are_those_of_its_posterior_and_its_decoder(posterior: str, x: Array) -> None:
    model = _vae(posterior=posterior)
    noise, x = model.draw(0, 0, len(x)), x.astype(np.float64)
    terms = model.loss_and_grad(x, noise=noise)
    mu, sigma = model.posterior(x)
    p = model.decode(mu + sigma * noise.eps)
    assert terms.nll == pytest.approx(-(special.xlogy(x, p) + special.xlog1py(1 - x, -p)).sum() / len(x), rel=1e-10)
    assert terms.kl == pytest.approx(_posterior_divergence(model, x).sum(), rel=1e-10)
    assert terms.total == pytest.approx(terms.nll + terms.kl, rel=1e-14)


def test_beta_weighs_the_divergence_and_leaves_its_value(x: Array) -> None:
    plain, weighed = _terms(_vae(), x), _terms(_vae(beta=4.0), x)
    assert dict(weighed) == dict(plain)
    assert weighed.weights == {"nll": 1.0, "kl": 4.0}
    assert weighed.total == pytest.approx(plain.nll + 4 * plain.kl, rel=1e-14)


def test_without_beta_the_objective_is_the_reconstruction_alone(x: Array) -> None:
    model = _vae(beta=0.0)
    terms = _terms(model, x)
    assert terms.total == terms.nll
    assert terms.kl == pytest.approx(_posterior_divergence(model, x).sum(), rel=1e-10)


def test_without_beta_a_divergence_that_overflows_does_not_spoil_the_gradient(x: Array) -> None:
    model = VAE(12, (), 4, beta=0.0, backend="numba")
    model.parameters["encoder.0.s.b"].value[...] = 50  # exp(2 s) overflows in float32, exp(s) does not
    model.parameters["decoder.0.W"].value[...] *= 1e-22
    with np.errstate(invalid="ignore"):
        assert np.isfinite(_terms(model, x).total)
    assert np.isfinite(model.parameters.grad).all()


def test_warm_up_raises_beta_linearly_to_its_value_and_no_step_means_after_it(x: Array) -> None:
    model = _vae(beta=2.0, kl_warmup=4)
    weights = [_terms(model, x, step=step).weights["kl"] for step in (0, 1, 2, 3, 4, 1000)]
    assert weights == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert _terms(model, x).weights["kl"] == 2.0
    assert _terms(_vae(beta=2.0), x, step=0).weights["kl"] == 2.0
    first = _terms(model, x, step=0)
    assert first.total == pytest.approx(first.nll + 0.5 * first.kl, rel=1e-14)


def test_free_bits_stand_beside_the_exact_divergence_and_are_what_is_weighed(x: Array) -> None:
    per_unit = _posterior_divergence(_vae(), x)
    free_bits = float(np.sort(per_unit)[1:3].mean())
    model = _vae(free_bits=free_bits, beta=3.0)
    terms = _terms(model, x)
    assert list(terms) == ["nll", "kl", "kl_free_bits"]
    assert terms.kl == pytest.approx(per_unit.sum(), rel=1e-10)
    assert terms.kl_free_bits == pytest.approx(np.maximum(per_unit, free_bits).sum(), rel=1e-10)
    assert terms.weights == {"nll": 1.0, "kl": 0.0, "kl_free_bits": 3.0}
    assert terms.total == pytest.approx(terms.nll + 3 * terms.kl_free_bits, rel=1e-14)


def test_l2_is_the_sum_of_squares_of_the_decoder_biases_too(x: Array) -> None:
    model = _vae(l2=0.005)
    model.parameters["decoder.2.b"].value[...] = 0.5
    terms = _terms(model, x)
    decoder = [model.parameters[name].value for name in model.parameters if name.startswith("decoder.")]
    assert terms.l2 == pytest.approx(sum((value**2).sum() for value in decoder), rel=1e-13)
    assert terms.total == pytest.approx(terms.nll + terms.kl + 0.005 * terms.l2, rel=1e-14)
    assert "l2" not in _terms(_vae(), x)


@pytest.mark.parametrize("encoder", ["gaussian", "deterministic"])
@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_a_wae_weighs_the_discrepancy_of_its_codes_from_the_prior_draws(encoder: str, kernel: str, x: Array) -> None:
    model = WAE(12, (9,), 4, lambda_=7.0, encoder=encoder, kernel=kernel, bandwidth="prior", dtype="float64")
    noise = model.draw(0, 0, len(x))
    terms = model.loss_and_grad(x, noise=noise)
    if encoder == "gaussian":
        mu, sigma = model.posterior(x)
        z = mu + sigma * noise.eps
    else:
        z = model.encode(x)
    assert terms.reconstruction == pytest.approx(((model.decode(z) - x) ** 2).sum(axis=1).mean(), rel=1e-10)
    assert terms.mmd == pytest.approx(_mmd(kernel, z, noise.prior), rel=1e-8)
    assert terms.weights == {"reconstruction": 1.0, "mmd": 7.0}
    assert terms.total == pytest.approx(terms.reconstruction + 7 * terms.mmd, rel=1e-14)


def _mmd(kernel: str, z: Array, w: Array) -> float:
    """From the kernel matrices, with the prior's bandwidth 2 Z = 8 and the scales of the published code."""

    def k(a: Array, b: Array) -> Array:
        d2 = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
        constants = [8 * scale for scale in (0.1, 0.2, 0.5, 1, 2, 5, 10)]
        return np.exp(-d2 / 16) if kernel == "rbf" else np.asarray(sum(c / (c + d2) for c in constants))

    n = len(z)
    off = 1 - np.eye(n)
    return float(((k(z, z) + k(w, w)) * off).sum() / (n * (n - 1)) - 2 * k(z, w).mean())


def test_dropout_is_on_in_a_training_step_and_off_in_the_loss(x: Array) -> None:
    model = AE(12, (9,), 4, dropout=0.5, dtype="float64")
    noise = model.draw(0, 0, 20)
    dropped, whole = model.loss_and_grad(x, noise=noise).total, model.loss(x, noise=noise).total
    assert dropped != whole
    assert whole == pytest.approx(((model.reconstruct(x) - x) ** 2).sum(axis=1).mean(), rel=1e-12)


def test_per_image_turns_a_mean_over_elements_into_a_sum_over_features(x: Array) -> None:
    mean, total = AE(12, (9,), 4, reconstruction="mean_squared_error"), AE(12, (9,), 4)
    assert mean.per_image(_terms(mean, x))["reconstruction"] == pytest.approx(_terms(total, x).reconstruction, rel=1e-6)
    vae = VAE(12, (9,), 4, reconstruction="mean_squared_error")
    terms = _terms(vae, x)
    assert vae.per_image(terms) == {"nll": terms.nll * 12, "kl": terms.kl}


def test_a_stopped_bandwidth_is_the_one_of_these_codes_and_a_flowing_one_is_not_held(x: Array) -> None:
    stopped = WAE(12, (9,), 4)
    noise = stopped.draw(0, 0, 20)
    held = stopped.held_constant(x, noise)
    assert list(held) == ["sigma2"]
    free = stopped.loss_and_grad(x, noise=noise)
    assert stopped.loss_and_grad(x, noise=noise, held=held).total == free.total
    assert stopped.loss_and_grad(x, noise=noise, held={"sigma2": 3 * held["sigma2"]}).mmd != free.mmd
    assert WAE(12, (9,), 4, stop_gradient=False).held_constant(x, noise) == {}
    assert WAE(12, (9,), 4, kernel="imq").held_constant(x, noise) == {}
