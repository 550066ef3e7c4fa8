"""A training on the GPU is the CPU's: the same noise, the same first loss, the same curve; and it takes no more memory as it goes on.

On the CPU that stands in for a GPU (strict.py) it is a short one; with --gpu 3,000 steps on MNIST, and 10,000 for the memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from npae.backend import backend
from npae.data import load
from npae.inspection.gradcheck import check
from npae.inspection.subjects import chosen, subjects
from npae.kernels.cuda.device import Device
from npae.models import MODELS, Model
from npae.optim import Adam
from npae.training.loop import Trainer

BATCH = 100
CURVE = 2e-3  # by how much the epochs' losses may differ, relative: float32 sums in another order, over 3,000 steps of Adam
SMALL = ("dense", "vae", "mmd.rbf.flux", "wae")  # whose gradients are checked where a GPU is only stood in for


@pytest.fixture
def real(request: pytest.FixtureRequest) -> bool:
    """Whether there is a GPU."""
    return bool(request.config.getoption("--gpu"))


def images(real: bool, request: pytest.FixtureRequest) -> np.ndarray[Any, Any]:
    """60,000 of MNIST, or 300 of the digits that come with scikit-learn."""
    return np.asarray(request.getfixturevalue("mnist").train if real else load("digits").train[:300])


def model_on(name: str, kind: str, x: np.ndarray[Any, Any]) -> Model:
    return MODELS[kind](x.shape[1], hidden=(128,), latent=8, seed=1, backend=name)


@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_noise_first_loss_and_curve_are_the_cpu_s(gpu: Device, real: bool, request: pytest.FixtureRequest, kind: str) -> None:
    x = images(real, request)
    ours, theirs = (model_on(name, kind, x) for name in ("cupy", "numba"))
    noise, expected = ours.draw(3, 0, BATCH), theirs.draw(3, 0, BATCH)
    for name in expected:
        assert np.abs(ours.backend.to_host(noise[name]) - expected[name]).max() <= 1e-6
    assert ours.loss(x[:BATCH], noise=noise).total == pytest.approx(theirs.loss(x[:BATCH], noise=expected).total, rel=1e-5)
    curves = []
    for model in (ours, theirs):
        trainer = Trainer(model, Adam(model.parameters, 1e-3), x, 5 if real else 2, BATCH, 7, step="auto")
        trainer.run()
        curves.append([row["train"]["total"] for row in trainer.history])
    assert curves[0] == pytest.approx(curves[1], rel=CURVE)


def test_gradients_are_right_in_float64(gpu: Device, real: bool) -> None:
    for subject in subjects() if real else [one for name in SMALL for one in chosen(name)[:1]]:
        for tensor in check(subject.make(backend("cupy")), entries=100 if real else 3):
            assert tensor.error <= 1e-7, f"{subject.name} {tensor.tensor}"


def test_after_its_first_steps_a_training_allocates_nothing(gpu: Device, real: bool, request: pytest.FixtureRequest) -> None:
    if not real:
        pytest.skip("needs a GPU: a stand-in counts no memory (pytest --gpu)")
    x = images(real, request)
    model = model_on("cupy", "wae", x)
    trainer = Trainer(model, Adam(model.parameters, 1e-3), x, 2, BATCH, 7)
    trainer.run()
    captured, memory = trainer.several.captured, gpu.xp.cuda.runtime.memGetInfo
    assert captured is not None
    pool, free = captured.lane.allocated(), memory()[0]
    trainer.epochs = 2 + 10_000 // 600 + 1
    trainer.run()
    assert captured.lane.allocated() == pool
    assert memory()[0] == free
