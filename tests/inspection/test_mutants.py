"""Mistakes sown on purpose: the gradient check must see each of them and name the tensor, or it is worth nothing.

A mutant replaces one method of a class. `original` is the method itself with its call-order guard, which a mutant calls, so that the rest
of the node behaves as always.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from npae import layers, losses
from npae.backend import backend
from npae.inspection.gradcheck import check
from npae.inspection.probe import layer_probe, model_probe
from npae.inspection.report import Report
from npae.inspection.subjects import chosen
from npae.layers import reparameterise
from npae.models import AE, VAE

Method = Callable[..., Any]
Mutation = Callable[[Method], Method]


@dataclass(frozen=True)
class Mutant:
    """A mistake: in which method, which subject must fail, and which of its tensors."""

    name: str
    owner: type
    method: str
    mutation: Mutation
    subject: str
    tensors: frozenset[str]


def _scaled(factor: float) -> Mutation:
    """Everything that backward returns is wrong by a factor."""

    def mutation(original: Method) -> Method:
        def mutated(self: Any, *args: Any) -> Any:
            returned = original(self, *args)
            return tuple(factor * each for each in returned) if isinstance(returned, tuple) else factor * returned

        return mutated

    return mutation


def _doubled_dW(original: Method) -> Method:
    def mutated(self: Any, dy: Any) -> Any:
        before = self.W.grad.copy()
        dx = original(self, dy)
        self.W.grad += self.W.grad - before
        return dx

    return mutated


def _averaged_db(original: Method) -> Method:
    def mutated(self: Any, dy: Any) -> Any:
        before = self.b.grad.copy()
        dx = original(self, dy)
        self.b.grad[...] = before + (self.b.grad - before) / len(dy)
        return dx

    return mutated


def _assigned_instead_of_added(original: Method) -> Method:
    def mutated(self: Any, dy: Any) -> Any:
        self.W.grad.fill(0)
        self.b.grad.fill(0)
        return original(self, dy)

    return mutated


def _first_head_only(original: Method) -> Method:
    def mutated(self: Any, dys: Any) -> Any:
        first, *others = dys
        return original(self, (first, *(0 * other for other in others)))

    return mutated


def _unscaled_mask(original: Method) -> Method:
    return lambda self, dy: original(self, dy) * (1 - self.rate)


def _s_doubled(original: Method) -> Method:
    def mutated(self: Any, dz: Any) -> Any:
        dmu, ds = original(self, dz)
        return dmu, 2 * ds

    return mutated


def _clip_ignored(original: Method) -> Method:
    """dp = ((1-x)/(1-q) - x/q) / B, also where the clip holds q and the slope is zero."""

    def mutated(self: Any, p: Any, x: Any) -> Any:
        value = original(self, p, x)
        q = np.clip(p, self.clip, 1 - self.clip)
        self.dp[...] = ((1 - x) / (1 - q) - x / q) / len(x)
        return value

    return mutated


def _weight_ignored(original: Method) -> Method:
    return lambda self, weight=1.0: original(self)


def _half_the_weight(original: Method) -> Method:
    return lambda self, weight: original(self, weight / 2)


def _warm_up_ignored(original: Method) -> Method:
    def mutated(self: Any) -> None:
        self.beta_now = self.beta
        original(self)

    return mutated


def _free_bits_ignored(original: Method) -> Method:
    def mutated(self: Any, weight: float = 1.0) -> Any:
        given, self.free_bits = self.free_bits, 0.0
        returned = original(self, weight)
        self.free_bits = given
        return returned

    return mutated


def _does_nothing(original: Method) -> Method:
    return lambda *args, **kwargs: None


def _mutant(name: str, owner: type, mutation: Mutation, subject: str, *tensors: str, method: str = "backward") -> Mutant:
    return Mutant(name, owner, method, mutation, subject, frozenset(tensors))


ENCODER = tuple(f"encoder.{place}" for place in ("0.W", "0.b", "2.mu.W", "2.mu.b", "2.s.W", "2.s.b"))
DECODER = tuple(f"decoder.{place}" for place in ("0.W", "0.b", "2.W", "2.b"))
MUTANTS = [
    _mutant("a flipped sign in dx", layers.Dense, _scaled(-1), "dense", "x"),
    _mutant("dW twice", layers.Dense, _doubled_dW, "dense", "W"),
    _mutant("db averaged, not summed", layers.Dense, _averaged_db, "dense", "b"),
    _mutant("+= turned into = beside a penalty", layers.Dense, _assigned_instead_of_added, "vae.l2", *DECODER),
    _mutant("only one of two heads", layers.Parallel, _first_head_only, "parallel", "x", "s.0.W", "s.0.b"),
    _mutant("a mask that forgets its scale", layers.Dropout, _unscaled_mask, "dropout", "x"),
    _mutant("exp(s/2) derived without its 1/2", layers.Reparameterise, _s_doubled, "reparameterise.log_variance", "s"),
    _mutant("a lost 1/B of the squared error", losses.SquaredError, _scaled(7), "squared_error.sum", "y"),
    _mutant("a lost 2 of the square", losses.SquaredError, _scaled(0.5), "squared_error.mean", "y"),
    _mutant("a lost 1/2 of the Gaussian", losses.Gaussian, _scaled(2), "gaussian", "y"),
    _mutant("a lost 1/B of the Bernoulli", losses.BernoulliLogits, _scaled(7), "bernoulli_logits", "y"),
    _mutant("a gradient in the clip", losses.BernoulliProbabilities, _clip_ignored, "bernoulli_probabilities", "p", method="forward"),
    _mutant("a lost 1/B of the divergence", losses.GaussianKL, _scaled(7), "kl.log_std", "mu", "s"),
    _mutant("no gradient of the divergence", losses.GaussianKL, _scaled(0), "vae", *ENCODER),
    _mutant("beta left out of its gradient", losses.GaussianKL, _weight_ignored, "vae.log_variance", *ENCODER),
    _mutant("the whole beta during warm-up", VAE, _warm_up_ignored, "vae.kl_warmup", *ENCODER),
    _mutant("a gradient below the free bits", losses.GaussianKL, _free_bits_ignored, "kl.sigma.free_bits", "mu", "s"),
    _mutant("a penalty without its gradient", losses.L2, _does_nothing, "vae.l2", *DECODER),
    _mutant("a half in the penalty's gradient", losses.L2, _half_the_weight, "l2", "theta"),
    _mutant("lambda left out of the gradient", losses.RBFMMD, _weight_ignored, "wae", *ENCODER),
    _mutant("a penalty that pushes the codes away", losses.IMQMMD, _scaled(-1), "mmd.imq", "z"),
    _mutant("a bandwidth stopped by mistake", losses.Bandwidth, _does_nothing, "mmd.rbf.flux.through_bandwidth", "z"),
]


def _report(subject: str) -> Report:
    (one,) = (each for each in chosen("all") if each.name == subject)
    return check(one.make(backend("numpy")))


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_mutant_is_caught_and_its_tensors_are_named(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _report(mutant.subject).passed
    monkeypatch.setattr(mutant.owner, mutant.method, mutant.mutation(getattr(mutant.owner, mutant.method)))
    report = _report(mutant.subject)
    assert not report.passed
    assert {row.tensor for row in report.failures} == mutant.tensors, str(report)


@pytest.mark.parametrize("name", ["leaky_relu", "relu", "sigmoid", "tanh", "elu", "softplus"])
def test_an_activation_whose_slope_is_left_out_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (node,) = layers.activation(name)
    original = type(node).backward

    def mutated(self: Any, dy: Any) -> Any:
        original(self, dy)
        return dy

    monkeypatch.setattr(type(node), "backward", mutated)
    report = _report(name)
    assert [row.tensor for row in report.failures] == ["x"]


def test_a_transposed_w_is_caught_where_the_layer_is_square(monkeypatch: pytest.MonkeyPatch) -> None:
    original = layers.Dense.backward

    def mutated(self: Any, dy: Any) -> Any:
        return self.backend.matmul(dy, self.W.value, out=original(self, dy))

    monkeypatch.setattr(layers.Dense, "backward", mutated)
    x = np.random.default_rng(0).standard_normal((4, 5))
    report = check(layer_probe("square", layers.Dense(5, 5), backend("numpy"), {"x": x}))
    assert [row.tensor for row in report.failures] == ["x"]


def test_a_backward_that_uses_the_previous_batch_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    original = layers.Dense.forward

    def mutated(self: Any, x: Any) -> Any:
        y = original(self, x)
        self.x, self.kept = getattr(self, "kept", x), x.copy()
        return y

    monkeypatch.setattr(layers.Dense, "forward", mutated)
    rng = np.random.default_rng(0)
    model = AE(6, (5,), 3, activation="tanh", backend="numpy", dtype="float64")
    noise = model.draw(0, 0, 7)
    model.loss_and_grad(rng.random((7, 6)), noise=noise)
    report = check(model_probe("ae", model, rng.random((7, 6)), noise))
    assert {row.tensor for row in report.failures} == {"encoder.0.W", "encoder.2.W", "decoder.0.W", "decoder.2.W"}


def test_a_wrong_forward_with_its_own_right_derivative_passes_so_forwards_need_tests_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reparameterise.EXPONENT, "log_variance", 1.0)  # sigma = exp(log sigma^2)
    assert _report("reparameterise.log_variance").passed
