"""What is looked at of a training on the device is what is looked at of the same training on a CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from npae.backend import backend
from npae.inspection.audit import audit
from npae.inspection.batches import coming_batches
from npae.inspection.flow import lay_open
from npae.inspection.gradcheck import check, gradcheck
from npae.inspection.influence import influence
from npae.inspection.per_sample import row_gradients
from npae.inspection.reach import coming_rows, reach
from npae.inspection.subjects import chosen
from npae.inspection.trace import trace_step
from npae.kernels.cuda.device import Device
from npae.models import MODELS, Model
from npae.optim import Adam
from npae.training.configuration import resolve
from npae.training.loop import Trainer
from npae.training.repro import Step, read_step, write_step

F, N, B = 6, 18, 6
FORMS: dict[str, dict[str, Any]] = {
    "ae": {},
    "vae": {"dropout": 0.2, "l2": 0.01, "beta": 0.7},
    "wae": {},
    "cvae": {"classes": 3},
    "iwae": {"samples": 3},
    "gan": {},
}
WITH_ROWS = [kind for kind in FORMS if kind != "gan"]  # a game has no one gradient of a row


def opened(kind: str, computing: str, steps: int = 2) -> Trainer:
    """A training after two steps of three in an epoch, each by itself: a node is not listened to in a graph."""
    rng = np.random.default_rng(0)
    x, y = rng.random((N, F)), rng.integers(0, 3, N) if MODELS[kind].companion else None
    model = MODELS[kind](F, hidden=(5,), latent=3, seed=1, dtype="float64", backend=computing, **FORMS[kind])
    trainer = Trainer(model, Adam(model.parameters, 1e-2), x, 3, B, 0, y=y, step="ordinary")
    reach(trainer, steps)
    return trainer


def on_both(kind: str, steps: int = 2) -> tuple[Trainer, Trainer]:
    """The training on the device and its reference."""
    return opened(kind, "cupy", steps), opened(kind, "numpy", steps)


def step_of(trainer: Trainer) -> Step:
    return Step.of(trainer, coming_rows(trainer), "")


@pytest.mark.parametrize("kind", FORMS)
def test_a_step_laid_open_has_the_same_tensors_and_moves_nothing(gpu: Device, kind: str) -> None:
    ours, theirs = on_both(kind)
    before = ours.model.backend.to_host(ours.model.parameters.value).copy()
    found, wanted = lay_open(step_of(ours), repeats=1), lay_open(step_of(theirs), repeats=1)
    assert [(row.node, row.tensor, row.shape) for row in found.trace.rows] == [(r.node, r.tensor, r.shape) for r in wanted.trace.rows]
    for row, other in zip(found.trace.rows, wanted.trace.rows, strict=True):
        assert (row.mean, row.std, row.min, row.max) == pytest.approx((other.mean, other.std, other.min, other.max), rel=1e-9, abs=1e-12)
    for node, of_reference in zip(found.nodes, wanted.nodes, strict=True):
        assert node.update == pytest.approx(of_reference.update, rel=1e-6, abs=1e-12)
        assert (node.idle, node.dead, node.bytes) == (of_reference.idle, of_reference.dead, of_reference.bytes)
        assert node.seconds_forward is not None
    assert ours.model.backend.to_host(ours.model.parameters.value).tobytes() == before.tobytes()
    assert found.about["backend"] == "cupy"


def test_the_first_value_that_is_not_finite_is_named_as_on_a_cpu(gpu: Device) -> None:
    places = []
    for trainer in on_both("vae"):
        trainer.model.parameters["encoder.0.W"].value[2, 3] = np.inf
        step = step_of(trainer)
        found = trace_step(trainer.model, step.x, trainer.model.draw(0, 2, B), 2, step.given)
        assert found.first is not None
        places.append((found.first.place, found.first.rows))
    assert places[0] == places[1] == ("encoder.0 (Dense): W[2, 3] is inf", ())


@pytest.mark.parametrize("kind", WITH_ROWS)
def test_the_norms_of_the_rows_gradients_are_the_same(gpu: Device, kind: str) -> None:
    norms = []
    for trainer in on_both(kind):
        model, (batch, *_) = coming_batches(trainer, 1)
        norms.append(row_gradients(model, batch).norms)
    np.testing.assert_allclose(norms[0], norms[1], rtol=1e-9)


def test_the_same_rows_pull_hardest(gpu: Device) -> None:
    ours, theirs = (influence(trainer, N) for trainer in on_both("wae", steps=3))
    np.testing.assert_array_equal(ours.rows, theirs.rows)
    assert ours.by_parameter == pytest.approx(theirs.by_parameter, rel=1e-9)
    assert (ours.scale.trace, ours.scale.signal) == pytest.approx((theirs.scale.trace, theirs.scale.signal), rel=1e-9)


@pytest.mark.parametrize("kind", FORMS)
def test_an_audit_finds_the_same(gpu: Device, kind: str) -> None:
    flags = {"hidden": [5], "latent": 3, **{key: value for key, value in FORMS[kind].items() if key != "classes"}}
    ours, theirs = (audit(trainer, resolve(kind, flags={**flags, "backend": trainer.model.backend.name})) for trainer in on_both(kind))
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-9)
    assert [(one.state, one.what) for one in ours.findings] == [(one.state, one.what) for one in theirs.findings]
    assert {knob.key: knob.slope for knob in ours.knobs} == pytest.approx({knob.key: knob.slope for knob in theirs.knobs}, rel=1e-5)
    pulls = [{knob.key: knob.pull for knob in found.knobs if knob.pull is not None} for found in (ours, theirs)]
    assert pulls[0] == pytest.approx(pulls[1], rel=1e-3)
    assert ours.bound == theirs.bound


@pytest.mark.parametrize("name", ["dense", "kl.log_std", "mmd.rbf.prior", "ae.relu"])
def test_gradients_are_checked_against_differences_on_the_device(gpu: Device, name: str) -> None:
    (subject,) = [one for one in chosen(name) if one.name == name]
    report = check(subject.make(backend("cupy")), entries=10)
    assert report.passed, str(report)


def test_a_model_that_trains_on_the_device_is_checked_there(gpu: Device) -> None:
    model = opened("vae", "cupy").model
    assert isinstance(model, Model)
    assert gradcheck(model, np.random.default_rng(2).random((4, F)), entries=3).passed


def test_a_step_that_was_stored_comes_back_on_either(gpu: Device, tmp_path: Any) -> None:
    ours, _ = on_both("vae")
    path = write_step(tmp_path / "step.safetensors", step_of(ours))
    terms = []
    for computing in ("cupy", "numpy"):
        again = read_step(path, backend=computing)
        assert again.model.backend.name == computing
        terms.append(dict(lay_open(again, repeats=0).terms))
    assert set(terms[0]) == set(terms[1])
    for name, (value, weight) in terms[0].items():
        assert (value, weight) == pytest.approx(terms[1][name], rel=1e-9)
