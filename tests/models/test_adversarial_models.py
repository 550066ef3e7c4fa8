"""The GAN and the adversarial autoencoder: both players' losses written out in NumPy and scipy, what they refuse, and that they learn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

import npae
from npae.backend import Array
from npae.errors import InputError, NonFiniteError
from npae.layers import Dense, Node, frozen
from npae.losses import DiscriminatorLoss, GeneratorLoss
from npae.models import GAN, VAE, WAEGAN, Model
from npae.optim import Adam
from npae.training.loop import Trainer

RNG = np.random.default_rng(0)
X = RNG.uniform(0.05, 0.95, (6, 4))


def _moved(model: Model) -> Any:
    """Biases start at zero: move everything off its start."""
    model.parameters.value += 0.2 * np.random.default_rng(1).standard_normal(len(model.parameters)).astype(model.dtype)
    return model


def _leaky(x: Array, slope: float) -> Array:
    return np.where(x > 0, x, slope * x)


def _dense(model: Model, name: str, x: Array) -> Array:
    W, b = (model.parameters[f"{name}.{tensor}"].value for tensor in "Wb")
    y: Array = x @ W + b
    return y


def _judged(model: Model, rows: Array) -> Array:
    """D of each row, for a discriminator with one hidden layer."""
    logits = _dense(model, "discriminator.2", _leaky(_dense(model, "discriminator.0", rows), 0.2))
    probabilities: Array = special.expit(logits)[:, 0]
    return probabilities


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_the_losses_of_a_gan_are_those_of_the_paper(backend: str) -> None:
    model = _moved(
        GAN(4, (5,), 3, discriminator_hidden=(7,), label_smoothing=0.0, dropout=0.0, activation="tanh", dtype="float64", backend=backend)
    )
    noise = model.draw(0, 0, 6)
    drawn = special.expit(_dense(model, "decoder.2", np.tanh(_dense(model, "decoder.0", noise.prior))))
    terms = model.loss_and_grad(X, noise=noise)
    assert terms.generator == pytest.approx(-np.log(_judged(model, 2 * drawn - 1)).mean(), rel=1e-12)
    truth = -np.log(_judged(model, 2 * X - 1)).mean() - np.log(1 - _judged(model, 2 * drawn - 1)).mean()
    assert terms.discriminator == pytest.approx(truth, rel=1e-12)
    assert terms.total == terms.generator, "the total is the generator's; the discriminator has its own"


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_the_losses_of_a_wae_gan_are_those_of_the_paper(backend: str) -> None:
    model = _moved(WAEGAN(4, (5,), 3, discriminator_hidden=(7,), lambda_=2.5, activation="tanh", dtype="float64", backend=backend))
    noise = model.draw(0, 0, 6)
    z = _dense(model, "encoder.2", np.tanh(_dense(model, "encoder.0", X)))
    y = _dense(model, "decoder.2", np.tanh(_dense(model, "decoder.0", z)))
    terms = model.loss_and_grad(X, noise=noise)
    assert terms.reconstruction == pytest.approx(((y - X) ** 2).sum() / 6, rel=1e-12)
    assert terms.adversarial == pytest.approx(-np.log(_judged(model, z)).mean(), rel=1e-12)
    truth = -np.log(_judged(model, noise.prior)).mean() - np.log(1 - _judged(model, z)).mean()
    assert terms.discriminator == pytest.approx(truth, rel=1e-12)
    assert terms.total == pytest.approx(terms.reconstruction + 2.5 * terms.adversarial, rel=1e-12)
    np.testing.assert_allclose(model.encode(X), z, rtol=1e-12)


@pytest.mark.parametrize("model", [GAN(4, (5,), 3, discriminator_hidden=(7,), dropout=0.2), WAEGAN(4, (5,), 3, discriminator_hidden=(7,))])
def test_no_player_teaches_the_others_tensors(model: GAN | WAEGAN) -> None:
    _moved(model)
    noise = model.draw(0, 0, 6)
    model.loss_and_grad(X, noise=noise)
    before = model.parameters.grad.copy()
    owned = np.zeros(len(before), bool)
    owned[model.parameters.part("discriminator")] = True
    for loss, others in ((GeneratorLoss, owned), (DiscriminatorLoss, ~owned)):  # a player that says nothing leaves the other's lesson whole
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loss, "backward", lambda self, *weight, backward=loss.backward: 0 * backward(self, *weight))
            model.loss_and_grad(X, noise=noise)
        np.testing.assert_array_equal(model.parameters.grad[others], before[others])
        assert (model.parameters.grad[~others] != before[~others]).any()


@pytest.mark.parametrize("hidden", [(), (7, 5)])
def test_the_discriminator_makes_no_gradient_for_its_input_but_the_generators(hidden: tuple[int, ...]) -> None:
    """Which is as wide as the data, and would be made for nobody."""
    discriminator = GAN(4, (5,), 3, discriminator_hidden=hidden, dropout=0.0).discriminator
    dl = np.ones((6, 1), np.float32)
    discriminator.forward(X.astype(np.float32))
    with frozen(discriminator):
        assert discriminator.backward(dl).shape == X.shape
    assert discriminator.backward(dl) is None


@pytest.mark.parametrize("kind", [GAN, WAEGAN])
def test_a_gradient_that_leaks_into_the_other_player_fails_the_gradient_check(kind: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def leaking(discriminator: Node) -> Iterator[None]:
        next(node for node in discriminator.everything() if isinstance(node, Dense)).needs_dx = True
        yield
        for node in discriminator.everything():
            node._pending = True  # the second backward is let through, and that is all

    model = _moved(kind(4, (5,), 3, discriminator_hidden=(7,)))
    assert npae.gradcheck(model, X).passed
    monkeypatch.setattr(f"{kind.__module__}.frozen", leaking)
    assert {row.tensor.split(".")[0] for row in npae.gradcheck(model, X).failures} == {"discriminator"}


def test_the_decoder_of_a_gan_is_that_of_a_vae_with_the_same_options() -> None:
    gan, vae = GAN(12, (9, 7), 4), VAE(12, (9, 7), 4)
    names = [name for name in vae.parameters if name.startswith("decoder")]
    assert [name for name in gan.parameters if name.startswith("decoder")] == names
    for name in names:
        gan.parameters[name].value[...] = vae.parameters[name].value
    np.testing.assert_array_equal(gan.sample(5, seed=3), vae.sample(5, seed=3))


def test_a_gan_draws_rows_in_the_unit_interval_the_same_for_the_same_seed() -> None:
    model = _moved(GAN(12, (9,), 4))
    drawn = model.sample(50, seed=1)
    assert drawn.shape == (50, 12)
    assert drawn.min() > 0
    assert drawn.max() < 1
    np.testing.assert_array_equal(model.sample(50, seed=1), drawn)
    assert (model.sample(50, seed=2) != drawn).any()
    np.testing.assert_array_equal(model.decode(model.prior(50, 1)), drawn)


def test_the_discriminator_drops_other_units_for_a_drawn_row_than_for_a_real_one() -> None:
    model = GAN(4, (5,), 3, discriminator_hidden=(64,), dropout=0.5)
    noise = model.draw(0, 0, 6)
    assert noise.dropout0.shape == (6, 128)
    model.loss_and_grad(X, noise=noise)
    kept = model.discriminator.dropouts()[0].scaled_mask > 0
    assert kept.shape == (12, 64)
    np.testing.assert_array_equal(kept[:6], noise.dropout0[:, :64] >= 0.5)
    np.testing.assert_array_equal(kept[6:], noise.dropout0[:, 64:] >= 0.5)


def test_dropout_is_off_outside_training() -> None:
    model = GAN(4, (5,), 3, dropout=0.5)
    prior = model.draw(0, 0, 6).prior
    twin = GAN(4, (5,), 3, dropout=0.0)
    values = [tensor.value for tensor in map(model.parameters.__getitem__, model.parameters)]
    for name, value in zip(twin.parameters, values, strict=True):
        twin.parameters[name].value[...] = value
    assert dict(model.loss(X, noise=npae.Noise(prior=prior))) == dict(twin.loss(X, noise=npae.Noise(prior=prior)))


def test_what_a_gan_cannot_do_is_refused_in_one_line() -> None:
    model = GAN(4, (5,), 3)
    for call in (model.encode, model.reconstruct, model.posterior):
        with pytest.raises(
            InputError, match=r"^a gan has no encoder: it draws new rows \(sample, decode\), and has no code for a given one$"
        ):
            call(X)
    with pytest.raises(InputError, match=r"^x ranges over \[0\.\d+, 7\]: this gan draws values in \[0, 1\]"):
        model.loss(np.where(np.arange(24).reshape(6, 4) == 3, 7.0, X))
    with pytest.raises(InputError, match="this gan takes rows x alone"):
        model.loss(X, np.zeros(6, int))


@pytest.mark.parametrize("model", [GAN(4, (5,), 3), WAEGAN(4, (5,), 3)])
def test_patience_is_refused_since_the_losses_of_two_epochs_cannot_be_compared(model: Model) -> None:
    with pytest.raises(
        InputError, match=f"^patience 3: the losses of a {model.kind} cannot be compared between epochs; leave patience at 0$"
    ):
        npae.fit(model, X, epochs=2, patience=3, validation=X)
    history = npae.fit(model, X, epochs=2, validation=X)
    assert history.best_epoch is None


@pytest.mark.parametrize("kind", [GAN, WAEGAN])
def test_widths_of_a_discriminator_that_make_no_network_are_refused(kind: type[Any]) -> None:
    with pytest.raises(InputError, match=r"^discriminator_hidden 0 is not a width: it must be a whole number of at least 1$"):
        kind(4, discriminator_hidden=(5, 0))
    with pytest.raises(InputError, match=r"^discriminator_hidden 5 is not a list of widths; write discriminator_hidden=\(5,\)$"):
        kind(4, discriminator_hidden=5)


def test_a_tensor_of_a_player_that_is_not_finite_stops_the_step_and_is_named() -> None:
    for model in (GAN(4, (5,), 3), WAEGAN(4, (5,), 3)):
        noise, good = model.draw(0, 0, 6), model.parameters.value.copy()
        model.parameters["discriminator.0.W"].value[0, 0] = np.nan
        with pytest.raises(NonFiniteError, match=r"^loss is nan: parameter discriminator\.0\.W is no longer finite"):
            model.loss_and_grad(X, noise=noise)
        model.parameters.value[...] = good
        assert np.isfinite(model.loss_and_grad(X, noise=noise).discriminator)


def test_a_players_loss_that_is_not_finite_stops_the_step_and_names_the_player() -> None:
    model = WAEGAN(4, (5,), 3, lambda_=0.0)  # then the total does not see the discriminator
    model.parameters["discriminator.0.W"].value[...] = 1e30
    model.parameters["discriminator.2.W"].value[...] = 1e30
    with pytest.raises(NonFiniteError, match=r"^the loss of the discriminator is (inf|nan): term adversarial, discriminator overflowed"):
        model.loss_and_grad(X, noise=model.draw(0, 0, 6))


def test_a_players_validation_loss_that_is_not_finite_is_named_before_it_is_recorded() -> None:
    model = WAEGAN(4, (5,), 3, lambda_=0.0, dtype="float64", backend="numpy")
    trainer = Trainer(model, Adam(model.parameters), X, 1, validation=X)

    def ruin(trainer: Trainer, terms: npae.Terms) -> None:
        model.parameters["discriminator.0.b"].value[0] = np.nan

    with pytest.raises(NonFiniteError, match=r"validation after epoch 1\): the loss of the discriminator is nan"):
        trainer.run(on_batch=ruin)
    assert not trainer.history


def test_a_gan_learns_to_draw_what_it_has_seen() -> None:
    """Two kinds of rows, three of one for each of the other: both are drawn, in about these shares, and nothing between them."""
    rng = np.random.default_rng(3)
    first = rng.random(2000) < 0.75
    x = np.where(first[:, None], [0.2, 0.8], [0.7, 0.3]) + 0.05 * rng.standard_normal((2000, 2))
    model = GAN(2, (32,), 4, discriminator_hidden=(32,), dropout=0.0, label_smoothing=0.0)
    npae.fit(model, x.clip(0, 1), epochs=60, learning_rate=1e-3)
    drawn = model.sample(2000)
    assert (drawn[:, 0] < drawn[:, 1]).mean() == pytest.approx(0.75, abs=0.1)
    for column in range(2):
        assert stats.wasserstein_distance(drawn[:, column], x[:, column]) < 0.09


def test_the_discriminator_of_a_wae_gan_brings_the_codes_to_the_prior() -> None:
    x = np.random.default_rng(4).random((1000, 6))
    prior = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    distances = {}
    for weight in (0.0, 10.0):
        model = WAEGAN(6, (32,), 2, lambda_=weight, discriminator_hidden=(64, 64))
        npae.fit(model, x, epochs=40, batch_size=50, learning_rate=3e-3)
        distances[weight] = [stats.wasserstein_distance(column, prior) for column in model.encode(x).T]
    assert max(distances[10.0]) < 0.3
    assert min(distances[0.0]) > 0.5, "without the adversary nothing brings them there"
