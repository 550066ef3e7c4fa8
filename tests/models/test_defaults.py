"""The options that nobody gave: they decide what a published number means, so they change in the open or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from npae.losses import IMQMMD, BernoulliProbabilities
from npae.models import MODELS, VAE
from npae.models.networks import SIGMA_FLOOR
from npae.optim import Adam

SHARED: dict[str, Any] = {
    "features": 6,
    "hidden": (128,),
    "latent": 8,
    "eta": 1.0,
    "activation": "leaky_relu",
    "output": None,
    "dropout": 0.0,
    "initialiser": "flux",
    "dtype": "float32",
    "backend": None,
    "seed": 0,
}
OWN: dict[str, dict[str, Any]] = {
    "ae": {"reconstruction": "squared_error", "code_activation": "linear"},
    "vae": {"reconstruction": "bernoulli", "posterior": "log_std", "beta": 1.0, "kl_warmup": 0, "free_bits": 0.0, "l2": 0.0},
    "wae": {
        "reconstruction": "squared_error",
        "posterior": "log_std",
        "lambda_": 10.0,
        "encoder": "gaussian",
        "kernel": "rbf",
        "bandwidth": "flux",
        "stop_gradient": True,
    },
}


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_a_models_defaults_are_these(kind: str) -> None:
    assert MODELS[kind](6).spec == {**SHARED, **OWN[kind]}


def test_adams_defaults_are_the_papers() -> None:
    adam = Adam(VAE(6, (5,), 2).parameters)
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon) == (1e-3, 0.9, 0.999, 1e-8)
    assert (adam.epsilon_placement, adam.clip_norm, adam.schedule.name, adam.steps) == ("bias_corrected", None, "constant", 0)


def test_the_constants_of_the_sources_are_theirs() -> None:
    assert IMQMMD().scales == (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    assert BernoulliProbabilities().clip == 1e-7
    assert SIGMA_FLOOR == 1e-6
