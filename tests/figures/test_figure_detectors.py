"""ROC curves and areas by class: areas checked against scikit-learn, places of the marks, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score, roc_curve

from npae.errors import InputError
from npae.figures.auroc_by_class import auroc_by_class
from npae.figures.roc import roc

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1], 50)
SCORES = LABELS + RNG.standard_normal(100)
FALSE, TRUE, _ = roc_curve(LABELS, SCORES)
CLASSES = [f"digit {k}" for k in range(10)]
AREAS = {"reconstruction error": np.linspace(0.7, 0.99, 10), "one-class SVM": np.linspace(0.6, 0.9, 10)}


def test_the_legend_gives_the_area_that_scikit_learn_gives() -> None:
    figure = roc({"ELBO": (FALSE, TRUE)})
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == f"ELBO  {roc_auc_score(LABELS, SCORES):.3f}"  # type: ignore[union-attr]


def test_each_curve_has_its_own_colour_and_line_over_the_diagonal() -> None:
    diagonal, *curves = roc({name: (FALSE, TRUE) for name in "abc"}).axes[0].get_lines()
    np.testing.assert_array_equal(diagonal.get_xydata(), [[0, 0], [1, 1]])
    assert len({(line.get_color(), line.get_linestyle()) for line in curves}) == 3
    np.testing.assert_array_equal(curves[0].get_xydata(), np.stack([FALSE, TRUE], axis=1))


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, "curves: 0, expected 1 to 8"),
        ({"a": ([0, 1], [0, 0.5, 1])}, "a: 2 shares of false alarms, 3 found"),
        ({"a": ([0, 0.6, 0.5, 1], [0, 0.5, 0.6, 1])}, "a, false alarms: goes from 0 to 1, expected a share that grows"),
        ({"a": ([0, 1], [0, 0.9])}, r"a, found: goes from 0 to 0\.9"),
    ],
)
def test_a_curve_that_is_none_is_refused(curves: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        roc(curves)


def test_each_class_is_a_line_from_the_top_and_the_mean_comes_last() -> None:
    figure = auroc_by_class(AREAS, CLASSES)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [*CLASSES, "mean"]
    assert axes.yaxis_inverted()
    marks = [line for line in axes.get_lines() if line.get_marker() not in ("", "None", None)]
    for line, values in zip(marks, AREAS.values(), strict=True):
        np.testing.assert_allclose(np.asarray(line.get_xdata(), dtype=float), [*values, values.mean()])
        assert (np.abs(np.asarray(line.get_ydata(), dtype=float) - axes.get_yticks()) < 0.3).all()
    assert len({line.get_marker() for line in marks}) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["reconstruction error, mean 0.845", "one-class SVM, mean 0.750"]


def test_an_interval_is_a_bar_through_its_mark_and_stays_in_view() -> None:
    values = AREAS["one-class SVM"]
    ends = np.stack([values - 0.05, values + 0.05], axis=1)
    axes = auroc_by_class(AREAS, CLASSES, intervals={"one-class SVM": ends}).axes[0]
    (bars,) = axes.collections
    segments = np.array([path.vertices for path in bars.get_paths()])
    np.testing.assert_allclose(segments[:, :, 0], ends)
    assert axes.get_xlim()[0] < ends.min()


def test_the_words_of_five_detectors_do_not_collide(overlapping_texts: Callable[[Figure], object]) -> None:
    assert (
        overlapping_texts(auroc_by_class({f"{name} {k}": AREAS["one-class SVM"] for k in range(5) for name in ["detector"]}, CLASSES)) == []
    )
    assert overlapping_texts(auroc_by_class(AREAS, CLASSES)) == []
    assert overlapping_texts(roc({f"importance-weighted bound {k}": (FALSE, TRUE) for k in range(8)})) == []


@pytest.mark.parametrize(
    ("areas", "options", "message"),
    [
        ({}, {}, "areas: 0 detectors"),
        ({"a": [0.5]}, {}, r"a: shape \(1,\), expected \(10,\)"),
        ({"a": np.full(10, 1.2)}, {}, "expected areas from 0 to 1"),
        (AREAS, {"intervals": {"b": np.zeros((10, 2))}}, "intervals: 'b' has no areas"),
    ],
)
def test_areas_that_do_not_fit_are_refused(areas: Any, options: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        auroc_by_class(areas, CLASSES, **options)
