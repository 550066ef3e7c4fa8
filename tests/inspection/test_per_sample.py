"""Norms of the rows' gradients are those of batches of one, and the noise scale that of their covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_flow import trainer_of

from npae.errors import InputError
from npae.inspection.batches import Batch, coming_batches, look
from npae.inspection.influence import influence
from npae.inspection.noise_scale import noise_scale
from npae.inspection.per_sample import row_gradients
from npae.inspection.reach import reach
from npae.models import Model


def of_one(model: Model, batch: Batch) -> Any:
    """The gradient (B, P) of each row as a batch of its own."""
    rows = [slice(row, row + 1) for row in range(len(batch.x))]
    ones = [Batch(batch.x[row], tuple(y[row] for y in batch.given), batch.noise.rows(row), batch.step, batch.rows[row]) for row in rows]
    return np.array([look(model, one)[1] for one in ones])


SEPARATE: list[tuple[str, dict[str, Any]]] = [
    ("ae", {}),
    ("ae", {"reconstruction": "mean_squared_error", "dropout": 0.3}),
    ("vae", {}),
    ("vae", {"posterior": "sigma"}),
    ("vae", {"kl": "keras", "noise_scale": 0.1}),
    ("iwae", {"samples": 4}),
    ("iwae", {"samples": 3, "estimator": "dreg"}),
    ("cvae", {}),
    ("paired", {}),
    ("denoising", {}),
    ("sparse", {}),
    ("em-vae", {}),
]


@pytest.mark.parametrize(("kind", "settings"), SEPARATE)
def test_a_rows_gradient_norm_is_that_of_a_batch_of_one(kind: str, settings: dict[str, Any]) -> None:
    trainer = trainer_of(kind, **settings)
    reach(trainer, 5)
    model, (batch, *_) = coming_batches(trainer, 1)
    found = row_gradients(model, batch)
    np.testing.assert_allclose(found.norms, np.linalg.norm(of_one(model, batch), axis=1), rtol=1e-10)
    for name, place in model.parameters.slices.items():
        np.testing.assert_allclose(found.mean[name].reshape(-1), found.whole[place], rtol=1e-9, atol=1e-14)


def test_the_noise_scale_is_the_trace_of_the_covariance_over_the_squared_mean() -> None:
    model, batches = coming_batches(trainer_of("vae"), 4)
    every = [of_one(model, batch) for batch in batches]
    trace = np.mean([np.trace(np.cov(gradients, rowvar=False)) for gradients in every])
    pairs = [(g.sum(0) @ g.sum(0) - (g * g).sum()) / (len(g) * (len(g) - 1)) for g in every]  # mean of g_i . g_j over i != j
    found = noise_scale([row_gradients(model, batch) for batch in batches])
    assert found.trace == pytest.approx(trace, rel=1e-10)
    assert found.signal == pytest.approx(np.mean(pairs), rel=1e-9)
    assert found.rows == pytest.approx(trace / np.mean(pairs), rel=1e-9)


def test_a_term_of_the_weights_alone_is_signal_and_no_noise() -> None:
    plain, heavy = (coming_batches(trainer_of("vae", l2=l2), 2) for l2 in (0.0, 1.0))
    without, with_l2 = (noise_scale([row_gradients(model, batch) for batch in batches]) for model, batches in (plain, heavy))
    assert with_l2.trace == pytest.approx(without.trace, rel=1e-10)
    assert with_l2.signal > without.signal


def test_a_row_that_is_unlike_all_others_pulls_hardest() -> None:
    trainer = trainer_of("ae")
    trainer.x[13] += 5
    found = influence(trainer, 24)
    assert found.rows[0] == 13
    assert (np.diff(found.norms) <= 0).all()
    assert sorted(found.rows) == list(range(24))
    assert found.pull(1.0) == pytest.approx(1)


@pytest.mark.parametrize(("kind", "says"), [("gan", "game"), ("contractive", "beside the layers")])
def test_a_model_whose_rows_have_no_gradient_of_their_own_is_refused(kind: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        influence(trainer_of(kind), 12)


def test_a_learned_variance_is_said_to_be_left_out() -> None:
    found = influence(trainer_of("vae", reconstruction="gaussian_learned"), 12)
    assert found.notes == ("not in the norms: likelihood.r, of no dense layer",)


def test_rows_that_a_term_couples_are_said_to_be() -> None:
    assert "whole batch" in influence(trainer_of("wae"), 12).notes[0]


def test_what_is_said_of_the_rows_is_that_of_their_gradients_as_batches_of_one() -> None:
    trainer = trainer_of("vae", l2=0.1)
    reach(trainer, 5)  # one batch of the second epoch is behind it
    model, batches = coming_batches(trainer, 3)
    found = influence(trainer, 18)
    alone = trainer_of("vae")  # without the term of the weights, which is no row's
    reach(alone, 5)
    alone.model.parameters.value[...] = trainer.model.parameters.value
    twin, same = coming_batches(alone, 3)
    gradients = np.concatenate([of_one(twin, batch) for batch in same])
    norms = dict(zip(np.concatenate([batch.rows for batch in batches]), np.linalg.norm(gradients, axis=1), strict=True))
    assert found.norms == pytest.approx([norms[row] for row in found.rows], rel=1e-9)
    assert found.pull(0.2) == pytest.approx(sum(sorted(norms.values())[-4:]) / sum(norms.values()), rel=1e-9)
    squares = {name: (gradients[:, place] ** 2).sum() for name, place in model.parameters.slices.items()}
    assert found.by_parameter == pytest.approx({name: one / sum(squares.values()) for name, one in squares.items()}, rel=1e-9)
