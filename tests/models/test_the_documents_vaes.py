"""The VAE's options that a published run asks for: noise of another scale, Keras's KL term, joint heads, an activation for each layer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from npae.backend import Array
from npae.evaluation.likelihood import log_weights
from npae.layers import ELU, Tanh
from npae.models import VAE

SMALL = {"hidden": (5,), "latent": 2, "activation": "relu", "dtype": "float64", "backend": "numpy", "seed": 4}
X = np.random.default_rng(0).uniform(0.05, 0.95, (7, 6))


def keras_by_loops(model: VAE, eps: Array) -> dict[str, float]:
    """The Keras document's loss, written as it is there, row by row."""
    value = {name: model.parameters[name].value for name in model.parameters.names()}
    sums = {"nll": 0.0, "kl": 0.0, "kl_keras": 0.0}
    for x, noise in zip(X, eps, strict=True):
        h = np.maximum(x @ value["encoder.0.W"] + value["encoder.0.b"], 0)
        mean, s = (h @ value[f"encoder.2.{head}.W"] + value[f"encoder.2.{head}.b"] for head in ("mu", "s"))
        z = mean + np.exp(s) * 0.1 * noise
        y = np.maximum(z @ value["decoder.0.W"] + value["decoder.0.b"], 0) @ value["decoder.2.W"] + value["decoder.2.b"]
        p = 1 / (1 + np.exp(-y))
        sums["nll"] += 6 * -np.mean(x * np.log(p) + (1 - x) * np.log(1 - p))
        sums["kl_keras"] += -0.5 * np.sum(1 + s - mean**2 - np.exp(s))
        sums["kl"] += -0.5 * np.sum(1 + 2 * (s + math.log(0.1)) - mean**2 - 0.01 * np.exp(2 * s))
    return {name: total / len(X) for name, total in sums.items()}


def test_the_keras_term_is_minimised_and_the_exact_one_stands_beside_it() -> None:
    model = VAE(6, **SMALL, noise_scale=0.1, kl="keras", beta=0.5)  # type: ignore[arg-type]
    noise = model.draw(1, 0, 7)
    terms, expected = model.loss_and_grad(X, noise=noise), keras_by_loops(model, noise["eps"])
    assert dict(terms) == pytest.approx(expected, rel=1e-12)
    assert terms.total == pytest.approx(expected["nll"] + 0.5 * expected["kl_keras"], rel=1e-12)
    assert terms.weights == {"nll": 1.0, "kl": 0.0, "kl_keras": 0.5}


def test_the_keras_term_is_said_to_give_no_bound_and_the_exact_one_has_nothing_to_be_said() -> None:
    assert VAE(6, kl="keras").caveat.startswith("not a bound: kl_keras")
    assert VAE(6, noise_scale=0.1).caveat == ""


def test_the_gradient_of_the_keras_model_is_not_that_of_the_exact_one() -> None:
    gradients = []
    for kl in ("keras", "exact"):
        model = VAE(6, **SMALL, noise_scale=0.1, kl=kl)  # type: ignore[arg-type]
        model.loss_and_grad(X, noise=model.draw(1, 0, 7))
        gradients.append(model.parameters["encoder.2.s.b"].grad.copy())
    assert np.abs(gradients[0] - gradients[1]).min() > 1e-3


@pytest.mark.parametrize("posterior", ["log_std", "log_variance", "sigma"])
def test_posterior_and_bound_are_those_of_the_noise_that_is_drawn(posterior: str) -> None:
    """The mean of -L over many draws is the mean of log w, whose density q knows sigma only from `posterior`."""
    model = VAE(6, **SMALL, posterior=posterior, noise_scale=0.3)  # type: ignore[arg-type]
    wide = VAE(6, **SMALL, posterior=posterior)  # type: ignore[arg-type]
    np.testing.assert_allclose(model.posterior(X)[1], 0.3 * wide.posterior(X)[1], rtol=1e-13)
    draws = np.array([-model.loss(X, noise=model.draw(2, step, 7)).total for step in range(400)])
    log_w = log_weights(model, X, samples=400).mean(axis=0)
    error = math.hypot(draws.std(), log_w.std()) / math.sqrt(400)
    assert draws.mean() == pytest.approx(log_w.mean(), abs=4 * error)


def test_joint_heads_start_as_the_halves_of_one_layer_of_their_outputs_together() -> None:
    for heads, outputs in (("apart", 40), ("joint", 80)):
        model = VAE(6, (500,), 40, heads=heads, initialiser="keras")
        for head in ("mu", "s"):
            weights = model.parameters[f"encoder.2.{head}.W"].value
            limit = math.sqrt(6 / (500 + outputs))
            assert limit * 0.999 < np.abs(weights).max() <= limit


def test_a_list_of_activations_is_the_encoders_and_mirrored_in_the_decoder() -> None:
    model = VAE(6, (9, 7), 2, activation=["elu", "tanh"])
    found = [[type(node) for _, node in part.children() if isinstance(node, ELU | Tanh)] for part in (model.encoder, model.decoder)]
    assert found == [[ELU, Tanh], [Tanh, ELU]]
    assert [model.parameters[f"decoder.{place}.W"].shape for place in (0, 2, 4)] == [(2, 7), (7, 9), (9, 6)]
