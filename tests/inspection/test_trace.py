"""A step laid open shows what the step computes, names where it ceases to be finite, and leaves the model as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.inspection.hooks import nodes_of
from npae.inspection.trace import Trace, trace_step
from npae.models import MODELS, Model

ROWS, FEATURES = 6, 12


def made(kind: str, **settings: Any) -> tuple[Model, Array, tuple[Array, ...]]:
    """A small model, rows, and what they come with."""
    cls: Any = MODELS[kind]
    every: dict[str | None, dict[str, Any]] = {
        "labels": {"classes": 3},
        "targets": {"target_features": 5, "reconstruction": "squared_error"},
        None: {},
    }
    model = cls(FEATURES, (7,), 3, backend="numpy", seed=1, **every[cls.companion], **settings)
    rng = np.random.default_rng(0)
    y = {"labels": np.arange(ROWS) % 3, "targets": rng.random((ROWS, 5)), None: None}[cls.companion]
    return model, rng.random((ROWS, FEATURES)).astype(np.float32), model.check_companion(y, ROWS)


def of(trace: Trace, node: str, tensor: str) -> Any:
    """The row of that tensor."""
    (row,) = (row for row in trace.rows if (row.node, row.tensor) == (node, tensor))
    return row


@pytest.mark.parametrize("kind", MODELS)
def test_the_step_of_every_model_is_laid_open_and_gives_its_own_gradient(kind: str) -> None:
    model, x, given = made(kind)
    noise = model.draw(0, 3, ROWS)
    trace = trace_step(model, x, noise, 3, given)
    gradient = model.parameters.grad.copy()
    assert trace.first is None
    assert trace.refusal is None
    model.forward_backward(x, noise, 3, None, *given)
    np.testing.assert_array_equal(gradient, model.parameters.grad)
    for name in model.parameters.names():
        node, _, tensor = name.rpartition(".")
        if node:
            row = of(trace, node, f"d{tensor}")
            assert row.shape == model.parameters[name].shape
            assert row.max == pytest.approx(float(model.parameters[name].grad.max()), rel=1e-6)


def test_the_numbers_are_those_of_the_formula() -> None:
    model, x, _ = made("ae", activation="relu")
    trace = trace_step(model, x, model.draw(0, 0, ROWS), 0)
    W, b = (model.parameters[f"encoder.0.{name}"].value for name in "Wb")
    y = x.astype(np.float64) @ W + b
    hidden = of(trace, "encoder.0", "y")
    assert (hidden.kind, hidden.shape, hidden.bad) == ("Dense", (ROWS, 7), 0)
    assert [hidden.mean, hidden.std, hidden.min, hidden.max] == pytest.approx([y.mean(), y.std(), y.min(), y.max()], rel=1e-5)
    assert of(trace, "encoder.1", "y").max == pytest.approx(max(0.0, float(y.max())), rel=1e-5)
    terms = model.loss(x, noise=model.draw(0, 0, ROWS))
    assert of(trace, "loss", "reconstruction").mean == pytest.approx(terms.reconstruction, rel=1e-6)


@pytest.mark.parametrize("name", ["encoder.0.W", "decoder.2.b"])
def test_a_parameter_that_is_not_finite_comes_first(name: str) -> None:
    model, x, _ = made("vae")
    model.parameters[name].value.reshape(-1)[4] = np.inf
    first = trace_step(model, x, model.draw(0, 0, ROWS), 0).first
    assert first is not None
    assert (first.node, first.kind, first.tensor, first.value, first.bad) == (*name.rpartition(".")[::2][:1], "Dense", name[-1], "inf", 1)
    assert first.rows == ()


def test_the_first_activation_that_overflows_is_named_with_its_rows() -> None:
    model, x, _ = made("ae", activation="leaky_relu")
    model.parameters["encoder.2.W"].value[...] = 3e38
    model.parameters["encoder.0.W"].value[...] = 0
    model.parameters["encoder.0.W"].value[3] = 1
    x[:] = 0
    x[[1, 4], 3] = 1  # two rows alone reach the large weights: 7 times 3e38 is too much for float32
    trace = trace_step(model, x, model.draw(0, 0, ROWS), 0)
    first = trace.first
    assert first is not None
    assert first.place == "encoder.2 (Dense): y[1, 0] is inf"
    assert (first.rows, first.bad, first.mean) == ((1, 4), 6, 0.0)


def test_a_row_of_the_batch_that_is_not_finite_is_named() -> None:
    model, x, _ = made("vae")
    x[2, 5] = np.nan
    first = trace_step(model, x, model.draw(0, 0, ROWS), 0).first
    assert first is not None
    assert (first.place, first.rows) == ("batch: x[2, 5] is nan", (2,))


def test_a_gradient_that_overflows_behind_a_finite_loss_is_named() -> None:
    model, x, _ = made("ae", activation="linear")
    model.parameters["decoder.0.W"].value[...] = 0
    model.parameters["decoder.0.b"].value[...] = 1e38
    model.parameters["decoder.1.W"].value[...] = 10 / 7e38  # y = 10, and dW = h^T dy = 1e38 times about 20
    trace = trace_step(model, x, model.draw(0, 0, ROWS), 0)
    assert of(trace, "loss", "reconstruction").mean == pytest.approx(12 * 9.5**2, rel=0.1)
    assert trace.first is not None
    assert trace.first.place == "decoder.1 (Dense): dW[0, 0] is inf"


def test_the_model_is_left_as_it_was() -> None:
    model, x, _ = made("wae")
    noise, before = model.draw(0, 0, ROWS), model.parameters.value.copy()
    model.parameters["encoder.0.W"].value[0, 0] = np.nan
    trace_step(model, x, noise, 0)
    model.parameters.value[...] = before
    for _, node in nodes_of(model):
        assert "forward" not in vars(node)
        assert "backward" not in vars(node)
    assert np.isfinite(model.loss_and_grad(x, noise=noise).total)


def test_finite_values_whose_squares_are_not_have_a_mean_and_no_deviation() -> None:
    model, x, given = made("ae", dtype="float64")
    model.parameters["encoder.0.b"].value[...] = 0
    model.parameters["encoder.0.b"].value[:2] = 1e200, -1e200
    row = of(trace_step(model, x.astype(np.float64), model.draw(0, 0, ROWS), 0, given), "encoder.0", "b")
    assert (row.mean, row.std, row.min, row.max, row.bad) == (0, None, -1e200, 1e200, 0)
