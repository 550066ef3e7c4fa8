"""Each preset is its document's: settings and published numbers, copied here a second time."""

from __future__ import annotations

from typing import Any

import pytest

from npae.errors import InputError
from npae.presets import preset, preset_names
from npae.training.configuration import build_model, resolve

PUBLISHED: dict[str, dict[Any, float]] = {
    "flux-ae": {"steps": 3000, "initial": 0.11730117}
    | dict(zip(range(1, 6), [26.156715, 19.408918, 18.337896, 17.72952, 17.113337], strict=True)),
    "flux-vae": {"steps": 3000, "initial": 549.64185}
    | dict(zip(range(1, 6), [95935.95, 82061.76, 80723.4, 79984.555, 79640.5], strict=True)),
    "flux-wae": {"steps": 3000, "initial": 110.71296}
    | dict(zip(range(1, 6), [15915.853, 12841.568, 12501.018, 12185.054, 12037.139], strict=True)),
    "keras-ae": {"compression": 24.5, 50: 0.09, "50 validation": 0.09},
    "torch-ae": dict(zip(range(1, 6), [0.024, 0.014, 0.012, 0.011, 0.011], strict=True)),
    "keras-vae": {},
    "keras-vae-exact": {},
    "adcme-vae": {},
}

FLUX: dict[str, Any] = {
    "data": "mnist",
    "epochs": 5,
    "batch_size": 100,
    "learning_rate": 0.01,
    "hidden": [128],
    "latent": 8,
    "activation": "leaky_relu",
    "initialiser": "flux",
    "epsilon": 1e-8,
    "epsilon_placement": "bias_corrected",
    "validation": "none",
}
KERAS: dict[str, Any] = {
    "data": "mnist",
    "learning_rate": 1e-3,
    "initialiser": "keras",
    "epsilon": 1e-7,
    "epsilon_placement": "uncorrected",
    "validation": "test",
}
KERAS_VAE: dict[str, Any] = KERAS | {"model": "vae", "epochs": 100, "batch_size": 32, "hidden": [64], "latent": 2, "activation": "relu"}
KERAS_VAE |= {"posterior": "log_std", "noise_scale": 0.1, "reconstruction": "bernoulli", "beta": 1.0}
SETTINGS: dict[str, dict[str, Any]] = {
    "flux-ae": FLUX | {"model": "ae", "reconstruction": "mean_squared_error", "code_activation": "leaky_relu"},
    "flux-vae": FLUX | {"model": "vae", "reconstruction": "bernoulli", "posterior": "log_std", "l2": 0.005, "beta": 1.0},
    "flux-wae": FLUX
    | {"model": "wae", "reconstruction": "squared_error", "posterior": "log_std", "encoder": "gaussian", "lambda": 10.0}
    | {"kernel": "rbf", "bandwidth": "flux", "stop_gradient": True},
    "keras-ae": KERAS
    | {"model": "ae", "epochs": 50, "batch_size": 256, "hidden": [], "latent": 32}
    | {"code_activation": "relu", "reconstruction": "mean_bernoulli"},
    "keras-vae": KERAS_VAE | {"kl": "keras"},
    "keras-vae-exact": KERAS_VAE | {"kl": "exact"},
    "torch-ae": {"model": "ae", "data": "mnist", "epochs": 5, "batch_size": 32, "learning_rate": 1e-3, "hidden": [256], "latent": 16}
    | {"activation": "leaky_relu", "code_activation": "linear", "output": "sigmoid", "reconstruction": "mean_squared_error"}
    | {"initialiser": "pytorch", "epsilon": 1e-8, "epsilon_placement": "bias_corrected", "validation": "none"},
    "adcme-vae": {"model": "vae", "data": "mnist", "dtype": "float64", "epochs": 100, "batch_size": 128, "learning_rate": 1e-3}
    | {"shuffle": False, "drop_last": True, "hidden": [500, 500], "latent": 20, "activation": ["elu", "tanh"], "dropout": 0.1}
    | {"posterior": "sigma", "heads": "joint", "reconstruction": "bernoulli_probabilities", "clip": 1e-8, "kl_epsilon": 1e-8}
    | {"beta": 1.0, "initialiser": "keras", "epsilon": 1e-8, "epsilon_placement": "uncorrected", "validation": "none", "watch": 128},
}


def test_the_presets_are_those_of_the_documents() -> None:
    assert set(preset_names()) == set(PUBLISHED) == set(SETTINGS)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_numbers_are_the_documents(name: str) -> None:
    expected = {key if key in ("steps", "initial", "compression") else f"epoch {key}": value for key, value in PUBLISHED[name].items()}
    assert {number.name: number.value for number in preset(name).published.numbers} == expected


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_are_the_documents(name: str) -> None:
    assert preset(name).settings == SETTINGS[name]


def test_only_the_unstable_first_epoch_of_the_flux_vae_is_not_judged() -> None:
    left_out = [(name, number.name) for name in preset_names() for number in preset(name).published.numbers if not number.judged]
    assert left_out == [("flux-vae", "epoch 1")]


def test_the_independent_ranges_are_of_epochs_that_are_trained() -> None:
    for name in preset_names():
        for key, (low, high) in preset(name).published.independent.items():
            word, epoch = key.split()[:2]
            assert (word, 1 <= int(epoch) <= preset(name).settings["epochs"], low < high) == ("epoch", True, True)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_preset_is_a_model_that_says_what_its_terms_are(name: str) -> None:
    model = build_model(resolve(name, flags={"backend": "numpy"}), 784)
    assert bool(model.caveat) == (name == "keras-vae")
    assert model.caveat.startswith("not a bound: ") or not model.caveat


def test_the_layers_of_the_adcme_vae_mirror_one_another() -> None:
    model = build_model(resolve("adcme-vae", flags={"backend": "numpy"}), 784)
    kinds = [[type(node).__name__ for _, node in part.children()] for part in (model.encoder, model.decoder)]
    hidden = ["Dense", "ELU", "Dropout", "Dense", "Tanh", "Dropout"]
    assert kinds == [[*hidden, "Parallel"], ["Dense", "Tanh", "Dropout", "Dense", "ELU", "Dropout", "Dense", "Sigmoid"]]


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'flux-vae'"):
        preset("flux-vea")
