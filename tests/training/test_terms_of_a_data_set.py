"""The terms of a whole data set: no order of its rows shows in them, and rows keep their noise whichever batch they are dealt to."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import npae
from npae.backend import Array
from npae.models import MODELS, Model, Terms
from npae.noise import Noise, evaluation_seed
from npae.training.averages import deal, evaluate_terms
from npae.training.checkpoint import restore_checkpoint, save_checkpoint
from npae.training.loop import Trainer

Make = Callable[..., Trainer]
BATCH = 50


@pytest.fixture(scope="module")
def by_class() -> Array:
    """The digits, sorted by what they show."""
    images, labels = load_digits(return_X_y=True)
    return np.asarray(images[np.argsort(labels, kind="stable")] / 16, np.float32)


def trained(kind: str, rows: Array, **options: Any) -> Model:
    """A small model whose codes tell the classes apart."""
    model = MODELS[kind](64, (16,), 3, backend="numpy", **options)
    npae.fit(model, rows, epochs=5, batch_size=BATCH, learning_rate=1e-2)
    return model


def terms_of(model: Model, rows: Array, batch_size: int = BATCH, seed: int = 0) -> dict[str, float]:
    """Means over all rows."""
    return evaluate_terms(model, rows, batch_size=batch_size, seed=seed).mean()


def lying_batches(model: Model, rows: Array, term: str) -> float:
    """The term's mean over batches of rows as they lie: what the deal is there to avoid."""
    parts = np.array_split(np.arange(len(rows)), math.ceil(len(rows) / BATCH))
    return float(np.mean([model.loss(rows[part], noise=model.draw(1, step, len(part)))[term] for step, part in enumerate(parts)]))


@pytest.mark.parametrize(
    ("kind", "term", "options"),
    [
        ("wae", "mmd", {}),
        ("wae", "mmd", {"kernel": "imq", "encoder": "deterministic"}),
        ("infovae", "mmd", {"alpha": 1.0, "lambda_": 1.0}),
        ("sparse", "sparsity", {"penalty": "kl"}),
    ],
)
def test_a_term_that_looks_at_a_batch_together_is_the_same_for_sorted_rows_and_shuffled_ones(
    kind: str, term: str, options: dict[str, Any], by_class: Array
) -> None:
    """Within a fifth of what the order of the rows would change."""
    model = trained(kind, by_class, **options)
    orders = [by_class, *(by_class[np.random.default_rng(seed).permutation(len(by_class))] for seed in range(3))]
    found = [terms_of(model, rows)[term] for rows in orders]
    of_the_order = lying_batches(model, by_class, term) - float(np.mean(found[1:]))
    assert of_the_order > 0
    assert max(found) - min(found) < of_the_order / 5


@pytest.mark.parametrize("kind", ["ae", "vae", "denoising", "iwae", "gan"])
def test_a_mean_over_rows_does_not_notice_the_deal(kind: str, by_class: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MODELS[kind](64, (16,), 3, backend="numpy", dtype="float64")
    dealt = terms_of(model, by_class)
    monkeypatch.setattr("npae.training.averages.deal", lambda n, batches, seed: np.array_split(np.arange(n), batches))
    assert dealt == pytest.approx(terms_of(model, by_class), rel=1e-12)


@pytest.mark.parametrize(("n", "batches"), [(1, 1), (7, 7), (10, 3), (128, 1), (10_000, 100)])
def test_every_row_is_dealt_once_in_batches_of_nearly_equal_size(n: int, batches: int) -> None:
    dealt = deal(n, batches, seed=3)
    assert sorted(np.concatenate(dealt)) == list(range(n))
    assert {len(rows) for rows in dealt} <= {n // batches, -(-n // batches)}
    assert all((np.diff(rows) > 0).all() for rows in dealt)


def test_the_seed_deals_and_nothing_else_does() -> None:
    first, again, other = (np.concatenate(deal(100, 5, seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_every_batch_holds_rows_from_everywhere() -> None:
    for rows in deal(10_000, 100, seed=0):
        counts = np.bincount(rows // 1000, minlength=10)  # 10 expected of each tenth
        assert counts.min() >= 1
        assert counts.max() <= 25


def test_two_backends_are_dealt_the_same_rows_and_noise(by_class: Array) -> None:
    numpy, numba = (MODELS["wae"](64, (16,), 3, backend=backend, dtype="float64") for backend in ("numpy", "numba"))
    assert terms_of(numpy, by_class[:200]) == pytest.approx(terms_of(numba, by_class[:200]), rel=1e-9)


def test_a_row_keeps_its_companion_and_its_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 7 stands beside label 7 and the noise of place 7, wherever it is dealt."""
    model = npae.CVAE(12, (4,), 2, classes=30, backend="numpy")
    x, y = np.eye(30, 12, dtype=np.float32), np.arange(30)
    x[:, 0] = y / 30
    eps = np.concatenate([model.draw(evaluation_seed(5), step, 10).eps for step in range(3)])
    seen: list[int] = []

    def loss(rows: Array, labels: Array, *, noise: Noise) -> Terms:
        np.testing.assert_allclose(rows[:, 0], labels / 30, rtol=1e-6)
        np.testing.assert_array_equal(noise.eps, eps[labels])
        seen.extend(labels)
        return Terms({"nll": 1.0})

    monkeypatch.setattr(model, "loss", loss)
    evaluate_terms(model, x, y, batch_size=10, seed=5)
    assert sorted(seen) == list(y)
    assert seen != list(y)


def test_no_numbers_are_drawn_for_a_dropout_that_is_off() -> None:
    model = npae.VAE(12, (4,), 2, dropout=0.5, backend="numpy")
    assert list(model.draw(0, 0, 3, dropout=False)) == ["eps"]
    assert list(model.draw(0, 0, 3)) == ["eps", "dropout0", "dropout1"]
    np.testing.assert_array_equal(model.draw(0, 0, 3, dropout=False).eps, model.draw(0, 0, 3).eps)


def test_a_resumed_training_deals_the_same_and_keeps_the_same_best_epoch(
    train_as: Make, stop_at: Any, state_of: Any, tmp_path: Path
) -> None:
    settings = {"validation": 0.4, "epochs": 5, "learning_rate": 0.05, "patience": 5}
    straight = train_as("wae", **settings)
    straight.run()
    stopped = train_as("wae", **settings)
    stop_at(stopped, 2, 2)
    save_checkpoint(stopped, tmp_path)
    resumed = train_as("wae", **settings)
    restore_checkpoint(resumed, tmp_path)
    resumed.run()
    assert state_of(resumed) == state_of(straight)
    assert straight.best.epoch
