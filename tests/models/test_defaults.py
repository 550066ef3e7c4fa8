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
VAES: dict[str, Any] = {"reconstruction": "bernoulli", "posterior": "log_std", "beta": 1.0, "kl_warmup": 0, "free_bits": 0.0, "l2": 0.0}
VAES |= {"kl": "exact", "kl_epsilon": 0.0, "noise_scale": 1.0, "heads": "apart", "clip": 1e-7}
OWN: dict[str, dict[str, Any]] = {
    "ae": {"reconstruction": "squared_error", "code_activation": "linear"},
    "vae": VAES,
    "wae": {
        "reconstruction": "squared_error",
        "posterior": "log_std",
        "lambda_": 10.0,
        "encoder": "gaussian",
        "kernel": "rbf",
        "bandwidth": "flux",
        "stop_gradient": True,
    },
    "sparse": {
        "latent": 64,
        "reconstruction": "squared_error",
        "code_activation": None,
        "penalty": "l1",
        "lambda_": 0.3,
        "target_rate": 0.05,
    },
    "denoising": {"reconstruction": "squared_error", "code_activation": "linear", "corruption": "gaussian", "level": 0.3},
    "denoising-vae": {
        "reconstruction": "bernoulli",
        "posterior": "log_std",
        "beta": 1.0,
        "corruption": "clipped_gaussian",
        "level": 0.3,
    },
    "contractive": {
        "reconstruction": "squared_error",
        "activation": "tanh",
        "code_activation": "linear",
        "lambda_": 0.1,
        "l2": 1e-3,
    },
    "linear": {"hidden": ()},
    "cvae": {"classes": 10} | VAES,
    "paired": {"target_features": 4, "symbols": 2, "hidden": (256,), "latent": 32, "activation": "relu", "code_activation": "linear"}
    | {"reconstruction": "categorical"},
    "wae-gan": {"reconstruction": "squared_error", "lambda_": 10.0, "discriminator_hidden": (128, 128)},
    "gan": {"hidden": (256, 128), "latent": 16, "discriminator_hidden": (256, 128), "label_smoothing": 0.1, "dropout": 0.3},
    "iwae": {"reconstruction": "bernoulli", "posterior": "log_std", "samples": 5, "estimator": "iwae"},
    "em-vae": {"reconstruction": "bernoulli", "inner_steps": 20, "inner_rate": 0.5},
    "semi-amortised-vae": {"reconstruction": "bernoulli", "inner_steps": 10, "inner_rate": 0.1},
    "infovae": {
        "reconstruction": "bernoulli",
        "posterior": "log_std",
        "alpha": 0.5,
        "lambda_": 100.0,
        "kernel": "rbf",
        "bandwidth": "prior",
    },
}
LACKS: dict[str, set[str]] = {
    "gan": {"eta", "output"},
    "contractive": {"dropout"},
    "linear": {"eta", "activation", "output", "dropout"},
    "iwae": {"dropout"},
    "em-vae": {"dropout"},
    "semi-amortised-vae": {"dropout"},
}


SIZES: dict[str, dict[str, int]] = {"cvae": {"classes": 10}, "paired": {"target_features": 4, "symbols": 2}}  # the data say them


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_a_models_defaults_are_these(kind: str) -> None:
    shared = {name: value for name, value in SHARED.items() if name not in LACKS.get(kind, ())}
    assert MODELS[kind](6, **SIZES.get(kind, {})).spec == {**shared, **OWN[kind]}


def test_adams_defaults_are_the_papers() -> None:
    adam = Adam(VAE(6, (5,), 2).parameters)
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon) == (1e-3, 0.9, 0.999, 1e-8)
    assert (adam.epsilon_placement, adam.clip_norm, adam.schedule.name, adam.steps) == ("bias_corrected", None, "constant", 0)


def test_the_constants_of_the_sources_are_theirs() -> None:
    assert IMQMMD().scales == (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    assert BernoulliProbabilities().clip == 1e-7
    assert SIGMA_FLOOR == 1e-6
