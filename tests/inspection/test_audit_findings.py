"""An audit finds what is wrong with an objective, and finds nothing where nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from test_audit import SMALL, audited
from test_flow import trainer_of

from npae.backend import Array
from npae.data import Dataset
from npae.inspection.audit import Audit, audit
from npae.inspection.findings import WRONG
from npae.inspection.reach import reach
from npae.losses import RBFMMD
from npae.models import MODELS, VAE, WAE, Terms
from npae.noise import Noise
from npae.optim import Adam
from npae.training.configuration import resolve
from npae.training.loop import Trainer
from npae.training.run import prepare


def wrong_of(found: Audit) -> dict[str, str]:
    """What is wrong, by name."""
    return {finding.what: finding.says for finding in found.findings if finding.state == WRONG}


@pytest.mark.parametrize("kind", MODELS)
def test_nothing_is_wrong_with_any_model_as_it_is(kind: str) -> None:
    found = audited(kind)
    assert wrong_of(found) == {}
    assert not found.wrong


def test_a_kl_that_free_bits_clamp_is_flagged_with_the_beta_that_then_does_nothing() -> None:
    wrong = wrong_of(audited("vae", free_bits=50.0))
    assert "each of the 3 units stays below free_bits 50" in wrong["kl"]
    assert "no gradient does" in wrong["beta"]


def test_free_bits_that_hold_up_some_units_are_a_remark() -> None:
    found = audited("vae", steps=0, free_bits=1e-9)
    assert wrong_of(found) == {}


class Deaf(VAE):
    """Its beta is not used."""

    def beta_at(self, step: int | None) -> float:
        return 1.0


class Mute(VAE):
    """Its beta weighs the value, and not the gradient."""

    def regularisers(self, mu: Array, s: Array, step: int | None) -> tuple[dict[str, float], dict[str, float]]:
        found = super().regularisers(mu, s, step)
        self.beta_now = 1.0
        return found


class TurnedBackward(WAE):
    """The gradient of the MMD has the wrong sign."""

    def backward(self) -> None:
        self.lambda_ *= -1
        super().backward()
        self.lambda_ *= -1


class TurnedWeight(WAE):
    """The MMD is subtracted, in value and gradient: a gradient check finds nothing."""

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        terms = super().forward(x, noise, step, held, *given)
        return Terms(dict(terms), {"mmd": -self.lambda_})

    def backward(self) -> None:
        self.lambda_ *= -1
        super().backward()
        self.lambda_ *= -1


class TurnedMMD(RBFMMD):
    """-MMD^2, in value and gradient."""

    def forward(self, z: Array, w: Array, sigma2: float | None = None) -> float:
        value = -super().forward(z, w, sigma2)
        self.dz *= -1
        return value


class TurnedLoss(WAE):
    """Minimises -MMD^2: every gradient is right, and the codes are pushed away from the prior."""

    def build(self, *, seed: int, dtype: str, backend_name: str | None) -> None:
        self.mmd = TurnedMMD("flux")
        super().build(seed=seed, dtype=dtype, backend_name=backend_name)


def audit_of(cls: type[VAE] | type[WAE]) -> dict[str, str]:
    """What is wrong with a model of that class."""
    model = cls(12, (7,), 3, backend="numpy", seed=1)
    x = np.random.default_rng(0).random((24, 12)).astype(np.float32)
    trainer = Trainer(model, Adam(model.parameters, 1e-2), x, epochs=3, batch_size=6)
    return wrong_of(audit(trainer, resolve(model.kind, flags=SMALL)))


@pytest.mark.parametrize(
    ("cls", "what", "says"),
    [
        (Deaf, "beta", "it is not used"),
        (Mute, "beta", "no gradient does"),
        (TurnedBackward, "lambda", "pulls the other way (pull -1"),
        (TurnedWeight, "mmd", "its weight is -10"),
        (TurnedLoss, "mmd", "minimised, it pushes away"),
    ],
)
def test_a_fault_that_is_put_in_is_flagged_and_nothing_else(cls: type[VAE], what: str, says: str) -> None:
    wrong = audit_of(cls)
    assert says in wrong[what]
    assert set(wrong) == {what}


def test_the_kl_of_the_keras_document_is_flagged_and_its_exact_form_is_not() -> None:
    for name, flagged in (("keras-vae", True), ("keras-vae-exact", False)):
        training = prepare(resolve(name, flags={"data": "digits", "backend": "numpy"}))
        found = audit(training.trainer, training.configuration)
        assert found.wrong is flagged
        if flagged:
            assert "not the divergence of the posterior that is sampled" in wrong_of(found)["objective"]
            assert not found.bound.holds


@pytest.mark.parametrize("lambda_", [-1.0, -10.0])
def test_a_negative_lambda_never_reaches_an_audit(lambda_: float) -> None:
    with pytest.raises(ValueError, match="is not a weight"):
        audited("wae", lambda_=lambda_)


def test_the_mmd_of_flux_wae_hardly_counts(mnist: Dataset) -> None:
    training = prepare(resolve("flux-wae", flags={"data": "mnist"}))
    reach(training.trainer, 300)
    found = audit(training.trainer, training.configuration)
    share = {term.name: term.share for term in found.terms}["mmd"]
    assert share is not None
    assert share < 0.01
    assert not found.wrong
    assert any(finding.what == "mmd" and "% of the loss; it hardly counts" in finding.says for finding in found.findings)


def test_a_parameter_behind_dead_units_has_no_gradient() -> None:
    trainer = trainer_of("ae", activation="relu")
    trainer.model.parameters["encoder.0.b"].value[:] = -100
    trainer.model.parameters["decoder.0.b"].value[:] = 1
    found = audit(trainer, resolve("ae", flags={**SMALL, "activation": "relu"}))
    assert set(found.without_gradient) == {"encoder.0.W", "encoder.0.b", "encoder.2.W", "decoder.0.W"}
    assert set(found.without_gradient) <= set(wrong_of(found))


def test_a_setting_that_was_given_and_does_nothing_is_wrong_and_its_default_is_a_remark() -> None:
    trainer = trainer_of("vae", eta=0.3)
    assert "though it is set (flag)" in wrong_of(audit(trainer, resolve("vae", flags={**SMALL, "eta": 0.3})))["eta"]
    assert wrong_of(audit(trainer, resolve("vae", flags=SMALL))) == {}


def test_a_warmup_that_outlasts_the_training_is_said() -> None:
    trainer = trainer_of("vae", kl_warmup=1000)
    found = audit(trainer, resolve("vae", flags={**SMALL, "kl_warmup": 1000, "epochs": 3}))
    assert any("longer than the training of 12 steps: beta reaches 0.012 of 1" in finding.says for finding in found.findings)
