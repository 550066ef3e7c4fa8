"""The two losses of a game, against scipy's Bernoulli, a loop, and the Jensen-Shannon divergence that the best discriminator measures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special, stats
from scipy.spatial.distance import jensenshannon

from npae.errors import InputError
from npae.losses import DiscriminatorLoss, GeneratorLoss

Bound = Callable[..., Any]
LOGITS = 2 * np.random.default_rng(0).standard_normal((10, 1))
REAL, DRAWN = LOGITS[:5, 0], LOGITS[5:, 0]


def test_the_discriminators_loss_is_that_of_telling_real_from_drawn(bound: Bound) -> None:
    truth = -stats.bernoulli.logpmf(1, special.expit(REAL)).mean() - stats.bernoulli.logpmf(0, special.expit(DRAWN)).mean()
    assert bound(DiscriminatorLoss()).forward(LOGITS) == pytest.approx(truth, rel=1e-12)


def test_smoothing_asks_for_less_certainty_about_real_rows_and_leaves_the_drawn_ones(bound: Bound) -> None:
    truth = 0.0
    for l in REAL:
        d = 1 / (1 + math.exp(-l))
        truth -= (0.9 * math.log(d) + 0.1 * math.log(1 - d)) / 5
    for l in DRAWN:
        truth -= math.log(1 - 1 / (1 + math.exp(-l))) / 5
    assert bound(DiscriminatorLoss(0.1)).forward(LOGITS) == pytest.approx(truth, rel=1e-12)


def test_the_generators_loss_is_minus_the_log_of_being_taken_for_real(bound: Bound) -> None:
    assert bound(GeneratorLoss()).forward(LOGITS) == pytest.approx(-np.log(special.expit(DRAWN)).mean(), rel=1e-12)


def test_where_nothing_can_be_told_apart_the_losses_are_2_log_2_and_log_2(bound: Bound) -> None:
    undecided = np.zeros((6, 1))
    discriminator, generator = bound(DiscriminatorLoss()), bound(GeneratorLoss())
    assert discriminator.forward(undecided) == pytest.approx(2 * math.log(2), rel=1e-15)
    assert generator.forward(undecided) == pytest.approx(math.log(2), rel=1e-15)
    np.testing.assert_allclose(discriminator.backward()[:, 0], [-1 / 6] * 3 + [1 / 6] * 3, rtol=1e-15)
    np.testing.assert_allclose(generator.backward()[:, 0], [0] * 3 + [-1 / 6] * 3, rtol=1e-15)


def test_the_best_discriminator_measures_the_jensen_shannon_divergence(bound: Bound) -> None:
    real, drawn = np.array([6, 3, 1]), np.array([2, 3, 5])  # how often each of three values is seen, of ten
    best = np.log(real / drawn)  # the logit of p / (p + q)
    loss = bound(DiscriminatorLoss())
    value = loss.forward(np.concatenate([np.repeat(best, real), np.repeat(best, drawn)])[:, None])
    assert value == pytest.approx(2 * math.log(2) - 2 * jensenshannon(real, drawn) ** 2, rel=1e-12)
    gradient = loss.backward()[:, 0]
    for value in best:  # whatever the network is, the gradients of equal rows meet in the same output, and there they cancel
        same = np.concatenate([np.repeat(best, real), np.repeat(best, drawn)]) == value
        assert gradient[same].sum() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_discriminator_that_is_sure_overflows_nothing_and_still_teaches_the_generator(bound: Bound, dtype: str) -> None:
    sure = np.array([[1000.0], [1000.0], [-1000.0], [-1000.0]], dtype)
    discriminator, generator = bound(DiscriminatorLoss(), dtype), bound(GeneratorLoss(), dtype)
    assert discriminator.forward(sure) == 0
    assert generator.forward(sure) == 1000
    np.testing.assert_array_equal(discriminator.backward(), np.zeros((4, 1)))
    np.testing.assert_array_equal(generator.backward()[:, 0], [0, 0, -0.5, -0.5])
    assert discriminator.forward(-sure) == 2000


def test_a_weight_scales_the_generators_gradient(bound: Bound) -> None:
    loss = bound(GeneratorLoss())
    loss.forward(LOGITS)
    plain = loss.backward().copy()
    loss.forward(LOGITS)
    np.testing.assert_allclose(loss.backward(2.5), 2.5 * plain, rtol=1e-15)


@pytest.mark.parametrize("value", [-0.1, 1.0, math.nan])
def test_a_smoothing_that_is_no_share_is_refused(value: float) -> None:
    with pytest.raises(InputError, match=rf"^label_smoothing {value} is not in \[0, 1\)"):
        DiscriminatorLoss(value)


@pytest.mark.parametrize("rows", [0, 3])
def test_logits_that_are_not_two_halves_are_refused(bound: Bound, rows: int) -> None:
    for loss in (DiscriminatorLoss(), GeneratorLoss()):
        with pytest.raises(InputError, match=f"^{rows} logits: as many real rows as drawn ones are expected"):
            bound(loss).forward(np.zeros((rows, 1)))
