"""What a row comes with besides x: labels and targets are asked for, checked, and refused where they have no meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import npae
from npae.backend import Array
from npae.errors import InputError, NonFiniteError
from npae.inspection.gradcheck import check
from npae.inspection.probe import model_probe
from npae.models import AE, VAE
from npae.models.checks import check_labels, check_targets
from npae.models.terms import Terms
from npae.noise import Noise

X = np.random.default_rng(0).uniform(size=(5, 6))


def test_labels_are_asked_for_by_name_and_range() -> None:
    with pytest.raises(InputError, match="this cvae needs a label for each row: pass y, whole numbers from 0 to 9"):
        check_labels(None, 5, kind="cvae", classes=10)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 1, 10, 3, 4]), r"label 10 \(row 2\): this cvae has 10 classes, 0 to 9"),
        (np.array([0, 1, 2, 3, -1]), r"label -1 \(row 4\)"),
        (np.arange(4), r"labels of shape \(4,\) for 5 rows"),
        (np.zeros((5, 10), int), "for one-hot rows use argmax"),
        (np.zeros(5), "labels of dtype float64"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_the_value(labels: Array, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_labels(labels, 5, kind="cvae", classes=10)


def test_targets_must_have_the_shape_of_the_output_and_be_finite() -> None:
    with pytest.raises(InputError, match=r"targets of shape \(5, 3\) for 5 rows: this paired expects \(5, 4\)"):
        check_targets(np.zeros((5, 3)), 5, kind="paired", features=4, dtype=np.dtype("float32"))
    with pytest.raises(NonFiniteError, match=r"y\[1, 2\] is nan"):
        check_targets(np.where(np.arange(20).reshape(5, 4) == 6, np.nan, 0), 5, kind="paired", features=4, dtype=np.dtype("float32"))


def test_a_model_that_reads_rows_alone_refuses_y() -> None:
    model = VAE(6, latent=2, backend="numpy")
    for call in (model.encode, model.reconstruct, model.posterior, model.loss):
        with pytest.raises(InputError, match="this vae takes rows x alone"):
            call(X, np.zeros(5, int))


def test_a_plain_autoencoder_has_no_posterior() -> None:
    with pytest.raises(InputError, match="this ae has no posterior"):
        AE(6, latent=2, backend="numpy").posterior(X)


class _Doubled(AE):
    """An objective that calls its parent's: twice the reconstruction."""

    kind = "doubled"

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """L = 2 loss"""
        terms = super().forward(x, noise, step, held, *given)
        return Terms(terms, {"reconstruction": 2.0})

    def backward(self) -> None:
        """twice"""
        super().backward()
        self.parameters.grad *= 2


def test_a_subclass_may_call_the_forward_and_backward_of_its_parent() -> None:
    model = _Doubled(6, latent=2, dtype="float64", backend="numpy")
    assert npae.gradcheck(model, X).passed
    model.loss_and_grad(X)
    model.loss_and_grad(X)


class _Game(AE):
    """Encoder and decoder minimise the reconstruction; the critic minimises a term of its own."""

    kind = "game"
    players = ("critic",)

    def __init__(self, features: int, *, wrong: bool = False, backend: str | None = None, dtype: str = "float64") -> None:
        from npae.layers import Dense

        self.critic, self.wrong = Dense(features, 1), wrong
        super().__init__(features, (4,), 2, dtype=dtype, backend=backend)

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """total: the reconstruction; critic: the mean square of its answer"""
        terms = super().forward(x, noise, step, held)
        self.answer = self.critic.forward(x)
        return Terms({**terms, "critic": float((self.answer**2).mean())}, {"critic": 0.0})

    def backward(self) -> None:
        """each player's own"""
        super().backward()
        self.critic.backward((3 if self.wrong else 2) * self.answer / self.answer.size)


def test_the_tensors_of_a_player_are_checked_against_its_own_term() -> None:
    assert npae.gradcheck(_Game(6, backend="numpy"), X).passed
    report = npae.gradcheck(_Game(6, wrong=True, backend="numpy"), X)
    assert {row.tensor for row in report.rows if not row.passed} == {"critic.W", "critic.b"}
    probe = model_probe("game", _Game(6, backend="numpy"), X, Noise())
    assert check(probe, entries=3).passed


def test_a_players_term_that_is_not_finite_stops_the_step() -> None:
    model = _Game(6, backend="numpy")
    model.parameters["critic.b"].value[...] = 1e300
    with pytest.raises(NonFiniteError, match="critic"):
        model.loss_and_grad(X)
