"""A compiled step is the ordinary one up to rounding, whatever it is made of; and the same to the last bit on any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.compiled import CompiledSteps, NotCovered
from npae.errors import NonFiniteError
from npae.losses import BernoulliProbabilities
from npae.models import AE, VAE, WAE
from npae.models.infovae import InfoVAE
from npae.optim import Adam
from npae.training.step import TrainingStep

Train = Callable[..., Any]

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "ae": ("ae", {"reconstruction": "mean_squared_error", "code_activation": "leaky_relu"}),
    "ae with dropout": ("ae", {"dropout": 0.2}),
    "ae of tanh with probabilities": ("ae", {"activation": "tanh", "reconstruction": "bernoulli_probabilities"}),
    "ae of elu with logits": ("ae", {"activation": "elu", "reconstruction": "mean_bernoulli"}),
    "ae of sigmoid and relu": ("ae", {"activation": "sigmoid", "code_activation": "relu", "reconstruction": "gaussian", "eta": 0.3}),
    "ae of softplus with output tanh": ("ae", {"activation": "softplus", "output": "tanh"}),
    "ae of one layer": ("ae", {"hidden": (), "latent": 70}),
    "linear": ("linear", {"hidden": (8,)}),
    "vae": ("vae", {"l2": 0.005, "dropout": 0.1}),
    "vae of one layer": ("vae", {"hidden": ()}),
    "vae with sigma": ("vae", {"posterior": "sigma", "activation": ("elu", "tanh"), "noise_scale": 0.7}),
    "vae with log-variance and warm-up": ("vae", {"posterior": "log_variance", "beta": 2.0, "kl_warmup": 4, "noise_scale": 0.5}),
    "vae with keras's kl": ("vae", {"kl": "keras", "noise_scale": 0.1, "reconstruction": "mean_bernoulli"}),
    "vae with epsilon": ("vae", {"posterior": "sigma", "kl_epsilon": 1e-3, "heads": "joint", "epsilon_placement": "uncorrected"}),
    "wae": ("wae", {"schedule": "cosine"}),
    "wae by largest distances": ("wae", {"bandwidth": "tolstikhin", "posterior": "log_variance"}),
    "wae with a deterministic encoder": ("wae", {"encoder": "deterministic", "bandwidth": "prior", "dropout": 0.1}),
    "wae with a number": ("wae", {"bandwidth": 3.5, "hidden": (64,), "latent": 16}),
}


def largest_difference(one: Array, other: Array) -> float:
    return float(np.abs(one - other).max() / np.abs(other).max())


@pytest.mark.parametrize("case", CASES)
def test_a_compiled_step_is_the_ordinary_one(case: str, ordinary: Train, compiled: Train) -> None:
    kind, settings = CASES[case]
    expected, found = ordinary(kind, "float64", **settings), compiled(kind, "float64", **settings)
    assert found.adam.steps == expected.adam.steps == 6
    for one, other in zip(found.terms, expected.terms, strict=True):
        assert list(one) == list(other)
        assert one.weights == other.weights
        np.testing.assert_allclose([one.total, *one.values()], [other.total, *other.values()], rtol=1e-9, atol=1e-12)
    assert largest_difference(found.model.parameters.value, expected.model.parameters.value) < 1e-9
    assert largest_difference(found.adam.m, expected.adam.m) < 1e-11
    assert largest_difference(found.adam.v, expected.adam.v) < 1e-11


@pytest.mark.parametrize("case", ["ae", "vae", "wae", "vae with sigma"])
def test_in_float32_too(case: str, ordinary: Train, compiled: Train) -> None:
    kind, settings = CASES[case]
    expected, found = ordinary(kind, "float32", **settings), compiled(kind, "float32", **settings)
    for one, other in zip(found.terms, expected.terms, strict=True):
        np.testing.assert_allclose([one.total, *one.values()], [other.total, *other.values()], rtol=1e-4, atol=1e-6)
    assert largest_difference(found.adam.m, expected.adam.m) < 1e-4


def same_bits(one: Any, other: Any) -> bool:
    arrays = [(of.model.parameters.value.tobytes(), of.adam.m.tobytes(), of.adam.v.tobytes()) for of in (one, other)]
    terms = [[(of.total, *of.values()) for of in trained.terms] for trained in (one, other)]
    return arrays[0] == arrays[1] and terms[0] == terms[1]


@pytest.mark.parametrize("case", ["ae with dropout", "vae", "wae"])
def test_the_numbers_are_the_same_on_one_thread_and_on_many_and_however_the_steps_are_called(case: str, compiled: Train) -> None:
    kind, settings = CASES[case]
    alone = compiled(kind, "float32", **settings)
    for threads in (2, 3):
        for _ in range(3):
            assert same_bits(compiled(kind, "float32", threads=threads, **settings), alone)
    assert same_bits(compiled(kind, "float32", calls=[(k, k + 1) for k in range(6)], **settings), alone)
    assert same_bits(compiled(kind, "float32", calls=((0, 5), (5, 6)), **settings), alone)


def test_a_run_begins_with_what_somebody_else_has_made_of_the_parameters(data: Array, batches: list[Array]) -> None:
    model = VAE(data.shape[1], hidden=(33,), latent=5, l2=0.01, dtype="float64", seed=1, backend="numba")
    adam = Adam(model.parameters, 1e-2)
    steps, moved = CompiledSteps(model, adam, 3, data), (model.parameters.value, adam.m, adam.v)
    steps.run(batches[:2])
    between = [array.copy() for array in moved]
    expected, left = steps.run(batches[2:5]), [array.copy() for array in moved]
    for array, before in zip(moved, between, strict=True):
        array[:] = before
    adam.steps = 2
    found = steps.run(batches[2:5])
    assert [[*terms.values()] for terms in found] == [[*terms.values()] for terms in expected]
    for array, other in zip(moved, left, strict=True):
        assert array.tobytes() == other.tobytes()


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_leaving_out_zeros_changes_no_bit(dtype: str, grey: bool, compiled: Train) -> None:
    assert same_bits(compiled("ae", dtype, grey=grey, sparse=True), compiled("ae", dtype, grey=grey, sparse=False))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: VAE(53, free_bits=0.1), "free_bits 0.1"),
        (lambda: VAE(53, reconstruction="gaussian_learned"), "GaussianLearned"),
        (lambda: WAE(53, kernel="imq"), "imq"),
        (lambda: WAE(53, bandwidth="median"), "median"),
        (lambda: WAE(53, stop_gradient=False), "stop_gradient"),
        (lambda: InfoVAE(53), "infovae"),
        (lambda: AE(53, backend="numpy"), "numpy"),
    ],
)
def test_what_is_not_covered_is_named(make: Any, reason: str, data: Array) -> None:
    model = make()
    with pytest.raises(NotCovered, match=reason):
        CompiledSteps(model, Adam(model.parameters), 0, data.astype("float32")).plan(20)


def test_probabilities_are_covered_where_they_are_a_sigmoids(data: Array) -> None:
    model = AE(data.shape[1], reconstruction="bernoulli_probabilities")
    assert CompiledSteps(model, Adam(model.parameters), 0, data.astype("float32")).plan(20).phases
    model.likelihood, model.decoder = BernoulliProbabilities(), AE(data.shape[1], output="tanh").decoder
    with pytest.raises(NotCovered, match=r"probabilities that are not a sigmoid's \(decoder.*, tanh\)"):
        CompiledSteps(model, Adam(model.parameters), 0, data.astype("float32")).plan(20)


def test_data_of_another_width_than_the_models_are_refused(data: Array) -> None:
    model = AE(53)
    with pytest.raises(ValueError, match=r"data has 253 columns; expected the model's 53"):
        CompiledSteps(model, Adam(model.parameters), 0, data.astype("float32"))


def test_clipping_is_not_covered(data: Array) -> None:
    model = AE(data.shape[1])
    with pytest.raises(NotCovered, match="clip_norm 1"):
        CompiledSteps(model, Adam(model.parameters, clip_norm=1.0), 0, data.astype("float32")).plan(20)


def test_a_loss_that_is_not_finite_ends_the_run_before_that_step(data: Array, batches: list[Array]) -> None:
    x = data.astype("float32")
    x[batches[3][0]] = np.nan
    model = AE(data.shape[1])
    adam = Adam(model.parameters)
    steps, before = CompiledSteps(model, adam, 0, x, threads=2), [rows for rows in batches[:3] if batches[3][0] not in rows]
    done = steps.run([*before, batches[3], batches[4]])
    assert len(done) == adam.steps == len(before)
    assert np.isfinite(model.parameters.value).all()
    assert all(np.isfinite(terms.total) for terms in done)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_gradient_that_is_not_finite_ends_the_run_before_that_step_as_the_ordinary_one(threads: int, data: Array) -> None:
    model = AE(data.shape[1], hidden=(), latent=3)
    model.parameters["encoder.0.W"].value[...] = 0  # so that z = 0, and the loss is finite whatever the decoder's weights are
    model.parameters["decoder.0.W"].value[...] = 3e38
    adam, x = Adam(model.parameters), data.astype("float32")
    before, rows = model.parameters.value.copy(), np.arange(20)
    assert CompiledSteps(model, adam, 0, x, threads=threads).run([rows]) == []
    assert adam.steps == 0
    assert (model.parameters.value == before).all()
    with pytest.raises(NonFiniteError, match=r"encoder\.0"):
        TrainingStep(model, adam, 0)(x[rows])


def test_the_plan_can_be_read(data: Array) -> None:
    model = VAE(data.shape[1], (33,), 5, dropout=0.1)
    steps = CompiledSteps(model, Adam(model.parameters), 0, data.astype("float32"), threads=2)
    lines = steps.plan(20).describe().splitlines()
    assert lines[0] == "phase 0: 4 items of work on 2 threads"
    assert [line.split(maxsplit=1)[0] for line in lines[1:4]] == ["GatherSparse", "Draw", "Draw"]
    assert "    Sample         z" in lines
    assert "    SparseWeights  encoder.0.W" in lines
