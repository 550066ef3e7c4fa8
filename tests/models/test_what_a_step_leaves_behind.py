"""A step leaves no traces: fresh gradients, no new arrays, no random state, a usable model after an error, copies for the user."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae import noise as streams
from npae.backend import Array
from npae.errors import NonFiniteError
from npae.layers import CallOrderError, Node
from npae.models import AE, MODELS, VAE, WAE, Model

Make = Callable[..., Model]


def test_a_second_call_gives_the_same_terms_and_gradient_bit_for_bit(make: Make, x: Array, y: Array | None) -> None:
    model = make()
    noise = model.draw(0, 0, 20)
    first, gradient = model.loss_and_grad(x, y, noise=noise), model.parameters.grad.copy()
    second = model.loss_and_grad(x, y, noise=noise)
    assert dict(second) == dict(first)
    np.testing.assert_array_equal(model.parameters.grad, gradient)


def test_loss_is_the_loss_of_loss_and_grad_where_nothing_is_dropped_and_leaves_the_gradient(make: Make, x: Array, y: Array | None) -> None:
    model = make(dropout=0.0)
    noise = model.draw(0, 0, 20)
    terms = model.loss_and_grad(x, y, noise=noise, step=3)
    gradient = model.parameters.grad.copy()
    again = model.loss(x, y, noise=noise, step=3)
    assert dict(again) == dict(terms)
    assert again.total == terms.total
    np.testing.assert_array_equal(model.parameters.grad, gradient)


def test_nothing_random_happens_once_the_noise_is_drawn(make: Make, x: Array, y: Array | None, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make()
    noise = model.draw(0, 0, 20)
    expected = model.loss_and_grad(x, y, noise=noise).total

    def forbidden(*_: Any) -> Array:
        raise AssertionError("a node drew a random number")

    monkeypatch.setattr(streams, "normal", forbidden)
    monkeypatch.setattr(streams, "uniform", forbidden)
    np.random.seed(0)  # noqa: NPY002 (the global state is what is watched)
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    assert model.loss_and_grad(x, y, noise=noise).total == expected
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002


def test_data_and_noise_are_left_as_they_were(make: Make, x: Array, y: Array | None) -> None:
    model = make()
    noise, data = model.draw(0, 0, 20), x.copy()
    arrays = {name: array.copy() for name, array in noise.items()}
    model.loss_and_grad(x, y, noise=noise)
    np.testing.assert_array_equal(x, data)
    for name, array in arrays.items():
        np.testing.assert_array_equal(noise[name], array)


def test_no_result_depends_on_what_a_new_buffer_happened_to_hold(
    make: Make, x: Array, y: Array | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = make()
    noise = clean.draw(0, 0, 20)
    total, gradient = clean.loss_and_grad(x, y, noise=noise).total, clean.parameters.grad.copy()
    original = Node.buffer

    def poisoned(self: Node, name: str, shape: tuple[int, ...], dtype: Any = None) -> Array:
        known = len(self._buffers)
        array = original(self, name, shape, dtype)
        if len(self._buffers) > known:
            array.fill(True if array.dtype == bool else np.nan)
        return array

    monkeypatch.setattr(Node, "buffer", poisoned)
    model = make()
    assert model.loss_and_grad(x, y, noise=noise).total == total
    np.testing.assert_array_equal(model.parameters.grad, gradient)


@pytest.mark.parametrize("hidden", [(), (9,)])
def test_the_layers_that_read_the_data_keep_no_gradient_for_them(hidden: tuple[int, ...], x: Array) -> None:
    for model in (AE(12, hidden, 4), VAE(12, hidden, 4)):
        model.loss_and_grad(x, noise=model.draw(0, 0, 20))
        kept = {shape for node in model.encoder.everything() for name, shape in node._buffers if name == "dx"}
        assert (20, 12) not in kept
        assert all(model.parameters[name].grad.any() for name in model.parameters)


def test_a_second_step_makes_no_new_buffers_and_another_batch_size_makes_its_own(make: Make, x: Array, y: Array | None) -> None:
    model = make()

    def buffers() -> int:
        return sum(len(node._buffers) for node in model.everything())

    model.loss_and_grad(x, y, noise=model.draw(0, 0, 20))
    known = buffers()
    for step in range(3):
        model.loss_and_grad(x, y, noise=model.draw(0, step, 20))
    assert buffers() == known
    smaller = model.loss_and_grad(x[:8], y if y is None else y[:8], noise=model.draw(0, 0, 8)).total
    assert make().loss_and_grad(x[:8], y if y is None else y[:8], noise=model.draw(0, 0, 8)).total == smaller


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ae", {"dropout": 0.1}),
        ("vae", {"l2": 0.005, "free_bits": 0.1}),
        ("vae", {"posterior": "sigma", "reconstruction": "bernoulli_probabilities"}),
        ("wae", {"bandwidth": "prior"}),
        ("wae", {"kernel": "imq"}),
        ("wae-gan", {}),
        ("gan", {"discriminator_hidden": (256,)}),
        ("ae", {"reconstruction": "gaussian_learned"}),
        ("sparse", {}),
        ("sparse", {"penalty": "kl"}),
        ("denoising", {"corruption": "salt_and_pepper"}),
        ("denoising-vae", {}),
        ("contractive", {}),
        ("iwae", {}),
        ("iwae", {"estimator": "dreg", "posterior": "sigma", "reconstruction": "bernoulli_probabilities"}),
        ("iwae", {"reconstruction": "gaussian"}),
    ],
)
def test_after_the_first_steps_the_numba_backend_allocates_no_array_of_a_layers_size(kind: str, options: dict[str, Any]) -> None:
    """NumPy's own ufunc buffers of constant size remain; the smallest hidden array here is a megabyte."""
    model = MODELS[kind](300, (256,), 8, backend="numba", **options)
    x, noise = np.random.default_rng(0).random((1024, 300), np.float32), model.draw(0, 0, 1024)
    for _ in range(2):
        model.forward_backward(x, noise)
    tracemalloc.start()
    try:
        model.forward_backward(x, noise)
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**19
    assert left < 2**12


