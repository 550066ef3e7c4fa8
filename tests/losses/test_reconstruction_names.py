"""The reconstruction option: which loss each name makes, what the decoder must end with, and what is refused."""

from __future__ import annotations

import pytest

from npae.errors import InputError
from npae.losses import (
    RECONSTRUCTIONS,
    BernoulliLogits,
    BernoulliProbabilities,
    Categorical,
    Gaussian,
    GaussianLearned,
    SquaredError,
    make_reconstruction,
)

SYMBOLS = 4  # of a text; what is no text takes no notice


def test_each_name_makes_its_loss_and_the_output_that_the_loss_reads() -> None:
    made = {name: make_reconstruction(name, 0.3, None, symbols=SYMBOLS) for name in RECONSTRUCTIONS}
    assert {name: (type(loss), output) for name, (loss, output) in made.items()} == {
        "squared_error": (SquaredError, "linear"),
        "mean_squared_error": (SquaredError, "linear"),
        "gaussian": (Gaussian, "linear"),
        "gaussian_learned": (GaussianLearned, "linear"),
        "categorical": (Categorical, "linear"),
        "bernoulli": (BernoulliLogits, "linear"),
        "mean_bernoulli": (BernoulliLogits, "linear"),
        "bernoulli_probabilities": (BernoulliProbabilities, "sigmoid"),
    }
    assert made["squared_error"][0].reduction == "sum"  # type: ignore[union-attr]
    assert made["mean_squared_error"][0].reduction == "mean"  # type: ignore[union-attr]
    assert made["bernoulli"][0].reduction == "sum"  # type: ignore[union-attr]
    assert made["mean_bernoulli"][0].reduction == "mean"  # type: ignore[union-attr]
    assert made["gaussian"][0].eta == 0.3  # type: ignore[union-attr]


def test_the_clip_of_probabilities_is_the_one_given_and_a_bad_one_is_refused_everywhere() -> None:
    assert make_reconstruction("bernoulli_probabilities", 1.0, None, clip=1e-8)[0].clip == 1e-8  # type: ignore[union-attr]
    for name in ("bernoulli_probabilities", "squared_error"):
        with pytest.raises(InputError, match=r"clip 0\.5 is not between 0 and 0\.5"):
            make_reconstruction(name, 1.0, None, clip=0.5)


def test_each_loss_states_its_unit_and_what_makes_a_sum_per_image_of_it() -> None:
    made = {name: make_reconstruction(name, 1.0, None, symbols=SYMBOLS)[0] for name in RECONSTRUCTIONS}
    assert {name: (loss.unit, loss.per_image(784)) for name, loss in made.items()} == {
        "squared_error": ("squared error per image", 1.0),
        "mean_squared_error": ("mean squared error", 784.0),
        "gaussian": ("nats per image", 1.0),
        "gaussian_learned": ("nats per image", 1.0),
        "categorical": ("nats per row", 1.0),
        "bernoulli": ("nats per image", 1.0),
        "mean_bernoulli": ("nats per pixel", 784.0),
        "bernoulli_probabilities": ("nats per image", 1.0),
    }


def test_only_losses_of_probabilities_ask_for_data_between_zero_and_one() -> None:
    limited = {name for name in RECONSTRUCTIONS if make_reconstruction(name, 1.0, None, symbols=SYMBOLS)[0].unit_interval}
    assert limited == {"bernoulli", "mean_bernoulli", "bernoulli_probabilities", "categorical"}


def test_a_squared_error_takes_any_output() -> None:
    assert make_reconstruction("squared_error", 1.0, "sigmoid")[1] == "sigmoid"


@pytest.mark.parametrize(
    ("name", "output", "needed"), [("bernoulli", "sigmoid", "linear"), ("bernoulli_probabilities", "linear", "sigmoid")]
)
def test_an_output_that_the_loss_would_misread_is_refused(name: str, output: str, needed: str) -> None:
    with pytest.raises(
        InputError, match=f"output '{output}': reconstruction '{name}' reads a decoder that ends with '{needed}'; leave output unset"
    ):
        make_reconstruction(name, 1.0, output)


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"reconstruction 'bernouli' is not known; did you mean 'bernoulli'\?"):
        make_reconstruction("bernouli", 1.0, None)
