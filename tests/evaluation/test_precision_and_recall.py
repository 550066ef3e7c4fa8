"""Precision and recall of samples: known cases, a double loop, and features that a classifier learnt."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.classifier import fit_classifier
from npae.evaluation.precision_recall import precision_recall
from npae.evaluation.purity import knn_purity


def normal(seed: int, n: int, d: int = 2) -> Array:
    return np.random.default_rng(seed).standard_normal((n, d))


def share_inside(points: Array, centres: Array, k: int) -> float:
    """Ball by ball."""
    radii = [sorted(np.linalg.norm(centres - centre, axis=1))[k] for centre in centres]
    return float(np.mean([any(np.linalg.norm(p - c) <= r for c, r in zip(centres, radii, strict=True)) for p in points]))


def test_the_shares_are_those_of_a_double_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npae.evaluation.precision_recall.BLOCK", 32)
    real, drawn = normal(0, 100), normal(1, 80) + 1
    found = precision_recall(real, drawn, k=3)
    assert found.precision == share_inside(drawn, real, 3)
    assert found.recall == share_inside(real, drawn, 3)


def test_worked_by_hand_on_a_line() -> None:
    """k = 1: about 0, 1, 5 the balls reach 1, 1 and 4; of 2, 3, 20 only 20 is outside. About 2, 3, 20 they reach 1, 1, 17."""
    real, drawn = np.array([[0.0], [1.0], [5.0]]), np.array([[2.0], [3.0], [20.0]])
    assert precision_recall(real, drawn, k=1) == (2 / 3, 2 / 3)  # of 0, 1, 5: 1 is in the ball about 2, 5 in that about 20


def test_samples_of_the_same_distribution_are_good_and_cover_it() -> None:
    found = precision_recall(normal(0, 1000), normal(1, 1000))
    assert found.precision > 0.93
    assert found.recall > 0.93
    assert abs(found.precision - found.recall) < 0.05


def test_samples_from_elsewhere_are_neither() -> None:
    assert precision_recall(normal(0, 300), normal(1, 300) + 100) == (0.0, 0.0)


def test_one_of_two_modes_is_precise_and_covers_half() -> None:
    centres = np.array([[-20.0, 0.0], [20.0, 0.0]])
    real = normal(0, 1000) + centres[np.arange(1000) % 2]
    found = precision_recall(real, normal(1, 1000) + centres[0])
    assert found.precision > 0.95
    assert found.recall == pytest.approx(0.5, abs=0.02)


def test_a_wide_sample_covers_all_and_is_not_precise() -> None:
    found = precision_recall(0.2 * normal(0, 1000), 2 * normal(1, 1000))
    assert found.recall > 0.95
    assert found.precision < 0.3


def test_too_few_points_are_refused() -> None:
    with pytest.raises(InputError, match="k 3 nearest neighbours among 3 points: expected 1 to 2"):
        precision_recall(normal(0, 3), normal(1, 50))
    with pytest.raises(InputError, match="features"):
        precision_recall(normal(0, 9, d=3), normal(1, 50))


@pytest.fixture(scope="module")
def digits() -> tuple[Array, Array]:
    """1,797 images of 8 x 8."""
    found = load_digits()
    return (found.data / 16).astype(np.float32), found.target


def test_the_classifier_has_learnt_the_classes_and_its_features_hold_them(digits: tuple[Array, Array]) -> None:
    x, labels = digits
    classifier = fit_classifier(x[:1200], labels[:1200])
    assert classifier.accuracy(x[1200:], labels[1200:]) > 0.85
    h = classifier.features(x[1200:])
    assert h.shape == (597, 64)
    assert (h >= 0).all()
    weights, bias = classifier.network.coefs_[-1], classifier.network.intercepts_[-1]
    np.testing.assert_array_equal((h @ weights + bias).argmax(axis=1), classifier.predict(x[1200:]))
    assert knn_purity(h, labels[1200:]) > 0.85


def test_the_seed_decides_the_classifier(digits: tuple[Array, Array]) -> None:
    x, labels = digits[0][:200], digits[1][:200]
    first, again, other = (fit_classifier(x, labels, seed=seed).features(x[:5]) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_single_class_is_refused(digits: tuple[Array, Array]) -> None:
    with pytest.raises(InputError, match="at least 2 classes"):
        fit_classifier(digits[0][:20], np.ones(20))
    with pytest.raises(InputError, match="one label a row"):
        fit_classifier(digits[0][:20], np.ones(19))
