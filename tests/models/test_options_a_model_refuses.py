"""Every option that a model refuses: one line that names it, its value, what was expected and what is near."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError
from npae.models import AE, MODELS, VAE, model_class

# kind, options, the message
OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("ae", {"latent": 0}, "latent 0 is not a width: it must be a whole number of at least 1"),
    ("ae", {"latent": 2.0}, "latent 2.0 is not a width"),
    ("vae", {"latent": True}, "latent True is not a width"),
    ("vae", {"hidden": (5, 0)}, "hidden 0 is not a width"),
    ("wae", {"hidden": (5, "9")}, "hidden '9' is not a width"),
    ("vae", {"beta": math.nan}, "beta nan is not a weight: it must be a finite number of at least 0"),
    ("vae", {"beta": -1.0}, "beta -1.0 is not a weight"),
    ("vae", {"beta": "1"}, "beta '1' is not a weight"),
    ("vae", {"l2": math.inf}, "l2 inf is not a weight"),
    ("vae", {"kl_warmup": -5}, "kl_warmup -5 is not a number of steps: it must be a whole number of at least 0"),
    ("vae", {"free_bits": -0.5}, "free_bits -0.5 is not a number of nats per latent unit: it must be finite and at least 0"),
    ("vae", {"kl": "kears"}, "kl 'kears' is not known; did you mean 'keras'?"),
    ("vae", {"kl": "keras", "posterior": "sigma"}, "kl 'keras' is the term of a sampler with posterior log_std, not sigma"),
    ("vae", {"kl": "keras", "free_bits": 0.5}, "free_bits 0.5 belongs to kl=exact, and kl is keras; leave free_bits at 0"),
    ("vae", {"kl": "keras", "kl_epsilon": 0.1}, "kl_epsilon 0.1 belongs to kl=exact, and kl is keras"),
    ("vae", {"kl_epsilon": -1e-8}, "kl_epsilon -1e-08 is nothing to add to a variance: it must be finite and at least 0"),
    ("vae", {"noise_scale": 0.0}, "noise_scale 0.0 is not a standard deviation of the noise: it must be a finite number above 0"),
    ("vae", {"heads": "together"}, "heads 'together' is not known"),
    ("vae", {"clip": 0.6}, "clip 0.6 is not between 0 and 0.5"),
    ("vae", {"activation": ("elu", "tahn")}, "activation 'tahn' is not known; did you mean 'tanh'?"),
    ("vae", {"activation": ("elu", "tanh")}, "activation elu,tanh has 2 for 1 hidden layers: give one name for all, or one for each"),
    ("wae", {"lambda_": -10.0}, "lambda -10.0 is not a weight"),
    ("ae", {"activation": "leaky"}, "activation 'leaky' is not known; did you mean 'leaky_relu'?"),
    ("ae", {"code_activation": "tahn"}, "activation 'tahn' is not known; did you mean 'tanh'?"),
    ("ae", {"output": "sigmoidal"}, "activation 'sigmoidal' is not known; did you mean 'sigmoid'?"),
    (
        "vae",
        {"output": "sigmoid"},
        "output 'sigmoid': reconstruction 'bernoulli' reads a decoder that ends with 'linear'; leave output unset",
    ),
    ("vae", {"reconstruction": "gausian"}, "reconstruction 'gausian' is not known; did you mean 'gaussian'?"),
    ("vae", {"reconstruction": "gaussian", "eta": 0.0}, "eta 0.0 is not a variance: it must be a finite number above 0"),
    ("vae", {"posterior": "logvar"}, "posterior form 'logvar' is not known; did you mean 'log_variance'?"),
    ("wae", {"posterior": "logstd"}, "posterior form 'logstd' is not known; did you mean 'log_std'?"),
    ("wae", {"encoder": "determinstic"}, "encoder 'determinstic' is not known; did you mean 'deterministic'?"),
    ("wae", {"kernel": "rfb"}, "kernel 'rfb' is not known; did you mean 'rbf'?"),
    (
        "wae",
        {"bandwidth": -1},
        "bandwidth -1 is not a squared length: it must be finite and above 0, or one of flux, tolstikhin, median, prior",
    ),
    ("wae", {"bandwidth": "fluxx"}, "bandwidth 'fluxx' is neither a number nor a rule; did you mean 'flux'?"),
    ("ae", {"dropout": 1.0}, "dropout 1.0 is not a rate in [0, 1): the share of units that are dropped"),
    ("vae", {"dropout": -0.1}, "dropout -0.1 is not a rate in [0, 1)"),
    ("ae", {"initialiser": "kears"}, "initialiser 'kears' is not known; did you mean 'keras'?"),
    ("ae", {"dtype": "float16"}, "dtype 'float16' is not one of float32, float64"),
    ("ae", {"backend": "nunpy"}, "backend 'nunpy' (argument) is not one of numpy, numba, cupy; did you mean 'numpy'?"),
    ("ae", {"seed": -1}, "seed -1 is not a whole number from 0 to 2^64 - 1"),
    ("ae", {"seed": 0.5}, "seed 0.5 is not a whole number"),
]


@pytest.mark.parametrize(("kind", "options", "message"), OPTIONS, ids=[f"{kind}-{options}" for kind, options, _ in OPTIONS])
def test_a_bad_option_is_refused_in_one_line(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}") as caught:
        MODELS[kind](6, **{"hidden": (5,), "latent": 2, **options})
    assert "\n" not in str(caught.value)


def test_a_width_of_no_features_is_refused() -> None:
    for features in (0, -3, 7.5):
        with pytest.raises(InputError, match=f"features {features} is not a width"):
            AE(features)  # type: ignore[arg-type]


def test_an_option_that_does_not_exist_is_refused_by_python_itself() -> None:
    with pytest.raises(TypeError, match="lambda"):
        VAE(6, lambda_=3)  # type: ignore[call-arg]


def test_an_unknown_model_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"^model 'vea' is not known; did you mean 'vae'\?$"):
        model_class("vea")


def test_a_warm_up_of_half_a_step_is_refused() -> None:
    with pytest.raises(InputError, match=r"kl_warmup 2\.5"):
        VAE(6, kl_warmup=2.5)  # type: ignore[arg-type]


def test_one_hidden_width_without_its_brackets_is_refused() -> None:
    with pytest.raises(InputError, match=r"^hidden 5 is not a list of widths; write hidden=\(5,\)"):
        AE(6, hidden=5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ae", {"hidden": (), "activation": "nope"}),
        ("ae", {"hidden": (), "dropout": 7.0}),
        ("vae", {"eta": -1.0}),
        ("wae", {"kernel": "imq", "bandwidth": "nope"}),
    ],
)
def test_a_bad_option_is_refused_also_where_another_option_makes_it_idle(kind: str, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        MODELS[kind](6, **options)


def test_numpys_own_numbers_are_numbers() -> None:
    model = VAE(np.int64(6), (np.int32(5),), np.int64(2), beta=np.float32(0.5), kl_warmup=np.int64(4), seed=np.uint64(7))  # type: ignore[arg-type]
    assert [model.parameters[name].shape for name in ("encoder.0.W", "encoder.2.mu.W")] == [(6, 5), (5, 2)]
    assert (model.beta_at(1), model.kl_warmup) == (0.25, 4)


def test_a_model_that_no_memory_holds_is_refused_by_its_size() -> None:
    with pytest.raises(InputError, match=r"^[0-9,]{20,} parameters do not fit into memory; make hidden or latent smaller$"):
        AE(10**9, (10**9,))
