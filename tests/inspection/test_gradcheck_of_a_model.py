"""gradcheck(model, x): what a user calls; and what its report says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import npae
from npae.errors import InputError
from npae.inspection.finite_differences import KINK_RETRIES, STEPS, derivative, taylor_order
from npae.inspection.gradcheck import check, float64_twin
from npae.inspection.probe import Probe
from npae.inspection.report import Report, TensorCheck
from npae.layers import Dense

X = np.random.default_rng(0).random((6, 12), np.float32)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_a_float32_model_is_checked_as_its_float64_twin_and_left_alone(kind: str, backend: str) -> None:
    model = npae.MODELS[kind](12, (5,), 3, backend=backend)
    before = model.parameters.value.copy()
    report = npae.gradcheck(model, X)
    assert report.passed, str(report)
    assert {row.tensor for row in report} == set(model.parameters.names())
    assert {row.subject for row in report} == {kind}
    assert model.dtype == np.float32
    np.testing.assert_array_equal(model.parameters.value, before)
    model.loss_and_grad(X, noise=model.draw(0, 0, 6))  # nothing is left pending


def test_the_twin_has_the_trained_parameters_not_the_initial_ones() -> None:
    model = npae.VAE(12, (5,), 3, posterior="sigma", beta=0.5)
    model.parameters.value += 0.25
    twin = float64_twin(model)
    assert twin.dtype == np.float64
    assert twin.spec == {**model.spec, "dtype": "float64", "backend": "numba"}
    np.testing.assert_array_equal(twin.parameters.value, model.parameters.value.astype(np.float64))


def test_at_most_that_many_elements_of_each_tensor_are_differenced() -> None:
    report = npae.gradcheck(npae.AE(12, (5,), 3), X, entries=12)
    assert {row.tensor: (row.shape, row.checked) for row in report} == {
        "encoder.0.W": ((12, 5), 12),
        "encoder.0.b": ((5,), 5),
        "encoder.2.W": ((5, 3), 12),
        "encoder.2.b": ((3,), 3),
        "decoder.0.W": ((3, 5), 12),
        "decoder.0.b": ((5,), 5),
        "decoder.2.W": ((5, 12), 12),
        "decoder.2.b": ((12,), 12),
    }


def _of_full_size(kind: str, activation: str, seed: int) -> Report:
    x = (np.random.default_rng(seed).random((8, 784)) > 0.6).astype(np.float32)
    return npae.gradcheck(npae.MODELS[kind](784, (128,), 8, activation=activation, seed=seed), x, entries=40, seed=seed)


@pytest.mark.parametrize("kind", ["ae", "wae"])
def test_a_model_of_full_size_is_checked_on_a_sample_of_each_tensor(kind: str) -> None:
    report = _of_full_size(kind, "tanh", 0)
    assert report.passed, str(report)
    assert {row.shape: row.checked for row in report}[784, 128] == 40


def test_the_rounding_of_a_large_loss_is_not_taken_for_a_wrong_gradient() -> None:
    reports = [_of_full_size("vae", "leaky_relu", seed) for seed in range(5)]
    assert [str(report) for report in reports if not report.passed] == []


def _with_one_wrong_element(monkeypatch: pytest.MonkeyPatch, place: tuple[int, int], error: float) -> None:
    original = Dense.backward

    def mutated(self: Any, dy: Any) -> Any:
        dx = original(self, dy)
        if self.W.shape == (12, 5):
            self.W.grad[place] += error
        return dx

    monkeypatch.setattr(Dense, "backward", mutated)


def test_the_report_prints_the_worst_index_and_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    model = npae.AE(12, (5,), 3, activation="tanh")
    truth = {row.tensor: row for row in npae.gradcheck(model, X)}["encoder.0.W"]
    assert truth.passed
    _with_one_wrong_element(monkeypatch, (7, 2), 0.5)
    report = npae.gradcheck(model, X)
    (row,) = report.failures
    assert (row.tensor, row.index) == ("encoder.0.W", (7, 2))
    assert row.analytic == pytest.approx(row.numeric + 0.5, rel=1e-6)
    assert str(report).startswith("FAILED: 8 tensors, largest relative error")
    assert f"in ae encoder.0.W[7, 2] (by hand {row.analytic:.9g}, by differences {row.numeric:.9g}" in str(report)


def test_the_taylor_test_sees_an_element_that_was_not_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    model = npae.AE(12, (5,), 3, activation="tanh")
    _with_one_wrong_element(monkeypatch, (7, 2), 0.5)
    (row,) = npae.gradcheck(model, X, entries=1).failures
    assert row.tensor == "encoder.0.W"
    assert row.error <= 1e-7, "the one sampled element happens to be right"
    assert row.order == pytest.approx(1, abs=0.1)


def test_to_check_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"^entries 0: at least 1 element of each tensor has to be checked$"):
        npae.gradcheck(npae.AE(12), X, entries=0)


def test_data_that_the_model_refuses_are_refused() -> None:
    with pytest.raises(InputError, match="x of shape"):
        npae.gradcheck(npae.AE(12), X[:, :3])


ROW = TensorCheck("vae", "encoder.0.W", (2, 3), 6, 1e-9, (1, 2), 0.5, 0.5, 2.0, 0)


@pytest.mark.parametrize("change", [{"error": 2e-7}, {"error": np.nan}, {"order": 1.0}, {"order": np.nan}])
def test_a_row_passes_only_within_tolerance_and_at_order_two(change: dict[str, float]) -> None:
    assert ROW.passed
    assert replace(ROW, order=np.inf).passed
    wrong = replace(ROW, **change)  # type: ignore[arg-type]
    assert not wrong.passed
    report = Report((ROW, wrong))
    assert not report.passed
    assert report.failures == [wrong]


def test_a_report_names_the_tensor_whose_gradient_is_nan() -> None:
    report = Report((ROW, replace(ROW, tensor="decoder.0.b", error=np.nan, analytic=np.nan)))
    assert np.isnan(report.error)
    assert report.worst.tensor == "decoder.0.b"
    assert "in vae decoder.0.b[1, 2] (by hand nan" in str(report)


def test_a_failed_report_names_a_tensor_that_failed() -> None:
    report = Report((ROW, replace(ROW, tensor="decoder.0.b", error=1e-10, order=1.0)))
    assert str(report).startswith("FAILED")
    assert "in vae decoder.0.b[1, 2]" in str(report)
    assert "Taylor order 1.00" in str(report)


def test_the_error_of_a_report_is_the_largest_of_all_rows() -> None:
    assert Report((replace(ROW, error=5e-8), replace(ROW, error=1e-10, order=1.0))).error == 5e-8


def test_a_report_without_rows_has_not_passed() -> None:
    assert not Report(()).passed


def test_reports_add_up_and_become_json() -> None:
    report = Report((ROW,)) + Report((replace(ROW, tensor="b", error=3e-9, order=np.inf),))
    assert [row.tensor for row in report] == ["encoder.0.W", "b"]
    assert report.error == 3e-9
    read = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert read["passed"] is True
    assert [row["order"] for row in read["rows"]] == [2.0, None]
    assert read["rows"][0]["index"] == [1, 2]


@pytest.mark.parametrize("h", STEPS)
def test_a_numerical_derivative_is_that_of_the_function_and_leaves_the_array(h: float) -> None:
    x = np.array([0.3, -1.2])
    found = derivative(lambda: float(np.exp(x[0]) * np.sin(x[1])), x, 1, h)
    assert found == pytest.approx(np.exp(0.3) * np.cos(-1.2), abs=1e-11 + 3e-16 / h)
    np.testing.assert_array_equal(x, [0.3, -1.2])


def test_the_taylor_order_is_two_for_the_gradient_one_for_another_vector_and_infinite_for_a_line() -> None:
    x, direction = np.array([0.3, -1.2]), np.array([0.6, 0.8])
    curved, straight = (lambda: float(np.exp(x[0]) + np.sin(x[1]))), (lambda: float(3 * x[0] - x[1]))
    gradient = np.array([np.exp(0.3), np.cos(-1.2)])
    assert taylor_order(curved, x, gradient, direction) == pytest.approx(2, abs=0.05)
    assert taylor_order(curved, x, gradient * 1.01, direction) == pytest.approx(1, abs=0.1)
    assert taylor_order(straight, x, np.array([3.0, -1.0]), direction) == np.inf
    np.testing.assert_array_equal(x, [0.3, -1.2])


def test_an_element_beside_a_kink_passes_by_a_smaller_step_and_is_counted() -> None:
    x = np.array([-5e-4, 0.3, -0.7])
    probe = Probe("hinge", {"x": x}, lambda: float(np.maximum(x, 0).sum() + (x**2).sum()), lambda: {"x": (x > 0) + 2 * x})
    (row,) = check(probe)
    assert row.passed, str(row)
    assert row.kinks == 1


def test_a_kink_beside_the_point_is_stepped_around_and_one_nearer_than_every_step_is_not() -> None:
    direction = np.array([1.0])
    for distance, seen in ((5e-4, True), (1e-3 * 4.0**-KINK_RETRIES * 2.0**-6, False)):
        x = np.array([-distance])
        order = taylor_order(lambda x=x: float(max(x[0], 0.0) + 5 * x[0] ** 2), x, 10 * x, direction)  # type: ignore[misc]
        assert (order > 1.9) is seen, distance