def test_after_a_loss_that_is_not_finite_the_model_is_usable_again(make: Make, x: Array, y: Array | None) -> None:
    model = make(backend="numba")
    noise = model.draw(0, 0, 20)
    expected = model.loss_and_grad(x, y, noise=noise).total
    good = model.parameters.value.copy()
    model.parameters["decoder.0.W"].value[0, 0] = np.nan
    message = r"loss( of the encoder)? is nan: parameter decoder\.0\.W is no longer finite"
    with np.errstate(invalid="ignore"), pytest.raises(NonFiniteError, match=message):
        model.loss_and_grad(x, y, noise=noise)
    model.parameters.value[:] = good
    assert model.loss_and_grad(x, y, noise=noise).total == expected


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_after_an_interrupt_in_the_middle_of_a_step_the_model_is_usable_again(
    error: type[BaseException], make: Make, x: Array, y: Array | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make()
    noise = model.draw(0, 0, 20)
    expected = model.loss_and_grad(x, y, noise=noise).total

    def interrupted(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(type(model), "backward", interrupted)
        with pytest.raises(error):
            model.loss_and_grad(x, y, noise=noise)
    assert model.loss_and_grad(x, y, noise=noise).total == expected


def test_a_forward_without_its_backward_is_not_overwritten(x: Array) -> None:
    model = AE(12, (9,), 4)
    model.encoder.forward(x)
    with pytest.raises(CallOrderError, match=r"Chain\.forward was called twice"):
        model.loss_and_grad(x)
    assert model.loss_and_grad(x).total > 0, "the error itself clears what was pending"


def test_what_a_call_returns_is_a_copy_that_the_next_call_leaves_alone(make: Make, x: Array, y: Array | None) -> None:
    model = make()
    other = 1 - x
    if not model.has_encoder:
        drawn = model.sample(20)
        before = drawn.copy()
        model.sample(20, seed=1)
        model.loss_and_grad(other, noise=model.draw(0, 0, 20))
        np.testing.assert_array_equal(drawn, before)
        return
    codes, images = model.encode(x, y), model.reconstruct(x, y)
    decoded = model.decode(codes, y)
    kept = [array.copy() for array in (codes, images, decoded)]
    model.encode(other, y)
    model.reconstruct(other, y)
    model.decode(model.encode(other, y), y)
    model.loss_and_grad(other, y, noise=model.draw(0, 0, 20))
    for array, before in zip((codes, images, decoded), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("kind", ["vae", "wae"])
@pytest.mark.parametrize("posterior", ["log_std", "sigma"])
def test_samples_and_posteriors_are_copies_too(kind: str, posterior: str, x: Array) -> None:
    model = MODELS[kind](12, (9,), 4, posterior=posterior)
    assert isinstance(model, VAE | WAE)
    returned = [model.sample(5), model.prior(5, 0), *model.posterior(x)]
    kept = [array.copy() for array in returned]
    model.posterior(1 - x)
    model.sample(5, seed=9)
    for array, before in zip(returned, kept, strict=True):
        np.testing.assert_array_equal(array, before)
