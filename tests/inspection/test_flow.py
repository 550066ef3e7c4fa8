"""A step laid open says what the step computes and what Adam would do with it, and moves nothing."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from npae.inspection.activity import activity
from npae.inspection.flow import Flow, lay_open, update_ratios
from npae.inspection.reach import coming_rows, reach
from npae.layers import activation
from npae.models import MODELS
from npae.optim import Adam
from npae.training.loop import Trainer
from npae.training.repro import Step

ROWS, FEATURES = 24, 12


def trainer_of(kind: str, **settings: Any) -> Trainer:
    """A small training on 24 rows, four batches of 6 an epoch."""
    cls: Any = MODELS[kind]
    sizes: dict[str | None, dict[str, Any]] = {
        "labels": {"classes": 3},
        "targets": {"target_features": 5, "reconstruction": "squared_error"},
        None: {},
    }
    model = cls(FEATURES, (7,), 3, backend="numpy", seed=1, **sizes[cls.companion], **settings)
    rng = np.random.default_rng(0)
    y = {"labels": np.arange(ROWS) % 3, "targets": rng.random((ROWS, 5)), None: None}[cls.companion]
    x = rng.random((ROWS, FEATURES)).astype(np.float32)
    return Trainer(model, Adam(model.parameters, 1e-2), x, epochs=3, batch_size=6, y=y)


def opened(trainer: Trainer, repeats: int = 0) -> Flow:
    """The next step, laid open."""
    return lay_open(Step.of(trainer, coming_rows(trainer), ""), repeats=repeats)


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_can_be_laid_open_and_is_left_as_it_was(kind: str) -> None:
    trainer = trainer_of(kind)
    reach(trainer, 2)
    model, adam = trainer.model, trainer.optimizer
    before = [array.copy() for array in (model.parameters.value, adam.m, adam.v)]
    flow = opened(trainer, repeats=1)
    for array, kept in zip((model.parameters.value, adam.m, adam.v), before, strict=True):
        np.testing.assert_array_equal(array, kept)
    assert adam.steps == 2
    assert flow.about["step"] == 3
    assert all(node.bytes > 0 and node.seconds_forward is not None for node in flow.nodes)
    x, given = trainer.inputs(coming_rows(trainer))
    terms = model.forward_backward(x, model.draw(0, 2, len(x)), 2, None, *given)
    assert sum(value * weight for value, weight in flow.terms.values()) == pytest.approx(terms.total, rel=1e-5)
    for name in model.parameters.names():
        if "." in name:
            node, _, of = name.rpartition(".")
            np.testing.assert_array_equal(flow.arrays[f"{node}.d{of}"], model.parameters[name].grad)


def test_the_update_is_what_adam_does() -> None:
    trainer = trainer_of("ae")
    reach(trainer, 3)
    x, _ = trainer.inputs(coming_rows(trainer))
    model = trainer.model
    model.forward_backward(x, model.draw(0, 3, 6), 3, None)
    ratios = update_ratios(trainer.optimizer)
    before = model.parameters["encoder.0.W"].value.copy()
    trainer.optimizer.update()
    moved = np.linalg.norm(model.parameters["encoder.0.W"].value - before)
    assert ratios["encoder.0.W"] == pytest.approx(moved / np.linalg.norm(before), rel=1e-5)


def test_a_bias_of_zeros_has_no_update_ratio() -> None:
    (first, *_) = opened(trainer_of("ae")).nodes
    assert first.update["b"] is None
    assert first.update["W"] is not None


def test_products_are_counted_and_the_first_layer_has_no_dx() -> None:
    nodes = {node.node: node for node in opened(trainer_of("ae")).nodes}
    product = 2 * 6 * FEATURES * 7
    assert (nodes["encoder.0"].flops_forward, nodes["encoder.0"].flops_backward) == (product + 42, product + 42)
    product = 2 * 6 * 3 * 7
    assert (nodes["decoder.0"].flops_forward, nodes["decoder.0"].flops_backward) == (product + 42, 2 * product + 42)


def test_the_gradient_of_a_node_is_that_of_the_loss_with_respect_to_its_output() -> None:
    trainer = trainer_of("ae", dtype="float64", activation="tanh")
    flow = opened(trainer)
    model, x = trainer.model, trainer.inputs(coming_rows(trainer))[0]
    for i, j in ((0, 0), (3, 5)):
        h = 1e-5
        values = []
        for sign in (1, -1):
            y = flow.arrays["encoder.0.y"].copy()
            y[i, j] += sign * h
            z = np.tanh(y) @ model.parameters["encoder.2.W"].value + model.parameters["encoder.2.b"].value
            decoded = model.decode(z)
            values.append(((decoded - x) ** 2).sum() / len(x))
        assert flow.arrays["encoder.0.dy"][i, j] == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("name", ["leaky_relu", "relu", "sigmoid", "tanh", "elu", "softplus"])
def test_idle_values_are_those_whose_slope_is_at_most_a_hundredth_of_the_largest(name: str) -> None:
    (node,) = activation(name)
    x = np.linspace(-9, 9, 721).reshape(-1, 1) + 1e-3
    model = trainer_of("ae", dtype="float64").model
    node.bind(model.backend, model.dtype)
    y = node.forward(x).copy()
    slope = node.backward(np.ones_like(x))
    found = activity(node, y)
    assert found is not None
    assert found[0] == pytest.approx(float((slope <= 0.01).mean() if name != "sigmoid" else (slope <= 0.0025).mean()), abs=2 / 721)
    assert found[1] == 0


def test_a_unit_that_is_zero_for_every_row_is_dead() -> None:
    trainer = trainer_of("ae", activation="relu")
    trainer.model.parameters["encoder.0.b"].value[:] = 100
    trainer.model.parameters["encoder.0.b"].value[[1, 4]] = -100
    nodes = {node.node: node for node in opened(trainer).nodes}
    assert nodes["encoder.1"].dead == pytest.approx(2 / 7)
    assert (nodes["encoder.0"].dead, nodes["encoder.0"].idle) == (None, None)


def test_a_step_that_is_not_finite_is_laid_open_as_far_as_it_goes() -> None:
    trainer = trainer_of("vae")
    trainer.model.parameters["decoder.0.W"].value[0, 0] = np.nan
    flow = opened(trainer, repeats=2)
    assert flow.trace.first is not None
    assert flow.as_dict()["first_not_finite"].startswith("decoder.0 (Dense): W[0, 0] is nan")
    assert all(node.seconds_forward is None for node in flow.nodes)


@pytest.mark.parametrize("steps", [1, 4, 5, 8])
def test_reaching_a_step_gives_the_weights_that_training_has_there(steps: int) -> None:
    trainer, other = trainer_of("vae"), trainer_of("vae")
    reach(trainer, steps)
    for _ in range(steps):
        rows = coming_rows(other)
        other.take_step(*(lambda inputs: (inputs[0], *inputs[1]))(other.inputs(rows)))
        other.batch += 1
    np.testing.assert_array_equal(trainer.model.parameters.value, other.model.parameters.value)
    np.testing.assert_array_equal(coming_rows(trainer), coming_rows(other))
    assert trainer.epoch == other.epoch


def test_every_number_of_a_node_is_that_of_its_arrays() -> None:
    """Worked out again from the arrays, in plain sums; none of them may be 0 or another node's."""
    trainer = trainer_of("vae", activation="tanh")
    flow = opened(trainer)
    for node in flow.nodes:
        for label in ("y", "dy"):
            array = flow.arrays.get(f"{node.node}.{label}")
            if array is None or not array.ndim:
                continue
            values = [float(value) for value in array.reshape(-1)]
            mean = sum(values) / len(values)
            std = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
            found = [getattr(node, f"{label}_{what}") for what in ("mean", "std", "min", "max", "norm")]
            wanted = [mean, std, min(values), max(values), sum(value**2 for value in values) ** 0.5]
            assert found == pytest.approx(wanted, rel=1e-5, abs=1e-12), (node.node, label)
            assert found[-1] > 0
        gradients = [flow.arrays[f"{node.node}.d{of}"] for of in node.update]
        if gradients:
            assert node.gradient_norm == pytest.approx(sum(float((g.astype(float) ** 2).sum()) for g in gradients) ** 0.5, rel=1e-6)
            assert (node.gradient_norm or 0) > 0
    dense = {node.node: node for node in flow.nodes}["decoder.0"]
    x, y = 6 * 3, 6 * 7
    assert dense.bytes == 4 * (2 * y + x + 2 * (3 * 7 + 7))  # y and dy, dx, W b dW db
    mmd = {node.node: node for node in opened(trainer_of("wae")).nodes}["mmd"]
    assert mmd.flops_forward == (2 * 6 * 6 - 6) * (3 * 3 + 1) + (3 * 6 * 6 - 6) * 3


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_the_time_of_a_node_is_its_own(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, seconds = trainer_of("ae", activation="tanh"), 0.02
    slow = trainer.model.decoder.layers[1]
    own = getattr(type(slow), way)

    def sleeping(self: Any, *arguments: Any) -> Any:
        if self is slow:
            time.sleep(seconds)
        return own(self, *arguments)

    monkeypatch.setattr(type(slow), way, sleeping)
    nodes = {node.node: node for node in opened(trainer, repeats=3).nodes}
    assert getattr(nodes["decoder.1"], f"seconds_{way}") >= seconds
    assert all((node.seconds_forward or 0) > 0 and (node.seconds_backward or 0) > 0 for node in nodes.values())
