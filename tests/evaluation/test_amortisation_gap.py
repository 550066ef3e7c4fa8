"""The amortisation gap against its closed form in a linear-Gaussian VAE; for which models there is one; what it leaves alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.amortisation import amortisation_gap, has_gap
from npae.models import CVAE, MODELS, VAE

F, ETA = 5, 0.4


def linear_vae(*, off: float = 0.0, stretched: float = 1.0, dtype: str = "float64", backend: str = "numpy") -> VAE:
    """x = z D + d + noise of variance ETA with one latent unit; the true posterior's mean is `off` away, its deviation `stretched`."""
    model = VAE(F, (), 1, reconstruction="gaussian", eta=ETA, dtype=dtype, backend=backend)
    rng = np.random.default_rng(3)
    decoder, shift = 0.8 * rng.standard_normal((1, F)), 0.3 * rng.standard_normal(F)
    variance = 1 / (1 + float((decoder**2).sum()) / ETA)
    weights = decoder.T * variance / ETA
    values = {
        "encoder.0.mu.W": weights,
        "encoder.0.mu.b": -shift @ weights + off,
        "encoder.0.s.W": np.zeros((F, 1)),
        "encoder.0.s.b": np.array([0.5 * math.log(variance) + math.log(stretched)]),
        "decoder.0.W": decoder,
        "decoder.0.b": shift,
    }
    for name, value in values.items():
        model.parameters[name].value[...] = value
    return model


@pytest.fixture(scope="module")
def x() -> Array:
    """Rows near what the model draws."""
    rng = np.random.default_rng(4)
    return np.asarray(linear_vae().decode(rng.standard_normal((300, 1))) + math.sqrt(ETA) * rng.standard_normal((300, F)))


def test_the_exact_posterior_has_no_gap(x: Array) -> None:
    assert amortisation_gap(linear_vae(), x)["gap"] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(("off", "stretched"), [(0.5, 1.0), (0.0, 2.0), (-0.3, 0.6)])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_an_encoder_that_is_off_has_the_divergence_to_the_posterior_as_its_gap(
    off: float, stretched: float, backend: str, x: Array
) -> None:
    """log p(x) - ELBO(q) = KL(q || p(z|x)), which is 0 for the row's own q; so the gap is that of two normal distributions."""
    model = linear_vae(off=off, stretched=stretched, backend=backend, dtype="float32" if backend == "numba" else "float64")
    sigma = float(linear_vae().posterior(x)[1][0, 0])
    divergence = 0.5 * (stretched**2 + (off / sigma) ** 2 - 1) - math.log(stretched)
    found = amortisation_gap(model, x)
    assert divergence > 0.1
    assert found["gap"] == pytest.approx(divergence, rel=0.1)
    assert found["elbo_of_own_posteriors"] - found["elbo"] == pytest.approx(found["gap"], rel=1e-9)


def test_more_steps_find_more_of_the_gap(x: Array) -> None:
    gaps = [amortisation_gap(linear_vae(off=1.0), x, steps=steps)["gap"] for steps in (1, 10, 100)]
    assert gaps[0] < gaps[1] < gaps[2]


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_has_a_gap_or_says_why_not(kind: str) -> None:
    data, (labels, targets) = np.random.default_rng(0).uniform(size=(12, F)), (np.arange(12) % 3, np.ones((12, F)))
    companion = MODELS[kind].companion
    needed: dict[Any, dict[str, Any]] = {
        "labels": {"classes": 3},
        "targets": {"target_features": F, "reconstruction": "bernoulli"},
        None: {},
    }
    model = MODELS[kind](F, hidden=(4,), latent=2, backend="numpy", **needed[companion])
    y = {"labels": labels, "targets": targets, None: None}[companion]
    if not has_gap(model):
        with pytest.raises(InputError, match=f"a {kind} has no amortisation gap: it needs a Gaussian posterior, a prior and a likelihood"):
            amortisation_gap(model, data, y, steps=2)
        return
    found = amortisation_gap(model, data, y, rows=7, steps=5)
    assert (found["rows"], found["steps"]) == (7, 5)
    assert math.isfinite(found["gap"])


def test_the_labels_of_a_conditional_model_go_with_their_rows() -> None:
    rng = np.random.default_rng(1)
    model = CVAE(F, (4,), 2, classes=3, backend="numpy", dtype="float64")
    model.parameters.value += 0.5 * rng.standard_normal(len(model.parameters))
    data, labels = rng.uniform(size=(60, F)), rng.integers(0, 3, 60)
    whole = amortisation_gap(model, data, labels)
    order = rng.permutation(60)
    assert amortisation_gap(model, data[order], labels[order])["elbo"] == pytest.approx(whole["elbo"], abs=0.1)
    assert abs(amortisation_gap(model, data, (labels + 1) % 3)["elbo"] - whole["elbo"]) > 0.2
    assert whole["gap"] > 0


def test_a_mean_over_pixels_has_the_gap_of_its_likelihood_in_nats(x: Array) -> None:
    rows = np.clip(np.abs(x), 0, 1)
    models = [
        VAE(F, (4,), 2, reconstruction=name, dtype="float64", backend="numpy", dropout=0.3) for name in ("bernoulli", "mean_bernoulli")
    ]
    for model in models:
        model.parameters.value[...] = np.random.default_rng(5).standard_normal(len(model.parameters))
    one, other = (amortisation_gap(model, rows, rows=50) for model in models)
    assert one["gap"] > 0.1
    assert other["gap"] == pytest.approx(one["gap"], rel=1e-6)


def test_the_model_is_left_as_it_was_and_the_numbers_follow_from_the_seed(x: Array) -> None:
    model = linear_vae(off=0.4)
    model.loss_and_grad(x, noise=model.draw(0, 0, len(x)))
    before = model.parameters.value.copy(), model.parameters.grad.copy()
    one, again, other = (amortisation_gap(model, x, rows=40, steps=20, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one["elbo"] != other["elbo"]
    np.testing.assert_array_equal(model.parameters.value, before[0])
    np.testing.assert_array_equal(model.parameters.grad, before[1])


def test_rows_beyond_one_chunk_are_each_fitted(x: Array) -> None:
    many = np.tile(x, (4, 1))[:1005]
    found = amortisation_gap(linear_vae(off=0.5), many, rows=1005)
    assert found["rows"] == 1005
    assert found["gap"] == pytest.approx(amortisation_gap(linear_vae(off=0.5), x)["gap"], rel=0.05)


def test_one_row_has_no_standard_error(x: Array) -> None:
    assert amortisation_gap(linear_vae(), x[:1])["gap_standard_error"] is None


@pytest.mark.parametrize(("options", "message"), [({"rows": 0}, "rows 0 is not a count"), ({"steps": 0}, "steps 0 is not a count")])
def test_no_rows_and_no_steps_are_refused(options: dict[str, Any], message: str, x: Array) -> None:
    with pytest.raises(InputError, match=message):
        amortisation_gap(linear_vae(), x, **options)
