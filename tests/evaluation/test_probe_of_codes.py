"""What the probe says of codes whose class is plain, hidden behind a scale, in rings, or not there."""

from __future__ import annotations

import numpy as np
import pytest

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.probe import cluster_agreement, logistic_accuracy, neighbour_accuracy, probe


def groups(seed: int, n: int = 300, spread: float = 0.1) -> tuple[Array, Array]:
    """Three groups on a triangle."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=n)
    centres = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return centres[labels] + spread * rng.standard_normal((n, 2)), labels


def test_separate_groups_score_one_everywhere() -> None:
    found = probe(*groups(0), *groups(1)).as_dict()
    assert list(found) == ["logistic", "neighbours", "nmi", "ari"]
    assert min(found.values()) > 0.98


def test_codes_without_the_class_score_as_chance_does() -> None:
    (train, train_labels), (test, test_labels) = groups(0), groups(1, n=3000)
    rng = np.random.default_rng(2)
    found = probe(rng.standard_normal(train.shape), train_labels, rng.standard_normal(test.shape), test_labels)
    assert found.logistic == pytest.approx(1 / 3, abs=0.05)
    assert found.neighbours == pytest.approx(1 / 3, abs=0.05)
    assert abs(found.nmi) < 0.02
    assert abs(found.ari) < 0.02


def test_rings_are_for_neighbours_and_not_for_a_line() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=600)
    angle, radius = rng.uniform(0, 2 * np.pi, 600), 1 + 2 * labels
    codes = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    parts = codes[:400], labels[:400], codes[400:], labels[400:]
    assert neighbour_accuracy(*parts) > 0.99
    assert logistic_accuracy(*parts) < 0.65


def test_the_scale_of_a_column_is_nothing_to_the_logistic_regression() -> None:
    (train, train_labels), (test, test_labels) = groups(0, spread=0.4), groups(1, spread=0.4)
    scale = np.array([1e4, 1e-4])
    assert logistic_accuracy(train * scale, train_labels, test * scale, test_labels) == logistic_accuracy(
        train, train_labels, test, test_labels
    )


def test_a_unit_that_says_little_is_not_blown_up_for_neighbours() -> None:
    """Ten columns of small noise beside the two that hold the groups."""
    rng = np.random.default_rng(3)
    (train, train_labels), (test, test_labels) = groups(0), groups(1)
    train, test = (np.concatenate([codes, 0.01 * rng.standard_normal((len(codes), 10))], axis=1) for codes in (train, test))
    assert neighbour_accuracy(train, train_labels, test, test_labels) > 0.98
    assert min(cluster_agreement(train, 3, test, test_labels)) > 0.95


def test_many_rows_are_probed_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npae.evaluation.probe.ROWS", 50)
    train, test = groups(0), groups(1, spread=0.5)
    found = [probe(*train, *test, seed=seed).logistic for seed in range(5)]
    assert all(round(one * 50) == pytest.approx(one * 50) for one in found)
    assert len(set(found)) > 1
    assert probe(*train, *test, seed=3).logistic == found[3]


def test_labels_that_do_not_fit_are_refused() -> None:
    codes, labels = groups(0)
    with pytest.raises(InputError, match="299 labels for 300 training codes"):
        probe(codes, labels[:-1], codes, labels)
    with pytest.raises(InputError, match="at least 2 classes"):
        probe(codes, np.zeros(300, int), codes, labels)
