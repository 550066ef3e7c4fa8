"""The table of options: parsing of every kind of value, its defaults, and what help says."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from npae.errors import InputError
from npae.models import MODELS
from npae.training.option_values import KINDS, check, parse
from npae.training.options import OF_THE_MODEL, OPTIONS, help_text, model_arguments, option

READ: list[tuple[str, str, Any]] = [
    ("epochs", "12", 12),
    ("epochs", "60_000", 60000),
    ("seed", "18446744073709551615", 2**64 - 1),
    ("learning_rate", "1e-3", 1e-3),
    ("learning_rate", "2", 2.0),
    ("beta", ".5", 0.5),
    ("data", "my faces.npy", "my faces.npy"),
    ("dtype", "float64", "float64"),
    ("hidden", "128", [128]),
    ("hidden", "512,256", [512, 256]),
    ("hidden", "512, 256", [512, 256]),
    ("hidden", "", []),
    ("shuffle", "true", True),
    ("shuffle", "False", False),
    ("shuffle", "no", False),
    ("shuffle", "1", True),
    ("image_shape", "28x28", [28, 28]),
    ("image_shape", "32X32X3", [32, 32, 3]),
    ("validation", "0.2", 0.2),
    ("validation", "test", "test"),
    ("validation", "none", "none"),
    ("validation", "auto", "auto"),
    ("bandwidth", "2.5", 2.5),
    ("bandwidth", "flux", "flux"),
    ("output", "sigmoid", "sigmoid"),
    ("activation", "elu", "elu"),
    ("activation", "elu,tanh", ["elu", "tanh"]),
]


@pytest.mark.parametrize(("key", "text", "value"), READ)
def test_a_text_becomes_a_value_of_its_kind(key: str, text: str, value: Any) -> None:
    found = parse(key, text)
    assert found == value
    assert type(found) is type(value)


UNREADABLE: list[tuple[str, str, str]] = [
    ("epochs", "x", "a whole number"),
    ("epochs", "1.5", "a whole number"),
    ("epochs", "1e3", "a whole number"),
    ("epochs", "", "a whole number"),
    ("learning_rate", "fast", "a number"),
    ("learning_rate", "nan", "finite"),
    ("learning_rate", "-inf", "finite"),
    ("beta", "1e999", "finite"),
    ("hidden", "128;64", "a list of whole numbers"),
    ("hidden", "128,x", "a list of whole numbers"),
    ("hidden", "12.5", "a list of whole numbers"),
    ("shuffle", "maybe", "true or false"),
    ("shuffle", "", "true or false"),
    ("image_shape", "28", "an image shape"),
    ("image_shape", "28x28x3x1", "an image shape"),
    ("image_shape", "28x-28", "an image shape"),
    ("image_shape", "28x0", "an image shape"),
    ("image_shape", "axb", "an image shape"),
    ("validation", "2", "a share between 0 and 1"),
    ("validation", "0", "a share between 0 and 1"),
    ("validation", "1", "a share between 0 and 1"),
    ("validation", "-0.1", "a share between 0 and 1"),
    ("validation", "nan", "a share between 0 and 1"),
    ("validation", "some", "a share between 0 and 1"),
    ("bandwidth", "nan", "finite"),
    ("data", "", "empty"),
    ("dtype", "float16", "float32, float64"),
    ("backend", "torch", "numpy, numba, cupy"),
    ("posterior", "logvar", "log_std"),
    ("reconstruction", "bernouli", "bernoulli"),
    ("activation", "leakyrelu", "leaky_relu"),
    ("activation", "elu,tahn", "tanh"),
    ("output", "softmax", "sigmoid"),
    ("initialiser", "xavier", "keras"),
    ("schedule", "cosin", "cosine"),
    ("binarise", "yes", "dynamic"),
    ("scale", "max", "minmax"),
]


@pytest.mark.parametrize(("key", "text", "expected"), UNREADABLE)
def test_a_text_that_is_not_of_its_kind_is_refused_with_key_value_and_expectation(key: str, text: str, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(key, text)
    message = str(refused.value)
    assert key in message
    assert text.split(",")[-1] in message or key == "image_shape" or text == "1e999"
    assert expected in message
    assert "\n" not in message


def test_a_list_of_choices_is_not_printed_twice() -> None:
    with pytest.raises(InputError) as refused:
        parse("backend", "foo")
    assert str(refused.value).count("numba") == 1


def test_every_kind_of_option_can_be_parsed_and_checked() -> None:
    assert {one.kind for one in OPTIONS.values()} == set(KINDS)


@pytest.mark.parametrize("key", OPTIONS)
def test_every_default_passes_its_own_check(key: str) -> None:
    chosen = OPTIONS[key]
    if chosen.default is not OF_THE_MODEL:
        if key == "backend":
            return
        assert check(key, chosen.default) == chosen.default
        return
    for kind in MODELS:
        if chosen.argument in model_arguments(kind) and key != "backend":
            default = model_arguments(kind)[chosen.argument].default
            default = list(default) if isinstance(default, tuple) else default
            assert check(key, default) == default


@pytest.mark.parametrize("kind", MODELS)
def test_every_argument_of_a_model_is_an_option(kind: str) -> None:
    from_the_data = {"self", "features", "classes", "target_features", "symbols"}
    taken = set(inspect.signature(MODELS[kind].__init__).parameters) - from_the_data
    assert taken <= {one.argument for one in OPTIONS.values()}


def test_every_option_applies_to_something() -> None:
    anywhere = {name for kind in MODELS for name in model_arguments(kind)}
    for one in OPTIONS.values():
        assert one.default is not OF_THE_MODEL or one.argument in anywhere


@pytest.mark.parametrize("key", OPTIONS)
def test_the_help_of_every_option_says_its_choices_and_its_default(key: str) -> None:
    chosen = OPTIONS[key]
    text = help_text(chosen)
    assert chosen.help in text
    assert all(choice in text for choice in chosen.choices)
    assert text.endswith("]")
    assert "object at" not in text


def test_the_help_of_a_setting_that_differs_between_models_says_for_which() -> None:
    text = help_text(OPTIONS["reconstruction"])
    groups = (part.split(": ") for part in text[text.rindex("[") + 1 : -1].split("; "))
    kinds = {default: set(names.split(", ")) for names, default in groups}
    assert {"ae", "wae", "sparse"} <= kinds["squared_error"]
    assert {"vae", "infovae"} <= kinds["bernoulli"]
    assert help_text(OPTIONS["seed"]).endswith("[0]")


def test_an_unknown_option_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'hidden'"):
        option("--hiden")


def test_a_whole_number_is_taken_for_a_fraction_but_not_the_other_way_round() -> None:
    assert check("beta", 2) == 2.0
    assert isinstance(check("beta", 2), float)
    with pytest.raises(InputError):
        check("latent", 2.0)
