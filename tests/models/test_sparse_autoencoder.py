"""The sparse autoencoder: its terms by hand, what either penalty does to a code in training, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from npae.backend import Array
from npae.errors import InputError
from npae.layers import ReLU, Sigmoid
from npae.models import AE, SparseAE
from npae.optim import Adam


@pytest.fixture(scope="module")
def digits() -> Array:
    """200 digits in [0, 1]."""
    rows: Array = load_digits().data[:200] / 16
    return rows


def _trained(x: Array, **options: object) -> SparseAE:
    model = SparseAE(64, (16,), 12, dtype="float64", **options)  # type: ignore[arg-type]
    adam = Adam(model.parameters, 5e-3)
    for _ in range(300):
        model.loss_and_grad(x)
        adam.update()
    return model


def test_the_terms_are_the_plain_autoencoders_and_the_penalty_of_its_code(x: Array) -> None:
    l1, kl = (SparseAE(12, (9,), 4, penalty=penalty, lambda_=0.7, target_rate=0.2, dtype="float64") for penalty in ("l1", "kl"))
    for model, code in ((l1, "relu"), (kl, "sigmoid")):
        plain = AE(12, (9,), 4, code_activation=code, dtype="float64")
        terms, z = model.loss(x), model.encode(x)
        np.testing.assert_array_equal(z, plain.encode(x))
        assert terms.reconstruction == plain.loss(x).total
        r = z.mean(axis=0)
        divergence = (0.2 * np.log(0.2 / r) + 0.8 * np.log(0.8 / (1 - r))).sum() if code == "sigmoid" else np.abs(z).sum(axis=1).mean()
        assert terms.sparsity == pytest.approx(divergence, rel=1e-12)
        assert terms.total == pytest.approx(terms.reconstruction + 0.7 * terms.sparsity, rel=1e-14)


def test_l1_silences_units_at_the_cost_of_the_reconstruction(digits: Array) -> None:
    free, sparse = _trained(digits, lambda_=0.0), _trained(digits, lambda_=0.3)
    assert (sparse.encode(digits) == 0).mean() > (free.encode(digits) == 0).mean() + 0.1
    assert free.loss(digits).sparsity > 3 * sparse.loss(digits).sparsity
    assert sparse.loss(digits).reconstruction > free.loss(digits).reconstruction


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_kl_brings_every_unit_to_the_target_rate(rate: float, digits: Array) -> None:
    z = _trained(digits, penalty="kl", lambda_=20.0, target_rate=rate).encode(digits)
    assert z.min() > 0
    assert z.max() < 1
    np.testing.assert_allclose(z.mean(axis=0), rate, atol=0.03)
    assert z.std(axis=0).min() > 0.02  # the rate is a mean: a unit still tells rows apart


def test_the_code_is_the_one_that_the_penalty_needs_unless_another_is_given() -> None:
    assert isinstance(SparseAE(6).encoder.layers[-1], ReLU)
    assert isinstance(SparseAE(6, penalty="kl").encoder.layers[-1], Sigmoid)
    assert isinstance(SparseAE(6, code_activation="sigmoid").encoder.layers[-1], Sigmoid)


def test_a_code_that_is_no_rate_is_refused_for_kl() -> None:
    with pytest.raises(InputError, match="code_activation 'relu': penalty 'kl' reads a code between 0 and 1; take sigmoid"):
        SparseAE(6, penalty="kl", code_activation="relu")


def test_weights_and_names_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="lambda -1 is not a weight"):
        SparseAE(6, lambda_=-1)
    with pytest.raises(InputError, match=r"penalty 'kll' is not known; did you mean 'kl'\?"):
        SparseAE(6, penalty="kll")
