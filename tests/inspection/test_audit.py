"""What an audit measures: what each setting does to loss and gradient, each term's share, beta in nats, whether the loss is a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from test_flow import trainer_of

from npae.backend import Array
from npae.inspection.audit import Audit, audit
from npae.inspection.batches import Batch, coming_batches, look
from npae.inspection.reach import reach
from npae.training.configuration import resolve

SMALL = {"hidden": [7], "latent": 3, "backend": "numpy"}


def audited(kind: str, steps: int = 5, **settings: Any) -> Audit:
    """A small model on random rows, trained a little."""
    own = {key.removesuffix("_"): value for key, value in settings.items()}
    trainer = trainer_of(kind, **settings)
    reach(trainer, steps)
    return audit(trainer, resolve(kind, flags={**SMALL, **own}))


def test_the_slope_of_a_weight_is_its_term() -> None:
    found = audited("vae", beta=0.7)
    slopes = {knob.key: knob.slope for knob in found.knobs}
    trainer = trainer_of("vae", beta=0.7)
    reach(trainer, 5)
    twin, (batch, *_) = coming_batches(trainer, 1)
    terms, _ = look(twin, batch)
    assert slopes["beta"] == pytest.approx(terms.kl, rel=1e-6)
    assert slopes["l2"] == pytest.approx(float((twin.parameters.value[twin.parameters.part("decoder")] ** 2).sum()), rel=1e-6)


def made_with(kind: str, settings: Mapping[str, Any], weights: Array, batch: Batch) -> tuple[float, Array]:
    """The loss and the gradient of a new model in float64 with those settings and weights, asked for as anybody would."""
    model = trainer_of(kind, dtype="float64", **settings).model
    model.parameters.value[...] = weights
    terms = model.loss_and_grad(batch.x, *batch.given, noise=batch.noise, step=batch.step)
    return terms.total, model.parameters.grad.copy()


FOLLOWED: list[tuple[str, dict[str, Any]]] = [
    ("vae", {"beta": 0.7, "l2": 0.02, "noise_scale": 0.8, "kl_epsilon": 0.01}),
    ("vae", {"reconstruction": "gaussian", "eta": 0.4}),
    ("wae", {"lambda_": 3.0, "bandwidth": 2.5}),
    ("infovae", {"lambda_": 20.0, "alpha": 0.3, "bandwidth": 1.5}),
    ("sparse", {"lambda_": 0.4}),
    ("contractive", {"lambda_": 0.2}),
]


@pytest.mark.parametrize(("kind", "settings"), FOLLOWED)
def test_every_slope_and_change_is_that_of_models_made_anew(kind: str, settings: dict[str, Any]) -> None:
    found = {knob.key: knob for knob in audited(kind, **settings).knobs}
    trainer = trainer_of(kind, **settings)
    reach(trainer, 5)
    _, (batch, *_) = coming_batches(trainer, 1)
    weights = trainer.model.parameters.value.astype(np.float64)
    loss, gradient = made_with(kind, settings, weights, batch)
    for argument, value in settings.items():
        if not isinstance(value, float):
            continue
        knob, h = found[argument.removesuffix("_")], 1e-3 * value
        ways = (value + h, value - h, value + 2 * h, value - 2 * h)
        at = [made_with(kind, settings | {argument: moved}, weights, batch)[0] for moved in ways]
        slope = (8 * (at[0] - at[1]) - (at[2] - at[3])) / (12 * h)  # of order 4, where the audit's is of order 2
        assert knob.slope == pytest.approx(slope, rel=1e-5, abs=1e-10), argument
        far, far_gradient = made_with(kind, settings | {argument: 1.5 * value}, weights, batch)
        assert knob.loss_change == pytest.approx(abs(far - loss) / abs(loss), rel=1e-6, abs=1e-11), argument
        change = np.linalg.norm(far_gradient - gradient) / np.linalg.norm(gradient)
        assert knob.gradient_change == pytest.approx(change, rel=1e-6, abs=1e-11), argument
        assert knob.slope != 0, argument
        assert knob.gradient_change > 1e-6, argument


def test_the_share_of_a_term_is_that_of_its_mean_over_the_batches() -> None:
    found = audited("vae", beta=0.7, l2=0.02)
    trainer = trainer_of("vae", beta=0.7, l2=0.02)
    reach(trainer, 5)
    model, batches = coming_batches(trainer, 20)
    assert found.about["batches"] == len(batches) > 1
    terms = [model.loss_and_grad(batch.x, noise=batch.noise, step=batch.step) for batch in batches]
    amounts = {name: float(np.mean([one[name] for one in terms])) * terms[0].weights[name] for name in terms[0]}
    assert found.loss == pytest.approx(sum(amounts.values()), rel=1e-9)
    shares = {term.name: term.share for term in found.terms}
    assert shares == pytest.approx({name: amount / sum(amounts.values()) for name, amount in amounts.items()}, rel=1e-9)
    assert min(shares.values()) > 0  # type: ignore[type-var, operator]


def test_the_gradient_of_every_weighed_term_belongs_to_its_value() -> None:
    for kind in ("vae", "wae", "infovae", "sparse", "contractive", "wae-gan"):
        pulls = {knob.key: knob.pull for knob in audited(kind).knobs if knob.key in ("beta", "lambda", "l2", "alpha")}
        assert pulls
        assert all(pull == pytest.approx(1, abs=1e-3) for pull in pulls.values()), (kind, pulls)


@pytest.mark.parametrize(
    ("settings", "beta", "variance"),
    [
        ({"reconstruction": "bernoulli", "beta": 2.0}, 2.0, None),
        ({"reconstruction": "mean_bernoulli", "beta": 0.5}, 6.0, None),
        ({"reconstruction": "squared_error", "beta": 3.0}, 3.0, 1.5),
        ({"reconstruction": "mean_squared_error", "beta": 0.1}, 1.2, 0.6),
        ({"reconstruction": "gaussian", "eta": 0.4, "beta": 2.0}, 2.0, 0.8),
    ],
)
def test_beta_and_the_variance_are_given_in_nats(settings: dict[str, Any], beta: float, variance: float | None) -> None:
    found = audited("vae", steps=0, **settings).effective
    assert found.beta == pytest.approx(beta)
    assert found.variance == (None if variance is None else pytest.approx(variance))


def test_the_variance_is_the_one_at_which_beta_1_has_the_same_gradient() -> None:
    """The mean squared error with beta 0.1 is a multiple of the Gaussian VAE with that variance and beta 1."""
    gradients = []
    for settings in ({"reconstruction": "mean_squared_error", "beta": 0.1}, {"reconstruction": "gaussian", "eta": 0.6, "beta": 1.0}):
        twin, (batch, *_) = coming_batches(trainer_of("vae", dtype="float64", **settings), 1)
        gradients.append(look(twin, batch)[1])
    one, other = (gradient / np.linalg.norm(gradient) for gradient in gradients)
    np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "settings", "holds", "why"),
    [
        ("vae", {"reconstruction": "gaussian"}, True, "the KL of the posterior that is sampled"),
        ("vae", {"reconstruction": "gaussian", "beta": 4.0}, True, "looser than the evidence lower bound: beta 4 in nats"),
        ("vae", {"reconstruction": "gaussian", "beta": 0.5}, False, "beta is 0.5 in nats, below 1"),
        ("vae", {"reconstruction": "mean_squared_error"}, True, "beta 12 in nats"),
        ("vae", {"reconstruction": "gaussian", "free_bits": 0.1}, True, "free bits of 0.1 nats"),
        ("vae", {"reconstruction": "gaussian", "kl_epsilon": 0.1}, False, "below the divergence"),
        ("vae", {}, False, "x lies between 0 and 1"),
        ("iwae", {"reconstruction": "gaussian"}, True, "the importance-weighted bound"),
        ("ae", {}, False, "no posterior and no KL"),
        ("wae", {}, False, "the KL is not in the objective"),
        ("infovae", {"reconstruction": "gaussian", "alpha": 0.0}, False, "the MMD, of weight 99"),
        ("gan", {}, False, "players of a game"),
    ],
)
def test_an_objective_is_said_to_be_a_bound_or_not_and_why(kind: str, settings: dict[str, Any], holds: bool, why: str) -> None:
    found = audited(kind, steps=0, **settings).bound
    assert found.holds is holds
    assert why in found.why
