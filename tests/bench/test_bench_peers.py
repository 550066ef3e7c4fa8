"""What the peers build: every preset as plain data, and programs that are not npae's and agree with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import catalogue
from bench.catalogue import DEFAULT, NETWORKS, note, settings_of
from bench.describe import NotDescribed, describe
from bench.network import from_plain
from bench.peers import sklearn_cannot
from bench.problem import make_model, read, write_model
from bench.step import check
from npae.models import MODELS
from npae.presets import preset_names

EVERY = sorted({*preset_names(), *NETWORKS})


def described(name: str, **flags: Any) -> Any:
    """The network of that name, or of a model with those settings."""
    settings = settings_of(name, "numpy")
    if flags:
        settings.values.update(flags)
    return describe(*make_model(settings, {}), int(settings["batch_size"]))


def agreement(peer: Callable[[], Any], folder: Path, model: str, monkeypatch: pytest.MonkeyPatch, dtype: str = "float32") -> float:
    """The peer's largest difference from the truth, in this process."""
    written = write_model(folder, model, 20, dtype)
    monkeypatch.setattr(sys, "argv", ["a peer", str(folder), model])
    return check(peer.__name__, model, peer().agree(), written.truth)


@pytest.mark.parametrize("model", EVERY)
def test_a_network_survives_json(model: str) -> None:
    network = described(model)
    assert from_plain(json.loads(json.dumps(network.plain()))) == network


def test_a_network_is_read_layer_by_layer() -> None:
    network = described("adcme-vae")
    assert [(layer.name, layer.inputs, layer.outputs, layer.activation, layer.dropout) for layer in network.encoder] == [
        ("encoder.0", 784, 500, "elu", 0.1),
        ("encoder.3", 500, 500, "tanh", 0.1),
    ]
    assert [(head.outputs, head.activation, head.parameter) for head in network.heads] == [(20, "linear", 0.0), (20, "softplus", 1e-6)]
    assert network.decoder[-1].activation == "sigmoid"
    assert (network.likelihood.name, network.kl[0].form, network.kl[0].epsilon) == ("bernoulli_probabilities", "sigma", 1e-8)
    assert network.adam.placement == "uncorrected"


def test_a_wae_says_which_distances_are_its_bandwidth() -> None:
    mmd = described("flux-wae").mmd
    assert mmd is not None
    assert (mmd.weight, mmd.sigma2, mmd.ranks) == (10.0, None, (4949, 4949))


