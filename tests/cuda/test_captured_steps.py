"""A training step on the device: what it gives, that recording it reads nothing back, and that a step that is not finite moves nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from strict_numpy import ReadWhileRecordingError

from npae.captured import steps
from npae.errors import NonFiniteError
from npae.kernels.cuda.device import Device
from npae.losses import GaussianKL
from npae.models import MODELS
from npae.optim import Adam
from npae.training.loop import Trainer
from npae.training.step import SeveralSteps

F, N, B = 12, 50, 16
FORMS: dict[str, dict[str, Any]] = {
    "ae": {},
    "vae": {"kl_warmup": 5, "l2": 0.01, "dropout": 0.2},
    "wae": {},
    "cvae": {"classes": 3},
    "sparse": {},
    "denoising-vae": {},
    "contractive": {},
    "infovae": {},
    "iwae": {"samples": 3},
    "em-vae": {"inner_steps": 2},
    "gan": {},
    "wae-gan": {},
    "linear": {},
    "semi-amortised-vae": {"inner_steps": 2},
    "paired": {"target_features": 6, "reconstruction": "squared_error"},
}


def trained(kind: str, backend: str, step: str, *, epochs: int = 2, **settings: Any) -> Trainer:
    """A training of 2 epochs: three full batches and one of 2 rows in each."""
    options = {"hidden": (7,), "latent": 3, "seed": 4, "dtype": "float64", **FORMS[kind], **settings}
    rng = np.random.default_rng(8)
    x = np.where(rng.random((N, F)) < 0.5, 0.0, rng.random((N, F)))
    y = {"labels": rng.integers(0, 3, N), "targets": rng.random((N, 6)), None: None}[MODELS[kind].companion]
    clip = options.pop("clip_norm", None)
    binarise = options.pop("binarise", "none")
    model = MODELS[kind](F, backend=backend, **options)
    trainer = Trainer(model, Adam(model.parameters, 1e-2, clip_norm=clip), x, epochs, B, 3, y=y, step=step, binarise=binarise)
    trainer.run()
    return trainer


def weights(trainer: Trainer) -> np.ndarray[Any, Any]:
    return np.asarray(trainer.model.backend.to_host(trainer.model.parameters.value))


OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "wae through the bandwidth": ("wae", {"bandwidth": "tolstikhin", "stop_gradient": False}),
    "wae with the median of the pool": ("wae", {"bandwidth": "median", "stop_gradient": False}),
    "wae with the imq kernel": ("wae", {"kernel": "imq"}),
    "vae with free bits": ("vae", {"free_bits": 0.1, "activation": "elu"}),
    "vae with a learned variance": ("vae", {"reconstruction": "gaussian_learned", "activation": "softplus"}),
    "iwae with dreg": ("iwae", {"samples": 3, "estimator": "dreg"}),
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_captured_training_agrees_with_the_ordinary_one_on_a_cpu(gpu: Device, kind: str) -> None:
    captured, ordinary = trained(kind, "cupy", "auto"), trained(kind, "numpy", "ordinary")
    assert captured.several.record["form"] == "captured"
    for ours, theirs in zip(captured.history.rows, ordinary.history.rows, strict=True):
        assert ours["train"] == pytest.approx(theirs["train"], rel=1e-9, abs=1e-12)
        assert ours["weights"] == theirs["weights"]
    assert weights(captured) == pytest.approx(weights(ordinary), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("form", OTHERS)
def test_so_does_another_form_of_a_model(gpu: Device, form: str) -> None:
    kind, options = OTHERS[form]
    assert weights(trained(kind, "cupy", "auto", **options)) == pytest.approx(
        weights(trained(kind, "numpy", "ordinary", **options)), rel=1e-6, abs=1e-8
    )


def test_a_step_that_reads_a_number_back_is_not_recorded(
    gpu: Device, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("--gpu"):
        pytest.skip("CUDA itself refuses it there")
    forward = GaussianKL.forward
    monkeypatch.setattr(GaussianKL, "forward", lambda self, mu, s: float(forward(self, mu, s)))
    with pytest.raises(ReadWhileRecordingError, match="__float__ while launches are recorded"):
        trained("vae", "cupy", "captured")


@pytest.mark.parametrize("options", [{"clip_norm": 0.5}, {"binarise": "dynamic"}], ids=["clipped", "binarised anew"])
def test_what_the_cpu_does_to_gradient_and_data_the_device_does_too(gpu: Device, options: dict[str, Any]) -> None:
    ours, theirs = trained("vae", "cupy", "auto", **options), trained("vae", "numpy", "ordinary", **options)
    assert weights(ours) == pytest.approx(weights(theirs), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("kind", ["vae", "wae"])
def test_replayed_or_launched_one_by_one_the_weights_are_the_same_to_the_last_bit(gpu: Device, kind: str) -> None:
    captured, eager = (trained(kind, "cupy", step, dtype="float32") for step in ("captured", "eager"))
    assert weights(captured).tobytes() == weights(eager).tobytes()
    assert [row["train"] for row in captured.history.rows] == [row["train"] for row in eager.history.rows]


def test_many_steps_in_one_graph_are_the_same_steps(gpu: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    one_by_one = trained("vae", "cupy", "captured", epochs=3)
    monkeypatch.setattr(steps, "TOGETHER", 2)
    monkeypatch.setattr(SeveralSteps, "together", 3)
    together = trained("vae", "cupy", "captured", epochs=3)
    assert together.several.captured is not None
    assert set(together.several.captured._graphs) == {(16, 2), (16, 1), (2, 1)}
    assert weights(together).tobytes() == weights(one_by_one).tobytes()
    assert [row["train"] for row in together.history.rows] == [row["train"] for row in one_by_one.history.rows]


def test_the_last_of_all_steps_begins_one_that_has_rows_too(gpu: Device) -> None:
    model = MODELS["vae"](F, (7,), 3, backend="cupy")
    captured = steps.CapturedSteps(model, Adam(model.parameters, 1e-2), 0, model.backend.from_host(np.zeros((N, F), "float32")), most=4)
    for _ in range(2):
        assert len(captured.run([np.full(B, N - 1)] * 4)) == 4
    step = captured._steps[B]
    assert len(step.order) == 5 * B
    assert not np.asarray(model.backend.to_host(step.rows)).any()


@pytest.mark.parametrize("step", ["captured", "eager"])
def test_a_loss_that_is_not_finite_moves_nothing_and_says_why(gpu: Device, step: str) -> None:
    trainer = trained("vae", "cupy", step, epochs=1)
    trainer.epochs, before, steps = 9, weights(trainer), trainer.optimizer.steps
    trainer.model.parameters["encoder.0.W"].value[0, 0] = np.inf
    broken = weights(trainer)
    with pytest.raises(NonFiniteError, match=r"^step 5 \(epoch 2, batch 1 of 4\): loss is .*encoder\.0\.W is no longer finite"):
        trainer.run()
    assert trainer.optimizer.steps == steps
    assert weights(trainer).tobytes() == broken.tobytes() != before.tobytes()
