"""The contractive autoencoder: its penalty is the Jacobian of its own encoder, and training shrinks what noise does to a code."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from npae.backend import Array
from npae.corruption import draw_corrupted
from npae.errors import InputError
from npae.models import ContractiveAE
from npae.optim import Adam


@pytest.mark.parametrize(
    ("hidden", "activation", "code"), [((), "tanh", "sigmoid"), ((9,), "tanh", "linear"), ((9, 7), "softplus", "tanh")]
)
def test_the_contraction_is_the_squared_norm_of_the_encoders_jacobian(
    hidden: tuple[int, ...], activation: str, code: str, x: Array
) -> None:
    model = ContractiveAE(12, hidden, 4, activation=activation, code_activation=code, dtype="float64")
    x, h, total = x.astype(np.float64), 1e-5, 0.0
    for feature in range(12):
        step = np.zeros(12)
        step[feature] = h
        total += float((((model.encode(x + step) - model.encode(x - step)) / (2 * h)) ** 2).sum())
    assert model.loss(x).contraction == pytest.approx(total / len(x), rel=1e-8)


def test_the_total_weighs_its_three_terms(x: Array) -> None:
    model = ContractiveAE(12, (9,), 4, lambda_=0.7, l2=0.01, dtype="float64")
    terms = model.loss_and_grad(x)
    decoder = [model.parameters[name].value for name in model.parameters if name.startswith("decoder.")]
    assert terms.reconstruction == pytest.approx(((model.reconstruct(x) - x) ** 2).sum(axis=1).mean(), rel=1e-12)
    assert terms.l2 == pytest.approx(sum(float((value**2).sum()) for value in decoder), rel=1e-12)
    assert terms.total == pytest.approx(terms.reconstruction + 0.7 * terms.contraction + 0.01 * terms.l2, rel=1e-14)


def _moved_by_noise(lambda_: float) -> float:
    """How far a small noise moves the codes of held-out digits, as a share of how far the codes lie apart."""
    x = load_digits().data / 16
    model = ContractiveAE(64, (16,), 4, lambda_=lambda_)
    adam = Adam(model.parameters, 5e-3)
    for _ in range(200):
        model.loss_and_grad(x[:200])
        adam.update()
    clean = model.encode(x[300:600])
    moved = model.encode(draw_corrupted("gaussian", 0.1, x[300:600], seed=1))
    return float(((moved - clean) ** 2).sum() / ((clean - clean.mean(axis=0)) ** 2).sum())


def test_noise_moves_the_code_less_than_without_the_penalty() -> None:
    assert _moved_by_noise(1.0) < 0.5 * _moved_by_noise(0.0)


@pytest.mark.parametrize("option", ["activation", "code_activation"])
def test_an_activation_with_a_kink_is_refused(option: str) -> None:
    with pytest.raises(InputError, match="activation 'relu': the contractive penalty needs its second derivative; take one of linear,"):
        ContractiveAE(6, **{option: "relu"})  # type: ignore[arg-type]


def test_without_hidden_layers_the_hidden_activation_is_the_decoders_alone() -> None:
    assert ContractiveAE(6, (), 2, activation="relu").contraction.activations == ("linear",)