@pytest.mark.parametrize("model", EVERY)
def test_naive_numpy_agrees_on_every_preset(model: str, small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.naive_step import NaiveStep

    assert agreement(NaiveStep, small_problem, model, monkeypatch) < 1e-6


@pytest.mark.parametrize("model", ["flux-wae", "adcme-vae"])
def test_in_float64_everybody_is_far_closer(model: str, small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.naive_step import NaiveStep

    assert agreement(NaiveStep, small_problem, model, monkeypatch, "float64") < 1e-11


def test_a_peer_can_tell_a_wrong_problem(small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.errors import Disagreement
    from bench.naive_step import NaiveStep

    class WithoutDecay(NaiveStep):
        def decayed(self, terms: dict[str, float], total: float) -> dict[str, float]:
            return terms | {"total": total}

    with pytest.raises(Disagreement, match="WithoutDecay disagrees on flux-vae: "):
        agreement(WithoutDecay, small_problem, "flux-vae", monkeypatch)


@pytest.mark.parametrize("model", ["flux-vae", "flux-wae", "keras-vae", "adcme-vae"])
def test_torch_agrees_and_then_steps(model: str, small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="needs torch: pip install -e '.[bench]'")
    from bench.torch_step import TorchStep

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert agreement(TorchStep, small_problem, model, monkeypatch) < 1e-6
    assert TorchStep().steps(2)["steps"] == 2


@pytest.mark.parametrize("model", ["flux-wae", "adcme-vae"])
def test_jax_agrees(model: str, small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax", reason="needs jax: pip install -e '.[bench]'")
    from bench.jax_step import JaxStep

    assert agreement(JaxStep, small_problem, model, monkeypatch) < 1e-5  # its distances go through a product that rounds: MMD^2 is small


def test_jax_takes_a_hundred_steps_a_call(small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax", reason="needs jax: pip install -e '.[bench]'")
    from bench.jax_step import JaxStep

    written = write_model(small_problem, "relu-ae", 20)
    monkeypatch.setattr(sys, "argv", ["a peer", str(small_problem), "relu-ae"])
    taken = JaxStep().steps(1)
    assert taken["steps"] == 100
    assert taken["loss"] < written.truth["later"]


def test_scikit_learn_takes_the_problems_steps(small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.sklearn_step import SklearnStep

    assert agreement(SklearnStep, small_problem, "relu-ae", monkeypatch) < 1e-6


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("flux-ae", "MLPRegressor's hidden layers cannot be leaky_relu"),
        ("flux-vae", "MLPRegressor has no random code and no term beside the reconstruction"),
        ("torch-ae", "MLPRegressor's output has no sigmoid"),
        ("keras-ae", "MLPRegressor has no bernoulli_logits"),
        ("relu-ae", ""),
    ],
)
def test_scikit_learn_says_what_it_cannot_express(model: str, reason: str) -> None:
    assert sklearn_cannot(described(model)) == reason


def test_a_network_that_is_registered_is_benched_with_no_new_code(small_problem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.naive_step import NaiveStep

    newcomer = {"hidden": [30, 20], "latent": 5, "activation": ["elu", "relu"], "posterior": "log_variance", "dropout": 0.2}
    monkeypatch.setitem(catalogue.NETWORKS, "newcomer", ("vae", {**newcomer, "reconstruction": "gaussian", "eta": 0.1}))
    assert agreement(NaiveStep, small_problem, "newcomer", monkeypatch) < 1e-6


@pytest.mark.parametrize("kind", sorted(set(MODELS) - {"ae", "linear", "vae", "wae"}))
def test_another_objective_is_never_taken_for_one_that_the_peers_know(
    kind: str, small_problem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalogue.NETWORKS, "another", (kind, {}))
    try:
        written = write_model(small_problem, "another", 20)
    except NotDescribed as reason:
        assert "its rows come with" in str(reason)  # noqa: PT017
    else:
        assert written.network is None
        assert written.cannot["peers"]
        assert read(small_problem, "another").description is None


@pytest.mark.parametrize(
    ("model", "flags", "reason"),
    [
        ("flux-vae", {"free_bits": 0.5}, "free_bits 0.5"),
        ("flux-vae", {"kl_warmup": 10}, "kl_warmup 10"),
        ("flux-wae", {"kernel": "imq"}, "the kernel imq"),
        ("flux-wae", {"bandwidth": "median"}, "the bandwidth median"),
        ("flux-wae", {"stop_gradient": False}, "stop_gradient false"),
        ("flux-ae", {"reconstruction": "gaussian_learned"}, "the loss GaussianLearned"),
        ("flux-ae", {"clip_norm": 1.0}, "an Adam whose gradient is clipped or whose learning rate changes"),
    ],
)
def test_a_term_that_the_peers_do_not_know_is_named(model: str, flags: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotDescribed, match=reason):
        described(model, **flags)


def test_a_clip_that_float32_loses_gives_way_and_is_noted() -> None:
    assert settings_of("adcme-vae", "numpy", "float32")["clip"] == 1e-7
    assert settings_of("adcme-vae", "numpy", "float64")["clip"] == 1e-8
    assert note("adcme-vae", "float32") == "clip 1e-07, since float32 rounds 1 - 1e-08 to 1"
    assert note("adcme-vae", "float64") == note("flux-vae", "float32") == ""


def test_what_is_measured_by_default_is_known() -> None:
    assert set(DEFAULT) <= set(catalogue.known())
