"""Codes beside the prior: about zero where they agree, above it where they do not; units that say nothing are not counted."""

from __future__ import annotations

import numpy as np
import pytest

import npae
from npae.backend import Array
from npae.evaluation.latent import ROWS, latent_summary
from npae.models import VAE, WAE

F = 4


def identity(kind: type[VAE] | type[WAE], *, scale: float = 1.0, log_std: float = -20.0, backend: str = "numpy") -> VAE | WAE:
    """An encoder that returns the first two features, times a scale, with a constant spread."""
    model = kind(F, (), 2, backend=backend, dtype="float64")
    model.parameters.value[...] = 0
    model.parameters["encoder.0.mu.W"].value[:2] = scale * np.eye(2)
    model.parameters["encoder.0.s.b"].value[...] = log_std
    return model


@pytest.fixture(scope="module")
def normal() -> Array:
    """Rows whose first features are drawn from the prior, here by NumPy."""
    return np.random.default_rng(0).standard_normal((ROWS, F))


def scatter_of_mmd(rows: int, trials: int = 40) -> float:
    """The largest of some MMD^2 between two samples that do agree."""
    rng = np.random.default_rng(1)
    return max(abs(npae.kernels.mmd_rbf(rng.standard_normal((rows, 2)), rng.standard_normal((rows, 2)), 4.0)[0]) for _ in range(trials))


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_exact_draws_of_the_prior_are_near_zero(backend: str, normal: Array) -> None:
    model = identity(WAE, backend=backend)
    model.likelihood.unit_interval = False
    found = latent_summary(model, normal[:500])
    assert abs(found["mmd_to_prior"]) < 1.5 * scatter_of_mmd(500)
    assert (found["rows"], found["active_units"], found["latent"]) == (500, 2, 2)


@pytest.mark.parametrize(("scale", "shift"), [(3.0, 0.0), (0.2, 0.0), (1.0, 2.0)])
def test_other_codes_are_far_from_it(scale: float, shift: float, normal: Array) -> None:
    model = identity(WAE, scale=scale)
    assert latent_summary(model, normal[:500] + shift)["mmd_to_prior"] > 5 * scatter_of_mmd(500)


def test_the_spread_of_the_posterior_belongs_to_the_codes(normal: Array) -> None:
    """Means of variance 3/4 with a spread of variance 1/4 are the prior; the means alone are not."""
    right = identity(WAE, scale=0.75**0.5, log_std=float(np.log(0.5)))
    narrow = identity(WAE, scale=0.75**0.5)
    wide = identity(WAE, scale=1.0, log_std=0.5)
    values = [latent_summary(model, normal)["mmd_to_prior"] for model in (right, narrow, wide)]
    assert abs(values[0]) < 1.5 * scatter_of_mmd(ROWS, trials=3)
    assert values[1] > values[0]
    assert values[2] > 10 * abs(values[0])


def test_a_unit_whose_mean_does_not_vary_is_not_active(normal: Array) -> None:
    model = identity(VAE)
    model.likelihood.unit_interval = False
    model.parameters["encoder.0.mu.W"].value[1] *= 0.05  # variance 0.0025
    assert latent_summary(model, normal)["active_units"] == 1
    model.parameters["encoder.0.mu.W"].value[...] = 0
    assert latent_summary(model, normal)["active_units"] == 0


def test_many_rows_are_compared_in_part(normal: Array) -> None:
    twice = np.concatenate([normal, normal])
    assert latent_summary(identity(WAE), twice)["rows"] == ROWS


def test_a_deterministic_encoder_has_its_codes_compared() -> None:
    model = npae.WAE(F, (), 2, encoder="deterministic", backend="numpy", dtype="float64")
    model.parameters.value[...] = 0
    model.parameters["encoder.0.W"].value[:2] = np.eye(2)
    x = np.random.default_rng(2).standard_normal((400, F))
    assert abs(latent_summary(model, x)["mmd_to_prior"]) < 1.5 * scatter_of_mmd(400)


def test_one_row_has_no_distance_to_the_prior(normal: Array) -> None:
    found = latent_summary(identity(WAE), normal[:1])
    assert found["mmd_to_prior"] is None
    assert found["rows"] == 1
