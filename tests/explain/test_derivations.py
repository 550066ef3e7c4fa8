"""Nothing that npae exports escapes an explanation, and no derivation says another number than the code."""

from __future__ import annotations

import dataclasses

import pytest

from npae import layers
from npae.errors import InputError
from npae.explain import catalogue
from npae.explain.derivation import Derivation, follow, step
from npae.explain.explanation import ROUNDING, explain
from npae.explain.mathematics import mathml, plain
from npae.explain.sources import document, kernels_of, sides
from npae.kernels.registry import KERNELS
from npae.layers import Node
from npae.models import MODELS
from npae.presets import preset_names

NAMES = [name for names in catalogue.registered().values() for name in names]
WITHOUT_OBJECTIVE = {"Adam", "adam", "pairwise_squared", "relabelled_sums", "distance_order_statistic", "locate_distance", "matmul"} | {
    name for name in KERNELS if name.startswith("philox") or name in ("affine", "heads", "reparameterise")
}


def test_everything_registered_has_a_derivation_and_nothing_else_has() -> None:
    assert sorted(catalogue.derivations()) == sorted(NAMES)
    assert {"Dense", "Bandwidth", "Adam", "vae", "mmd_rbf"} <= set(NAMES)


def test_a_layer_without_a_derivation_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgotten(Node):
        """A layer whose author derived nothing."""

    monkeypatch.setattr(layers, "Forgotten", Forgotten, raising=False)
    monkeypatch.setattr(layers, "__all__", [*layers.__all__, "Forgotten"])
    assert [name for name in catalogue.registered()["layers"] if name not in catalogue.derivations()] == ["Forgotten"]


@pytest.mark.parametrize("name", NAMES)
def test_formulas_give_every_number_that_the_code_gives_and_differences_its_gradients(name: str) -> None:
    followed = follow(catalogue.derivations()[name])
    assert set(followed.worked.results) <= set(followed.by_formula), "a result that no step derives"
    assert max(followed.held_to_the_code.values()) <= ROUNDING, followed.held_to_the_code
    report = followed.worked.differences
    assert (report is None) == (name in WITHOUT_OBJECTIVE)
    assert report is None or report.passed, str(report)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_small_enough_to_follow_by_hand(name: str) -> None:
    worked = follow(catalogue.derivations()[name]).worked
    for value in (*worked.given.values(), *worked.results.values()):
        assert getattr(value, "size", 1) <= 10


@pytest.mark.parametrize("name", NAMES)
def test_a_derivation_goes_in_steps_with_words_and_formulas_that_both_faces_can_show(name: str) -> None:
    steps = catalogue.derivations()[name].steps
    assert len(steps) >= 2
    assert sum(bool(one.formula) for one in steps) >= 2
    for one in steps:
        assert one.words or one.formula
        if one.formula:
            assert mathml(one.formula).startswith("<math")
            assert not set("\\{}&") & set(plain(one.formula).replace("{(i, j) : ", "").replace("value}", "")), plain(one.formula)


@pytest.mark.parametrize("name", NAMES)
def test_the_file_says_its_source_and_both_sides_are_shown(name: str) -> None:
    of = catalogue.derivations()[name].of
    assert "ource" in document(of)
    assert all(side.text.startswith(("def ", "@") if side.language == "python" else "//") for side in sides(of))


def test_sources_are_read_from_where_they_stand() -> None:
    forward, backward = sides(layers.Dense)
    assert 'kernel("affine")' in forward.text
    assert "dy, self.W.value.T" in backward.text
    assert forward.place.startswith("npae/layers/dense.py:")
    reference, compiled, launcher, cuda = sides("mmd_rbf")
    assert [side.title for side in (reference, compiled, launcher, cuda)] == ["reference", "cpu", "gpu", "cuda"]
    assert reference.place.startswith("npae/kernels/mmd/reference.py:")
    assert compiled.text.splitlines()[0].startswith(("@", "def"))
    assert launcher.place.startswith("npae/kernels/mmd/gpu.py:")
    assert cuda.place == "npae/kernels/mmd/mmd.cu:1"


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_shows_what_a_gpu_runs(name: str) -> None:
    of_gpu = [side.text for side in sides(name) if side.language == "cuda"]
    assert any('extern "C" __global__' in text for text in of_gpu)
    assert "def " in next(side.text for side in sides(name) if side.title == "gpu")


def test_a_loss_says_which_kernels_it_calls() -> None:
    of = {name: derivation.of for name, derivation in catalogue.derivations().items()}
    assert kernels_of(of["RBFMMD"]) == ["mmd_rbf"]
    assert kernels_of(of["GaussianKL"]) == ["gaussian_kl_log_std", "gaussian_kl_log_variance", "gaussian_kl_sigma"]
    assert kernels_of(of["Dense"]) == ["affine", "affine_weight_gradient"]
    assert kernels_of("adam") == []


def _with_wrong_sign(derivation: Derivation) -> Derivation:
    wrong = step("A slip.", r"dW = -x^\top dy", dW=lambda v: -v.x.T @ v.dy)
    return dataclasses.replace(derivation, steps=(*(one for one in derivation.steps if "dW" not in one.numbers), wrong))


def test_a_wrong_formula_does_not_hold() -> None:
    dense = catalogue.find("Dense")
    assert explain(dense, [], "").holds
    wrong = explain(_with_wrong_sign(dense), [], "")
    assert not wrong.holds
    assert wrong.followed.held_to_the_code["dW"] > 1


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("dense", "Dense"),
        ("leaky_relu", "LeakyReLU"),
        ("adam", "adam"),
        ("Adam", "Adam"),
        ("VAE", "vae"),
        ("squared_error", "squared_error"),
    ],
)
def test_names_are_found_whatever_their_capitals(said: str, meant: str) -> None:
    assert catalogue.find(said).name == meant


def test_a_preset_is_explained_by_its_model() -> None:
    assert catalogue.find("flux-wae").name == "wae"
    assert all(catalogue.find(name).name in MODELS for name in preset_names())


@pytest.mark.parametrize(("said", "meant"), [("Denze", "Dense"), ("sigmod", "Sigmoid"), ("flux-vea", "flux-vae"), ("rbf-mdm", "RBFMMD")])
def test_an_unknown_name_is_refused_with_the_nearest(said: str, meant: str) -> None:
    with pytest.raises(InputError, match=rf"'{said}' is nothing that can be explained; did you mean '{meant}'\?"):
        catalogue.find(said)
