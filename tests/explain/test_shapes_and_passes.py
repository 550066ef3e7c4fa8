"""What passes through a model's nodes is what the model computes, and the shapes shown are those of the configuration."""

from __future__ import annotations

import numpy as np
import pytest

from npae.errors import InputError
from npae.explain.passes import watched
from npae.explain.shapes import shapes
from npae.models import MODELS, VAE
from npae.training.configuration import resolve


def test_watching_changes_no_number_and_leaves_nothing_behind() -> None:
    model, twin = (VAE(6, hidden=(5,), latent=3, dtype="float64", backend="numpy") for _ in range(2))
    x = np.random.default_rng(0).random((4, 6))
    noise = model.draw(0, 0, 4)
    with watched(model) as passes:
        terms = model.loss_and_grad(x, noise=noise)
    assert terms.total == twin.loss_and_grad(x, noise=noise).total
    assert np.array_equal(model.parameters.grad, twin.parameters.grad)
    assert not [node for node in model.everything() if "forward" in vars(node) or "backward" in vars(node)]
    mu, s = passes["encoder"].out
    assert np.array_equal(passes["reparameterise"].out, mu + np.exp(s) * noise.eps)
    assert np.array_equal(passes["decoder"].gradient_in, passes["likelihood"].gradient_out)
    assert passes["likelihood"].out == terms.nll


def test_nodes_are_released_when_the_step_fails() -> None:
    model = VAE(6, hidden=(5,), latent=3, backend="numpy")
    with pytest.raises(InputError), watched(model):
        model.loss_and_grad(np.zeros((4, 7)))
    assert not [node for node in model.everything() if "forward" in vars(node)]


def test_shapes_follow_the_configuration() -> None:
    configuration = resolve("vae", flags={"hidden": [20, 10], "latent": 3, "batch_size": 7})
    rows = {row.name: row for row in shapes(configuration, 50)}
    assert rows["encoder.0"].parameters == {"W": (50, 20), "b": (20,)}
    assert (rows["encoder.0"].came, rows["encoder.0"].out, rows["encoder.0"].gradient) == (((7, 50),), ((7, 20),), ())
    assert (rows["encoder.4.mu"].out, rows["reparameterise"].gradient) == (((7, 3),), ((7, 3), (7, 3)))
    assert (rows["likelihood"].came, rows["likelihood"].out) == (((7, 50),), ((),))
    assert rows["encoder.0"].cells == ("encoder.0", "Dense", "W (50, 20), b (20)", "(7, 50)", "(7, 20)", "-")
    assert rows["likelihood"].cells[-2:] == ("number", "(7, 50)")


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_has_shapes_of_its_own_defaults(kind: str) -> None:
    rows = shapes(resolve(kind, flags={"batch_size": 4}), 24)
    assert rows
    assert any(row.kind == "Dense" and {"W", "b"} == set(row.parameters) for row in rows)


def test_features_have_to_be_a_number_of_features() -> None:
    with pytest.raises(InputError, match="--features 0 is not a number of features: at least 1"):
        shapes(resolve("ae"), 0)
