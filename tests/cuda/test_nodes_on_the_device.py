"""Every layer, loss and model computes on a device what the reference computes, with the same gradients."""

from __future__ import annotations

import numpy as np
import pytest

from npae.backend import backend
from npae.inspection.subjects import Subject, subjects
from npae.kernels.cuda.device import Device


@pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.name)
def test_a_node_gives_the_reference_s_value_and_gradients(gpu: Device, subject: Subject) -> None:
    ours, theirs = subject.make(backend("cupy")), subject.make(backend("numpy"))
    assert ours.objective() == pytest.approx(theirs.objective(), rel=1e-10)
    want = theirs.gradients()
    for name, gradient in ours.gradients().items():
        assert np.abs(ours.backend.to_host(gradient) - want[name]).max() <= 1e-10 * max(1.0, np.abs(want[name]).max()), name
