"""Layers that run together give what the layers give one by one, and leave them as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Array, Backend
from npae.errors import InputError
from npae.inspection.subjects import MODEL_FORMS, C
from npae.layers import Chain, Dense, Dropout, LeakyReLU, Node, Parallel, activation, forget, frozen, inference
from npae.layers.fused import fused
from npae.models import MODELS, Model, Terms

Bound = Callable[..., Any]
RNG = np.random.default_rng(3)
X, DY, U = RNG.standard_normal((6, 4)), RNG.standard_normal((6, 3)), RNG.random((6, 5))
ROWS, FEATURES = 6, 7
NAMES = ("leaky_relu", "relu", "sigmoid", "tanh", "elu", "softplus")


def close(ours: Array, theirs: Array) -> bool:
    """Equal up to rounding."""
    return bool(np.abs(ours - theirs).max() <= 1e-12 * max(1.0, np.abs(theirs).max()))


def gradients(node: Node) -> dict[str, Array]:
    found = {name: parameter.grad.copy() for name, parameter in node.named_parameters()}
    for _, parameter in node.named_parameters():
        parameter.grad.fill(0)
    return found


def passed(chain: Chain, *uniforms: Array) -> dict[str, Array]:
    """What a chain makes of X, of DY and of its parameters."""
    y = chain.forward(X, uniforms).copy()
    return {"y": y, "dx": chain.backward(DY).copy(), **gradients(chain)}


def agree(ours: dict[str, Array], theirs: dict[str, Array]) -> None:
    assert ours.keys() == theirs.keys()
    assert not [name for name in ours if not close(ours[name], theirs[name])]


def model_of(form: str, computing: Backend) -> tuple[Model, Callable[[], tuple[Terms, Array]]]:
    """A small model of that form, and one step of it: its terms and its gradient."""
    kind, options, step = MODEL_FORMS[form]
    made = {"hidden": (5,), "latent": 2, "seed": 3, "dtype": "float64", "backend": computing.name, **options}
    model, rng = MODELS[kind](FEATURES, **made), np.random.default_rng(10)
    model.parameters.value += 0.1 * rng.standard_normal(len(model.parameters))
    x, noise = rng.uniform(0.05, 0.95, (ROWS, FEATURES)), model.draw(5, 0, ROWS)
    targets = np.eye(C)[rng.integers(0, C, (ROWS, 2))].reshape(ROWS, 2 * C)
    given = {"labels": (rng.integers(0, C, ROWS),), "targets": (targets,), None: ()}[model.companion]

    def one_step() -> tuple[Terms, Array]:
        terms = model.forward_backward(x, noise, step, None, *given)
        return terms, model.parameters.grad.copy()

    return model, one_step


@pytest.mark.parametrize("form", MODEL_FORMS)
def test_a_model_has_the_same_terms_and_gradients(computing: Backend, form: str) -> None:
    model, one_step = model_of(form, computing)
    theirs = one_step()
    with fused(model):
        ours = one_step()
    after = one_step()
    assert dict(ours[0]) == pytest.approx(dict(theirs[0]), rel=1e-12, abs=1e-12)
    assert ours[0].weights == theirs[0].weights
    assert close(ours[1], theirs[1])
    assert dict(after[0]) == dict(theirs[0])
    assert after[1].tobytes() == theirs[1].tobytes()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dropped", [False, True], ids=["Dense above", "Dropout above"])
def test_every_activation_may_stand_between_two_dense_layers(bound: Bound, name: str, dropped: bool) -> None:
    chain = bound(Chain(Dense(4, 5), *activation(name), *([Dropout(0.3, 5)] if dropped else []), Dense(5, 3)))
    uniforms = (U,) if dropped else ()
    theirs = passed(chain, *uniforms)
    with fused(chain):
        agree(passed(chain, *uniforms), theirs)


@pytest.mark.parametrize(
    "layers",
    [
        lambda: (Dense(4, 5), Dense(5, 3)),
        lambda: (Dense(4, 3), *activation("tanh")),
        lambda: (*activation("tanh"), Dense(4, 3)),
        lambda: (Dense(4, 5), *activation("tanh"), *activation("relu"), Dense(5, 3)),
        lambda: (Dense(4, 5), LeakyReLU(0.0), Dense(5, 3)),
        lambda: (Dense(4, 5), Chain(*activation("sigmoid"), Dense(5, 5)), Dense(5, 3)),
    ],
    ids=["no activation", "last", "first", "two in a row", "a slope of 0", "a chain in a chain"],
)
def test_wherever_an_activation_stands_the_numbers_are_the_same(bound: Bound, layers: Callable[[], tuple[Node, ...]]) -> None:
    chain = bound(Chain(*layers()))
    theirs = passed(chain)
    with fused(chain):
        agree(passed(chain), theirs)


def test_a_dense_layer_and_its_activation_take_one_kernel_forward_and_two_back(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, called = bound(Chain(Dense(4, 5), *activation("tanh"), Dense(5, 3, needs_dx=True), *activation("sigmoid"))), list[str]()
    kernel = Backend.kernel

    def noted(backend: Backend, name: str) -> Callable[..., Any]:
        called.append(name)
        return kernel(backend, name)

    monkeypatch.setattr(Backend, "kernel", noted)
    with fused(chain):
        passed(chain)
    assert called == ["affine"] * 2 + ["activation_gradient"] + ["affine_weight_gradient", "affine_data_gradient"] * 2


def test_two_heads_take_one_kernel_forward_and_one_back_beside_their_own_gradients(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, called = bound(Chain(Dense(4, 5), *activation("tanh"), Parallel(mu=Dense(5, 3), s=Dense(5, 2)))), list[str]()
    theirs, (dmu, ds) = chain.forward(X), (DY, DY[:, :2].copy())
    theirs = {"mu": theirs[0].copy(), "s": theirs[1].copy(), "dx": chain.backward((dmu, ds)).copy(), **gradients(chain)}
    kernel = Backend.kernel
    monkeypatch.setattr(Backend, "kernel", lambda backend, name: (called.append(name), kernel(backend, name))[1])
    with fused(chain):
        mu, s = chain.forward(X)
        ours = {"mu": mu.copy(), "s": s.copy(), "dx": chain.backward((dmu, ds)).copy(), **gradients(chain)}
    agree(ours, theirs)
    weights, below = ["affine_weight_gradient"], ["affine_data_gradient"]
    assert called == ["affine", "heads", *weights, *weights, "heads_data_gradient", *weights, *below]


def test_a_first_layer_whose_gradient_nobody_reads_computes_none(bound: Bound) -> None:
    chain = bound(Chain(Dense(4, 5, needs_dx=False), *activation("tanh"), Dense(5, 3)))
    with fused(chain):
        chain.forward(X)
        assert chain.backward(DY) is None
        learned = gradients(chain)
        chain.forward(X)
        with frozen(chain):
            assert chain.backward(DY).shape == X.shape, "a frozen network is asked for nothing else"
        chain.backward(DY)
    agree(gradients(chain), learned)


def test_a_frozen_network_hands_the_gradient_through_and_learns_nothing(bound: Bound) -> None:
    chain = bound(Chain(Dense(4, 5), *activation("tanh"), Dense(5, 3)))
    theirs = passed(chain)
    with fused(chain):
        chain.forward(X)
        with frozen(chain):
            assert close(chain.backward(DY), theirs["dx"])
        assert not any(gradient.any() for gradient in gradients(chain).values())
        assert close(chain.backward(DY), theirs["dx"])
        with frozen(chain):
            chain.forward(X)
            assert close(chain.backward(DY), theirs["dx"])
    agree(gradients(chain), {name: theirs[name] for name in dict(chain.named_parameters())})


def test_inference_needs_no_uniform_numbers_and_expects_no_backward(bound: Bound) -> None:
    chain = bound(Chain(Dense(4, 5), *activation("tanh"), Dropout(0.3, 5), Dense(5, 3)))
    with inference(chain):
        theirs = chain.forward(X).copy()
    with fused(chain):
        for _ in range(2):
            with inference(chain):
                assert close(chain.forward(X), theirs)
        with pytest.raises(InputError, match=r"dropout 0\.3: a training step needs uniform numbers"):
            chain.forward(X)


def test_after_an_exception_the_layers_run_one_by_one_again(bound: Bound) -> None:
    chain = bound(Chain(Dense(4, 5), *activation("tanh"), Chain(Dense(5, 3), *activation("sigmoid"))))
    theirs = passed(chain)

    def broken_off() -> None:
        with fused(chain):
            chain.forward(X)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert not [node for node in chain.everything() if isinstance(node, Chain) and node.together]
    forget(chain)
    ours = passed(chain)
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in theirs)
