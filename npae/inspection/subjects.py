"""Everything whose gradient `npae gradcheck` checks: each layer, each loss, each model in each of its forms.

A test fails when a layer, a loss or a model that npae exports is missing here. Sizes are small and uneven on purpose: a transposed W, or a
lost 1/B, then changes the answer.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae import layers, losses
from npae.backend import Array, Backend
from npae.errors import InputError, nearest
from npae.inspection.probe import Probe, layer_probe, loss_probe, model_probe, on
from npae.layers import Chain, Dense, Dropout, Node, Parallel
from npae.losses import L2, RBFMMD
from npae.models import MODELS
from npae.parameters import Parameters

B, F, Z, C = 7, 6, 3, 4
FREE_BITS = {"log_std": 1.0, "log_variance": 0.5, "sigma": 1.0}  # between the KL of the units: some are held up, some are not


@dataclass(frozen=True)
class Subject:
    """What is checked, by name; `covers` is the class, `make` builds the probe."""

    name: str
    group: str
    covers: type
    make: Callable[[Backend], Probe]


def _normal(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def _unit(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape)


def _labels(seed: int) -> Array:
    return np.random.default_rng(seed).integers(0, C, B)


def _targets(seed: int) -> Array:
    """Two places of C symbols, one-hot: targets for every loss."""
    return np.eye(C)[np.random.default_rng(seed).integers(0, C, (B, 2))].reshape(B, 2 * C)


def _layer(name: str, make: Callable[[], Node], inputs: Callable[[], dict[str, Array]], given: Callable[[], list[Any]] = list) -> Subject:
    return Subject(name, "layer", type(make()), lambda backend: layer_probe(name, make(), backend, inputs(), given()))


def _loss(name: str, make: Callable[[], Node], inputs: Callable[[], dict[str, Array]], given: Callable[[], list[Any]] = list) -> Subject:
    return Subject(name, "loss", type(make()), lambda backend: loss_probe(name, make(), backend, inputs(), given()))


def _layers() -> Iterator[Subject]:
    x = lambda: {"x": _normal(2, B, F)}  # noqa: E731
    yield _layer("dense", lambda: Dense(F, 4), x)
    for name in ("leaky_relu", "relu", "sigmoid", "tanh", "elu", "softplus"):
        yield _layer(name, lambda name=name: layers.activation(name)[0], x)  # type: ignore[misc]
    yield _layer("dropout", lambda: Dropout(0.3, F), x, lambda: [_unit(3, B, F)])
    yield _layer("chain", lambda: Chain(Dense(F, 5), layers.Tanh(), Dropout(0.2, 5), Dense(5, 2)), x, lambda: [[_unit(4, B, 5)]])
    yield _layer("parallel", lambda: Parallel(mu=Dense(F, Z), s=Chain(Dense(F, Z), layers.Softplus(1e-6))), x)
    yield _layer("condition", lambda: layers.Condition(C), x, lambda: [_labels(14)])
    for form in layers.FORMS:
        inputs = lambda: {"mu": _normal(5, B, Z), "s": _unit(6, B, Z)}  # noqa: E731
        yield _layer(f"reparameterise.{form}", lambda form=form: layers.Reparameterise(form), inputs, lambda: [_normal(7, B, Z)])  # type: ignore[misc]
        scaled = lambda form=form: layers.Reparameterise(form, 0.3)  # noqa: E731
        yield _layer(f"reparameterise.{form}.noise_scale", scaled, inputs, lambda: [_normal(7, B, Z)])


def _losses() -> Iterator[Subject]:
    real, unit = (lambda: {"y": _normal(2, B, F)}), (lambda: [_unit(3, B, F)])
    for reduction in ("sum", "mean"):
        yield _loss(f"squared_error.{reduction}", lambda r=reduction: losses.SquaredError(r), real, unit)  # type: ignore[misc]
    yield _loss("gaussian", lambda: losses.Gaussian(0.3), real, unit)
    yield _loss("bernoulli_logits", losses.BernoulliLogits, real, unit)
    yield _loss("bernoulli_logits.mean", lambda: losses.BernoulliLogits("mean"), real, unit)
    clipped = lambda: {"p": np.linspace(0.002, 0.998, B * F).reshape(B, F)}  # noqa: E731  (some within the clip, none at its edge)
    yield _loss("bernoulli_probabilities", lambda: losses.BernoulliProbabilities(0.04), clipped, unit)
    yield _loss("categorical", lambda: losses.Categorical(C), lambda: {"l": _normal(16, B, 2 * C)}, lambda: [_targets(15)])
    for form in layers.FORMS:
        posterior = lambda: {"mu": _normal(5, B, Z), "s": _unit(6, B, Z)}  # noqa: E731
        yield _loss(f"kl.{form}", lambda form=form: losses.GaussianKL(form), posterior)  # type: ignore[misc]
        yield _loss(f"kl.{form}.free_bits", lambda form=form: losses.GaussianKL(form, FREE_BITS[form]), posterior)  # type: ignore[misc]
        yield _loss(f"kl.{form}.noise_scale", lambda form=form: losses.GaussianKL(form, noise_scale=0.3), posterior)  # type: ignore[misc]
        both = lambda form=form: losses.GaussianKL(form, noise_scale=0.6, epsilon=0.2)  # noqa: E731
        yield _loss(f"kl.{form}.epsilon", both, posterior)
    yield Subject("l2", "loss", L2, _l2_probe)
    codes, prior = (lambda: {"z": _normal(8, B, Z) + 0.5}), (lambda: [_normal(9, B, Z)])
    for rule in ("prior", 1.7):
        yield _loss(f"mmd.rbf.{rule}", lambda rule=rule: RBFMMD(rule), codes, prior)  # type: ignore[misc]
    for rule in ("flux", "tolstikhin", "median"):
        yield _loss(f"mmd.rbf.{rule}.through_bandwidth", lambda rule=rule: RBFMMD(rule, stop_gradient=False), codes, prior)  # type: ignore[misc]
        yield Subject(f"mmd.rbf.{rule}", "loss", RBFMMD, lambda backend, rule=rule: _stopped_probe(rule, backend))  # type: ignore[misc]
    yield _loss("mmd.imq", losses.IMQMMD, codes, prior)
    yield _loss("importance", losses.ImportanceWeighted, lambda: {"log_w": 2 * _normal(8, B, 4)})
    logits = lambda: {"l": _normal(14, 2 * B, 1)}  # noqa: E731
    yield _loss("discriminator", losses.DiscriminatorLoss, logits)
    yield _loss("discriminator.label_smoothing", lambda: losses.DiscriminatorLoss(0.1), logits)
    yield _loss("generator", losses.GeneratorLoss, logits)
    yield _loss("l1", losses.L1, lambda: {"z": _normal(12, B, Z)})
    yield _loss("target_rate", lambda: losses.TargetRate(0.2), lambda: {"z": _unit(13, B, Z)})
    yield Subject("gaussian_learned", "loss", losses.GaussianLearned, _gaussian_learned_probe)
    for names in (("sigmoid",), ("tanh", "softplus"), ("softplus", "tanh", "linear")):
        make = functools.partial(_contraction_probe, names)
        yield Subject(f"contraction.{'_'.join(names)}", "loss", losses.Contraction, make)


def _stopped_probe(rule: str, backend: Backend) -> Probe:
    """A stopped bandwidth is a constant to backward, so the differences hold it constant too."""
    z, w = on(backend, [_normal(8, B, Z) + 0.5, _normal(9, B, Z)])
    sigma2 = losses.Bandwidth(rule).value(backend, z, w)
    return loss_probe(f"mmd.rbf.{rule}", RBFMMD(rule), backend, {"z": z}, [w], {"sigma2": sigma2})


def _l2_probe(backend: Backend) -> Probe:
    part = Chain(Dense(F, 4), layers.Tanh(), Dense(4, Z))
    parameters = Parameters(
        (("decoder." + name, tensor) for name, tensor in part.named_parameters()), backend=backend, dtype="float64", seed=1
    )
    loss = L2()
    loss.bind(backend, parameters.dtype)
    loss.attach(parameters, "decoder")

    def gradients() -> dict[str, Array]:
        parameters.zero_grad()
        loss.forward()
        loss.backward(1.0)
        return {"theta": parameters.grad.copy()}

    def objective() -> float:
        with layers.inference(loss):
            return float(loss.forward())

    return Probe("l2", {"theta": parameters.value}, objective, gradients, backend=backend)


def _gaussian_learned_probe(backend: Backend) -> Probe:
    """The loss has a parameter of its own: it is checked beside y."""
    loss, y, x = losses.GaussianLearned(0.3), _normal(2, B, F), _unit(3, B, F)
    probe, r = loss_probe("gaussian_learned", loss, backend, {"y": y}, [x]), loss.r

    def gradients() -> dict[str, Array]:
        r.grad.fill(0)
        return {**probe.gradients(), "r": r.grad.copy()}

    return Probe(probe.name, {**probe.tensors, "r": r.value}, probe.objective, gradients, backend=backend)


def _contraction_probe(names: tuple[str, ...], backend: Backend) -> Probe:
    """Weights and outputs of as many layers as there are names; the outputs need not be what the weights make of some x."""
    widths = (F, 5, 4, Z)[-len(names) - 1 :]
    loss = losses.Contraction(names)
    loss.bind(backend, np.dtype("float64"))
    W = on(backend, [_normal(20 + l, *pair) for l, pair in enumerate(itertools.pairwise(widths))])
    h = on(backend, [_unit(30 + l, B, n) for l, n in enumerate(widths[1:])])
    named = {f"W{l}": w for l, w in enumerate(W, 1)} | {f"h{l}": out for l, out in enumerate(h, 1)}

    def objective() -> float:
        with layers.inference(loss):
            return float(loss.forward(W, h))

    def gradients() -> dict[str, Array]:
        loss.forward(W, h)
        dW, dh = loss.backward()
        return dict(zip(named, (gradient.copy() for gradient in (*dW, *dh)), strict=True))

    moved = {name: tensor for name, tensor in named.items() if name != f"h{len(h)}" or names[-1] != "linear"}  # f' = 1 whatever h is
    return Probe("contraction", moved, objective, gradients, backend=backend)


# every form of every model: name -> (kind, options, step)
MODEL_FORMS: dict[str, tuple[str, dict[str, Any], int | None]] = {
    "ae": ("ae", {}, None),
    "ae.mean_squared_error": ("ae", {"reconstruction": "mean_squared_error", "code_activation": "leaky_relu"}, None),
    "ae.mean_bernoulli": ("ae", {"reconstruction": "mean_bernoulli", "code_activation": "relu", "activation": "tanh"}, None),
    "ae.bernoulli": ("ae", {"reconstruction": "bernoulli", "activation": "tanh"}, None),
    "ae.deep": ("ae", {"hidden": (6, 5), "activation": "elu", "output": "sigmoid", "dropout": 0.2}, None),
    "ae.relu": ("ae", {"activation": "relu", "code_activation": "relu", "initialiser": "pytorch"}, None),
    "vae": ("vae", {}, None),
    "vae.log_variance": ("vae", {"posterior": "log_variance", "beta": 0.7}, None),
    "vae.sigma": ("vae", {"posterior": "sigma", "activation": "elu", "dropout": 0.1}, None),
    "vae.bernoulli_probabilities": ("vae", {"reconstruction": "bernoulli_probabilities", "activation": "tanh"}, None),
    "vae.gaussian": ("vae", {"reconstruction": "gaussian", "eta": 0.2}, None),
    "vae.l2": ("vae", {"l2": 0.005}, None),
    "vae.kl_warmup": ("vae", {"kl_warmup": 10, "beta": 2.0}, 3),
    "vae.free_bits": ("vae", {"free_bits": 0.2}, None),
    "vae.keras": ("vae", {"kl": "keras", "noise_scale": 0.1, "activation": "relu", "beta": 0.6}, None),
    "vae.noise_scale": ("vae", {"noise_scale": 0.4, "posterior": "log_variance"}, None),
    "vae.adcme": (
        "vae",
        {"hidden": (6, 5), "activation": ("elu", "tanh"), "dropout": 0.1, "posterior": "sigma", "heads": "joint"}
        | {"reconstruction": "bernoulli_probabilities", "clip": 0.4, "kl_epsilon": 0.1},
        None,
    ),
    "wae": ("wae", {}, None),
    "wae.deterministic": ("wae", {"encoder": "deterministic", "bandwidth": "prior"}, None),
    "wae.imq": ("wae", {"kernel": "imq"}, None),
    "wae.median": ("wae", {"bandwidth": "median"}, None),
    "wae.number": ("wae", {"bandwidth": 3.0, "posterior": "log_variance"}, None),
    "wae.tolstikhin": ("wae", {"bandwidth": "tolstikhin", "stop_gradient": False}, None),
    "ae.gaussian_learned": ("ae", {"reconstruction": "gaussian_learned", "eta": 0.2}, None),
    "vae.gaussian_learned": ("vae", {"reconstruction": "gaussian_learned"}, None),
    "sparse": ("sparse", {"lambda_": 0.7}, None),
    "sparse.kl": ("sparse", {"penalty": "kl", "lambda_": 0.7, "activation": "tanh", "dropout": 0.2}, None),
    "denoising": ("denoising", {}, None),
    "denoising.clipped_gaussian": ("denoising", {"corruption": "clipped_gaussian", "reconstruction": "bernoulli"}, None),
    "denoising.masking": ("denoising", {"corruption": "masking", "dropout": 0.2}, None),
    "denoising.salt_and_pepper": ("denoising", {"corruption": "salt_and_pepper", "code_activation": "relu"}, None),
    "denoising-vae": ("denoising-vae", {"posterior": "log_variance"}, None),
    "denoising-vae.masking": ("denoising-vae", {"corruption": "masking", "beta": 0.7, "dropout": 0.2}, None),
    "contractive": ("contractive", {"lambda_": 0.7}, None),
    "contractive.deep": ("contractive", {"hidden": (6, 5), "activation": "softplus", "code_activation": "sigmoid", "lambda_": 0.7}, None),
    "contractive.shallow": ("contractive", {"hidden": (), "code_activation": "sigmoid", "lambda_": 0.7, "l2": 0.0}, None),
    "linear": ("linear", {}, None),
    "cvae": ("cvae", {"classes": C}, None),
    "cvae.warmup": ("cvae", {"classes": C, "hidden": (6, 5), "posterior": "sigma", "beta": 0.7, "kl_warmup": 10, "dropout": 0.2}, 3),
    "cvae.gaussian": ("cvae", {"classes": C, "hidden": (), "reconstruction": "gaussian", "eta": 0.2, "posterior": "log_variance"}, None),
    "cvae.free_bits": ("cvae", {"classes": C, "free_bits": 0.2, "l2": 0.005}, None),
    "cvae.keras": ("cvae", {"classes": C, "kl": "keras", "noise_scale": 0.1, "activation": "relu", "beta": 0.6}, None),
    "cvae.adcme": (
        "cvae",
        {"classes": C, "posterior": "sigma", "heads": "joint", "kl_epsilon": 0.1, "noise_scale": 0.6}
        | {"reconstruction": "bernoulli_probabilities", "clip": 0.4},
        None,
    ),
    "wae-gan": ("wae-gan", {"discriminator_hidden": (5, 4), "lambda_": 2.0}, None),
    "wae-gan.bernoulli": (
        "wae-gan",
        {"discriminator_hidden": (), "reconstruction": "bernoulli", "activation": "elu", "dropout": 0.2},
        None,
    ),
    "gan": ("gan", {"discriminator_hidden": (5, 4)}, None),
    "gan.plain": ("gan", {"discriminator_hidden": (), "label_smoothing": 0.0, "dropout": 0.0, "activation": "tanh"}, None),
    "paired": ("paired", {"target_features": 2 * C, "symbols": C}, None),
    "paired.deep": ("paired", {"target_features": 2 * C, "symbols": C, "hidden": (6, 5), "activation": "elu", "dropout": 0.2}, None),
    "paired.squared_error": ("paired", {"target_features": 2 * C, "reconstruction": "squared_error", "code_activation": "tanh"}, None),
    "paired.bernoulli": ("paired", {"target_features": 2 * C, "reconstruction": "bernoulli", "activation": "tanh"}, None),
    "infovae": ("infovae", {}, None),
    "infovae.flux": ("infovae", {"bandwidth": "flux", "alpha": -0.5, "lambda_": 4.0, "dropout": 0.2}, None),
    "em-vae": ("em-vae", {"inner_steps": 3}, None),
    "em-vae.gaussian": ("em-vae", {"inner_steps": 3, "reconstruction": "gaussian", "eta": 0.3, "activation": "tanh"}, None),
    "semi-amortised-vae": ("semi-amortised-vae", {"inner_steps": 3}, None),
    "iwae": ("iwae", {"samples": 3}, None),
    "iwae.log_variance": ("iwae", {"samples": 4, "posterior": "log_variance", "reconstruction": "gaussian", "eta": 0.3}, None),
    "iwae.dreg": ("iwae", {"samples": 3, "estimator": "dreg"}, None),
    "iwae.dreg.sigma": ("iwae", {"samples": 4, "estimator": "dreg", "posterior": "sigma", "activation": "tanh"}, None),
    "iwae.bernoulli_probabilities": ("iwae", {"samples": 3, "reconstruction": "bernoulli_probabilities"}, None),
    "infovae.imq": ("infovae", {"kernel": "imq", "alpha": 1.0, "lambda_": 5.0, "posterior": "sigma"}, None),
}


def _model(name: str) -> Subject:
    kind, options, step = MODEL_FORMS[name]

    def make(backend: Backend) -> Probe:
        model = MODELS[kind](F, **{"hidden": (5,), "latent": Z, "seed": 3, "dtype": "float64", "backend": backend.name, **options})
        model.parameters.value += backend.from_host(0.1 * _normal(10, len(model.parameters)))
        x = _unit(11, B, F)
        given = {"labels": (_labels(14),), "targets": (_targets(15),), None: ()}[model.companion]
        return model_probe(name, model, x, model.draw(5, 0, B), *given, step=step)

    return Subject(name, "model", MODELS[kind], make)


def subjects() -> list[Subject]:
    """All of them: layers, losses, models."""
    return [*_layers(), *_losses(), *(_model(name) for name in MODEL_FORMS)]


def chosen(name: str) -> list[Subject]:
    """`all`, a group (layers, losses, models), or everything that starts with a name: vae, mmd, mmd.rbf."""
    every = subjects()
    if name == "all":
        return every
    found = [one for one in every if name in (one.group, one.group + "s", "losses" if one.group == "loss" else "")]
    found = found or [one for one in every if one.name == name or one.name.startswith(name + ".")]
    if not found:
        names = {one.name.split(".")[0] for one in every} | {"all", "layers", "losses", "models"}
        raise InputError(f"'{name}' is nothing that is checked{nearest(name, names)}")
    return found
