"""Nothing that npae exports escapes the gradient check: a layer, loss, model or named option without a subject fails here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import pytest

from npae import layers, losses
from npae.corruption import CORRUPTIONS
from npae.errors import InputError
from npae.inspection.subjects import MODEL_FORMS, Subject, chosen, subjects
from npae.layers import FORMS, Node
from npae.layers.activations import ACTIVATIONS
from npae.losses import RECONSTRUCTIONS
from npae.losses.bandwidth import RULES
from npae.losses.mmd import KERNELS
from npae.losses.sparsity import PENALTIES
from npae.losses.squared_error import REDUCTIONS
from npae.models import AE, MODELS
from npae.models.wae import ENCODERS


def exported(module: ModuleType) -> Iterator[type[Node]]:
    """The nodes that a package exports."""
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type) and issubclass(value, Node) and value is not Node:
            yield value


def unchecked(nodes: Iterable[type[Node]], checked: Iterable[Subject]) -> list[str]:
    """The nodes that no subject covers, by name."""
    covered = {subject.covers for subject in checked}
    return sorted(node.__name__ for node in nodes if node not in covered)


def _options(kind: str, option: str) -> set[Any]:
    """Every value that the checked forms of a model give to an option, defaults included."""
    forms = [options for of, options, _ in MODEL_FORMS.values() if of == kind]
    specs = [MODELS[kind](6, backend="numpy", **options).spec for options in forms]
    return {spec[option] for spec in specs if option in spec}


def _names(prefix: str) -> set[str]:
    """What follows a prefix in the subjects' names."""
    return {subject.name.removeprefix(prefix).split(".")[0] for subject in subjects() if subject.name.startswith(prefix)}


@pytest.mark.parametrize("package", [layers, losses], ids=["layers", "losses"])
def test_every_exported_node_has_a_subject(package: ModuleType) -> None:
    nodes = list(exported(package))
    assert nodes
    assert unchecked(nodes, subjects()) == []


def test_every_model_has_a_subject() -> None:
    assert unchecked(MODELS.values(), subjects()) == []


def test_a_node_without_a_subject_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgotten(Node):
        """A layer whose author wrote no subject."""

    monkeypatch.setattr(layers, "Forgotten", Forgotten, raising=False)
    monkeypatch.setattr(layers, "__all__", [*layers.__all__, "Forgotten"])
    assert unchecked(exported(layers), subjects()) == ["Forgotten"]


def test_a_model_without_a_subject_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unregistered(AE):
        """A model whose author wrote no subject."""

        kind = "unregistered"

    monkeypatch.setitem(MODELS, "unregistered", Unregistered)
    assert unchecked(MODELS.values(), subjects()) == ["Unregistered"]


def test_every_subject_of_a_group_is_of_that_group() -> None:
    packages: dict[str, set[type]] = {"layer": set(exported(layers)), "loss": set(exported(losses)), "model": set(MODELS.values())}
    for subject in subjects():
        assert subject.covers in packages[subject.group], subject.name


def test_every_activation_is_checked_by_itself() -> None:
    assert set(ACTIVATIONS) - {"linear"} <= {subject.name for subject in subjects() if subject.group == "layer"}


def test_every_form_of_a_posterior_is_checked_in_drawing_in_the_divergence_and_in_a_model() -> None:
    assert _names("reparameterise.") == set(FORMS)
    assert _names("kl.") == set(FORMS)
    assert _options("vae", "posterior") == set(FORMS)


def test_every_reconstruction_is_checked_in_a_model() -> None:
    assert set().union(*(_options(kind, "reconstruction") for kind in MODELS)) == set(RECONSTRUCTIONS)


def test_every_reduction_of_the_squared_error_is_checked() -> None:
    assert _names("squared_error.") == set(REDUCTIONS)


def test_every_bandwidth_rule_is_checked_and_those_with_a_gradient_both_stopped_and_flowing() -> None:
    names = {subject.name for subject in subjects()}
    for rule in RULES:
        assert f"mmd.rbf.{rule}" in names
        if losses.Bandwidth(rule).depends_on_z:
            assert f"mmd.rbf.{rule}.through_bandwidth" in names
    assert _options("wae", "bandwidth") >= set(RULES)
    assert any(isinstance(bandwidth, float) for bandwidth in _options("wae", "bandwidth"))
    assert _options("wae", "stop_gradient") == {True, False}


def test_every_mmd_kernel_and_every_encoder_of_the_wae_is_checked() -> None:
    assert _names("mmd.") == set(KERNELS)
    assert _options("wae", "kernel") == set(KERNELS)
    assert _options("wae", "encoder") == set(ENCODERS)


def test_every_penalty_and_every_corruption_is_checked_in_a_model() -> None:
    assert _options("sparse", "penalty") == set(PENALTIES)
    assert _options("denoising", "corruption") == set(CORRUPTIONS)
    assert _options("infovae", "kernel") == set(KERNELS)


@pytest.mark.parametrize("option", ["free_bits", "l2", "kl_warmup", "dropout", "beta"])
def test_every_optional_term_of_the_vae_is_checked_on_and_off(option: str) -> None:
    values = _options("vae", option)
    assert len(values) >= 2
    assert MODELS["vae"](6, backend="numpy").spec[option] in values


def test_subjects_are_chosen_by_group_by_name_and_by_the_beginning_of_a_name() -> None:
    groups = [*chosen("layers"), *chosen("losses"), *chosen("models")]
    assert [subject.name for subject in chosen("all")] == [subject.name for subject in groups]
    assert {subject.group for subject in chosen("layers")} == {"layer"}
    assert {subject.group for subject in chosen("loss")} == {subject.group for subject in chosen("losses")} == {"loss"}
    assert [subject.name for subject in chosen("dense")] == ["dense"]
    assert {subject.name for subject in chosen("vae")} == {name for name in MODEL_FORMS if name.split(".")[0] == "vae"}
    assert len(chosen("mmd.rbf")) == len(chosen("mmd")) - 1


def test_a_name_that_is_no_subject_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"'vea' is nothing that is checked; did you mean 'vae'\?"):
        chosen("vea")
