"""Every hand-written gradient is the derivative of its forward, in float64, on both CPU backends; and every row of the check can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from npae.backend import backend
from npae.inspection.gradcheck import check
from npae.inspection.probe import Probe, Tensors
from npae.inspection.subjects import Subject, subjects

SUBJECTS = {subject.name: subject for subject in subjects()}


def test_no_two_subjects_share_a_name() -> None:
    assert len(SUBJECTS) == len(subjects())


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())
def test_the_gradient_is_the_derivative(subject: Subject, name: str) -> None:
    report = check(subject.make(backend(name)))
    assert report.passed, str(report)
    assert report.rows


def _off_by(probe: Probe, tensor: str, factor: float) -> Probe:
    """The probe of one tensor alone, whose gradient is wrong by that factor."""

    def gradients() -> Tensors:
        return {tensor: factor * probe.gradients()[tensor]}

    return replace(probe, tensors={tensor: probe.tensors[tensor]}, gradients=gradients)


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())
def test_an_error_of_a_millionth_in_any_tensor_is_seen(subject: Subject) -> None:
    """So no tensor passes because it is not looked at, or because its gradient is zero everywhere."""
    probe = subject.make(backend("numpy"))
    for tensor in probe.tensors:
        report = check(_off_by(probe, tensor, 1 + 1e-6), entries=20)
        assert not report.passed, tensor
        assert report.error == pytest.approx(1e-6, rel=0.3), tensor


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())
def test_the_check_leaves_every_tensor_as_it_was(subject: Subject) -> None:
    probe = subject.make(backend("numpy"))
    before = {name: tensor.copy() for name, tensor in probe.tensors.items()}
    check(probe, entries=3)
    assert all((tensor == before[name]).all() for name, tensor in probe.tensors.items())
