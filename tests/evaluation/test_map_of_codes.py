"""t-SNE keeps groups together and repeats itself; purity counts neighbours as a double loop does."""

from __future__ import annotations

import numpy as np
import pytest

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.purity import chance_purity, knn_purity
from npae.evaluation.tsne import tsne


@pytest.fixture(scope="module")
def groups() -> tuple[Array, Array]:
    """Three groups in five dimensions."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=150)
    return (4 * np.eye(5)[labels] + 0.5 * rng.standard_normal((150, 5))).astype(np.float32), labels


def test_groups_of_codes_stay_groups_on_the_map(groups: tuple[Array, Array]) -> None:
    codes, labels = groups
    places = tsne(codes)
    assert places.shape == (150, 2)
    assert knn_purity(places, labels) > 0.98
    np.testing.assert_array_equal(places, tsne(codes))


def test_more_neighbours_than_points_are_refused(groups: tuple[Array, Array]) -> None:
    with pytest.raises(InputError, match="t-SNE of 30 points with perplexity 30: expected more points"):
        tsne(groups[0][:30])
    with pytest.raises(InputError, match="codes of 1 number"):
        tsne(groups[0][:, :1])


def test_purity_is_that_of_a_double_loop(groups: tuple[Array, Array]) -> None:
    labels = groups[1]
    points = np.random.default_rng(1).standard_normal((150, 2))
    shares = []
    for i, point in enumerate(points):
        order = [j for j in np.argsort(((points - point) ** 2).sum(axis=1)) if j != i]
        shares.append(np.mean(labels[order[:7]] == labels[i]))
    assert knn_purity(points, labels, k=7) == pytest.approx(np.mean(shares), abs=1e-12)


def test_places_without_the_label_have_the_purity_of_chance() -> None:
    rng = np.random.default_rng(2)
    labels = rng.choice(3, p=[0.6, 0.3, 0.1], size=4000)
    assert chance_purity(labels) == pytest.approx(0.46, abs=0.02)
    assert knn_purity(rng.standard_normal((4000, 2)), labels) == pytest.approx(chance_purity(labels), abs=0.02)


def test_labels_and_neighbours_that_do_not_fit_are_refused(groups: tuple[Array, Array]) -> None:
    codes, labels = groups
    with pytest.raises(InputError, match="one label a point"):
        knn_purity(codes, labels[:10])
    with pytest.raises(InputError, match="k 150 nearest neighbours among 150 points"):
        knn_purity(codes, labels, k=150)
