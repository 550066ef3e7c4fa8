"""The names that a user meets in Python, and that each does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae
from npae.backend import Array

F = 6


@pytest.fixture(scope="module")
def x() -> Array:
    """40 rows in [0, 1]."""
    return np.random.default_rng(0).random((40, F))


def make(kind: str, **options: Any) -> Any:
    """A small model."""
    return getattr(npae, kind)(F, **{"hidden": (5,), "latent": 2, "backend": "numpy", "dtype": "float64", **options})


@pytest.mark.parametrize("words", ["import npae", "import npae; npae.InputError; npae.__version__; dir(npae)"])
def test_importing_the_package_costs_nothing(words: str) -> None:
    program = f"import sys\n{words}\nprint([name for name in ('numpy', 'numba', 'matplotlib', 'scipy', 'rich') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_models_need_neither_a_compiler_nor_pictures_until_they_compute() -> None:
    program = "import sys, npae\nnpae.VAE, npae.fit, npae.kernels, npae.load\n"
    program += "print([name for name in ('numba', 'matplotlib', 'sklearn') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


PROMISED = {"AE", "VAE", "WAE", "fit", "save", "load", "gradcheck", "kernels", "InputError", "NonFiniteError"}


def test_every_promised_name_is_there_and_listed() -> None:
    assert set(npae.__all__) >= PROMISED
    assert dir(npae) == sorted(dir(npae))
    assert set(npae.__all__) <= set(dir(npae))
    for name in npae.__all__:
        assert getattr(npae, name) is not None


def test_names_are_those_of_the_modules_they_come_from() -> None:
    from npae.data import load as load_data
    from npae.models import VAE
    from npae.training.fit import fit

    assert (npae.VAE, npae.fit, npae.load_data) == (VAE, fit, load_data)
    assert npae.kernels is sys.modules["npae.kernels"]


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'VEA'"):
        npae.VEA  # noqa: B018


@pytest.mark.parametrize("kind", ["AE", "VAE", "WAE"])
def test_loss_and_grad_gives_terms_and_leaves_the_gradient(kind: str, x: Array) -> None:
    model = make(kind)
    noise = model.draw(seed=0, step=0, rows=len(x))
    held = model.held_constant(x, noise)
    terms = model.loss_and_grad(x, noise=noise, held=held)
    parameters = model.parameters
    assert terms.total == pytest.approx(sum(terms.weights[name] * value for name, value in terms.items()))
    assert parameters.value.shape == parameters.grad.shape == (len(parameters),)
    assert np.abs(parameters.grad).max() > 0
    before, step = parameters.value.copy(), 1e-6 * parameters.grad / np.linalg.norm(parameters.grad)
    parameters.value[...] = before + step
    assert model.loss(x, noise=noise, held=held).total > terms.total  # uphill
    parameters.value[...] = before - step
    assert model.loss(x, noise=noise, held=held).total < terms.total


@pytest.mark.parametrize("kind", ["AE", "VAE", "WAE"])
def test_parameters_are_views_of_two_flat_vectors(kind: str) -> None:
    parameters = make(kind).parameters
    assert parameters.names()[0] == "encoder.0.W"
    assert sum(parameters[name].value.size for name in parameters.names()) == len(parameters)
    for name in parameters.names():
        assert np.shares_memory(parameters[name].value, parameters.value)
        assert np.shares_memory(parameters[name].grad, parameters.grad)
    parameters["encoder.0.W"].value[...] = 7
    assert (parameters.value[: 5 * F] == 7).all()


def test_draw_is_a_function_of_seed_step_and_row() -> None:
    model = make("WAE")
    noise = model.draw(seed=3, step=5, rows=10)
    again, other_step, other_seed = (model.draw(*words, 10) for words in ((3, 5), (3, 6), (4, 5)))
    assert noise.eps.shape == noise.prior.shape == (10, 2)
    np.testing.assert_array_equal(noise.eps, again.eps)
    assert not np.array_equal(noise.eps, other_step.eps)
    assert not np.array_equal(noise.eps, other_seed.eps)
    assert not np.array_equal(noise.eps, noise.prior)
    np.testing.assert_array_equal(model.draw(3, 5, range(4, 7)).eps, noise.eps[4:7])


@pytest.mark.parametrize("kind", ["AE", "VAE", "WAE"])
def test_fit_learns_and_returns_its_history(kind: str, x: Array) -> None:
    model = make(kind)
    history = npae.fit(model, x, epochs=30, batch_size=10, learning_rate=0.02, validation=x[:10])
    assert isinstance(history, npae.History)
    totals = history.column("train.total")
    assert len(totals) == 30
    assert totals[-1] < totals[0]
    assert len(history.column("validation.total")) == 30


@pytest.mark.parametrize("kind", ["AE", "VAE", "WAE"])
def test_encode_decode_reconstruct_and_sample(kind: str, x: Array) -> None:
    model = make(kind)
    codes = model.encode(x)
    assert codes.shape == (40, 2)
    np.testing.assert_array_equal(model.reconstruct(x), model.decode(codes))
    drawn = model.sample(7, seed=1, like=x) if kind == "AE" else model.sample(7, seed=1)
    assert drawn.shape == (7, F)
    assert np.isfinite(drawn).all()
    codes[...] = 0  # what is returned is the caller's own
    assert np.abs(model.encode(x)).max() > 0


def test_a_plain_autoencoder_says_that_it_needs_rows_to_sample_like() -> None:
    with pytest.raises(npae.InputError, match="like=x"):
        make("AE").sample(3)


@pytest.mark.parametrize("kind", ["AE", "VAE", "WAE"])
def test_save_and_load_give_the_model_back(kind: str, x: Array, tmp_path: Path) -> None:
    model = make(kind)
    loaded = npae.load(npae.save(model, tmp_path / "model.safetensors"), backend="numpy")
    assert loaded.reconstruct(x).tobytes() == model.reconstruct(x).tobytes()


@pytest.mark.parametrize("kind", ["AE", "VAE", "WAE"])
def test_gradcheck_passes_on_a_model_of_ones_own(kind: str, x: Array) -> None:
    report = npae.gradcheck(make(kind), x[:7])
    assert report.passed
    assert report.error <= 1e-7
    assert "passed" in str(report)


def test_gradcheck_of_a_float32_model_is_done_in_float64(x: Array) -> None:
    assert npae.gradcheck(make("VAE", dtype="float32"), x[:5]).error <= 1e-7


def test_the_kernels_compute_what_their_names_say() -> None:
    rng = np.random.default_rng(1)
    z, w = rng.standard_normal((9, 3)), rng.standard_normal((9, 3))
    d2 = npae.kernels.pairwise_squared(z, w)
    np.testing.assert_allclose(d2, np.square(z[:, None] - w[None]).sum(axis=2), rtol=1e-12)
    assert npae.kernels.distance_order_statistic(z, w, 4) == np.sort(d2, axis=None)[4]

    def mmd(k: Any) -> float:
        n = len(z)
        zz, ww = (k(np.square(a[:, None] - a[None]).sum(axis=2)) for a in (z, w))
        return float((zz.sum() - np.trace(zz) + ww.sum() - np.trace(ww)) / (n * (n - 1)) - 2 * k(d2).mean())

    value, dz = npae.kernels.mmd_rbf(z, w, 1.7)
    assert value == pytest.approx(mmd(lambda distances: np.exp(-distances / 3.4)), rel=1e-10)
    assert dz.shape == z.shape
    value, dz = npae.kernels.mmd_imq(z, w)
    scales = (0.1, 0.2, 0.5, 1, 2, 5, 10)
    assert value == pytest.approx(mmd(lambda distances: sum(6 * s / (6 * s + distances) for s in scales)), rel=1e-10)


def test_errors_can_be_caught_as_what_python_calls_them() -> None:
    assert issubclass(npae.InputError, ValueError)
    assert issubclass(npae.NonFiniteError, FloatingPointError)
    assert issubclass(npae.NonFiniteError, npae.InputError)


@pytest.mark.parametrize("kind", ["AE", "VAE", "WAE"])
def test_data_of_the_wrong_shape_are_refused_with_the_fix(kind: str) -> None:
    with pytest.raises(npae.InputError, match=r"\(rows, 6\).*flatten images"):
        make(kind).encode(np.zeros((3, 2, 3)))


def test_every_model_has_a_name_of_its_own_here() -> None:
    for model in npae.MODELS.values():
        assert getattr(npae, model.__name__) is model


def test_two_samples_are_compared_from_the_top_of_the_package(x: Array) -> None:
    assert npae.two_sample_test(x[:20], x[20:], permutations=50).p_value > 0.05
    assert npae.two_sample_test(x[:20], x[20:] + 1, permutations=50).p_value < 0.05
