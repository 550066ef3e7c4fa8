"""Shares of the terms, divergence by unit, histograms of codes, the t-SNE map: the numbers that are drawn, and the words for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from scipy.stats import norm

from npae.errors import InputError, NonFiniteError
from npae.figures.aggregated_posterior import aggregated_posterior
from npae.figures.embedding_map import embedding_map
from npae.figures.kl_per_unit import kl_per_unit
from npae.figures.term_shares import term_shares


def row(step: int, nll: float, kl: float, watched: float = 3.0) -> dict[str, Any]:
    """A row of a history whose KL weighs a half."""
    weights = {"nll": 1.0, "kl": 0.5, "exact": 0.0}
    return {"epoch": step, "step": step, "weights": weights, "train": {"total": nll + 0.5 * kl, "nll": nll, "kl": kl, "exact": watched}}


def histogram(axes: Axes) -> Any:
    """The values and edges that a panel draws."""
    return next(patch for patch in axes.patches if isinstance(patch, StepPatch)).get_data()


def test_weighted_terms_and_their_sum_are_drawn_against_the_step() -> None:
    figure = term_shares([row(600, 90.0, 20.0), row(1200, 80.0, 40.0)])
    lines: dict[Any, Any] = {str(line.get_label()).split()[0]: line.get_xydata() for line in figure.axes[0].get_lines()}
    np.testing.assert_array_equal(lines["total"], [[600, 100], [1200, 100]])
    np.testing.assert_array_equal(lines["nll"], [[600, 90], [1200, 80]])
    np.testing.assert_array_equal(lines["kl"], [[600, 10], [1200, 20]])
    assert "exact" not in lines  # only watched: it is no part of the sum
    assert figure.axes[0].get_xlabel() == "step"


def test_the_legend_gives_the_last_value_and_its_share() -> None:
    figure = term_shares([row(600, 90.0, 20.0), row(1200, 98.0, 4.0)])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["total  100", "nll  98  (98 %)", "kl  2  (2 %)"]


def test_a_term_that_becomes_negative_is_seen_below_a_line_at_zero() -> None:
    axes = term_shares([row(1, 5.0, 1.0), row(2, 4.0, -1.0)]).axes[0]
    assert axes.get_ylim()[0] < -0.5
    assert term_shares([row(1, 5.0, 1.0)]).axes[0].get_ylim()[0] == 0


def test_first_epochs_that_dwarf_the_rest_leave_the_panel_and_are_named(texts: Callable[[Figure], list[str]]) -> None:
    history = [row(10, 9000.0, 1.0), *(row(10 * e, 100.0 - e, 1.0) for e in range(2, 30))]
    figure = term_shares(history, note="not a bound")
    assert figure.axes[0].get_ylim()[1] < 200
    said = " ".join(texts(figure)).replace("\n", " ")
    assert "to step 10 off scale, total up to 9000" in said or "to step 10 off scale, total up to 9e+03" in said
    assert "not a bound" in said


def test_a_history_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="no rows"):
        term_shares([])
    with pytest.raises(InputError, match="history row 0: no 'weights'"):
        term_shares([{"step": 1, "train": {"total": 1.0}}])
    with pytest.raises(InputError, match="steps do not increase"):
        term_shares([row(2, 1.0, 1.0), row(2, 1.0, 1.0)])
    with pytest.raises(NonFiniteError, match="nll: nan"):
        term_shares([row(1, 1.0, 1.0) | {"train": {"total": 1.0, "nll": np.nan, "kl": 1.0, "exact": 0.0}}])


def test_units_are_sorted_by_divergence_and_inactive_ones_look_different() -> None:
    axes = kl_per_unit([0.5, 2.0, 0.0, 1.0], np.array([True, True, False, True])).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["z₂", "z₄", "z₁", "z₃"]
    assert [bar.get_height() for bar in axes.patches] == [2.0, 1.0, 0.5, 0.0]  # type: ignore[attr-defined]
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, False, False, True]
    assert axes.get_title(loc="left") == "3.500 nats in all"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["active: 3", "inactive: 1"]  # type: ignore[union-attr]


def test_a_divergence_below_zero_or_without_its_unit_is_refused() -> None:
    with pytest.raises(InputError, match=r"kl: -0\.5 is below 0"):
        kl_per_unit([1.0, -0.5], np.array([True, True]))
    with pytest.raises(InputError, match="as many truth values"):
        kl_per_unit([1.0, 0.5], np.array([True]))
    with pytest.raises(InputError, match="as many truth values"):
        kl_per_unit([1.0, 0.5], np.array([1.0, 0.0]))


def test_draws_of_the_prior_lie_under_the_curve_of_the_prior() -> None:
    z = np.random.default_rng(0).standard_normal((200_000, 2))
    for axes in aggregated_posterior(z).axes:
        (curve,) = axes.get_lines()
        np.testing.assert_allclose(
            np.asarray(curve.get_ydata(), dtype=float), norm.pdf(np.asarray(curve.get_xdata(), dtype=float)), atol=1e-12
        )
        steps = histogram(axes)
        middle = (steps.edges[1:] + steps.edges[:-1]) / 2
        np.testing.assert_allclose(steps.values, norm.pdf(middle), atol=0.015)


def test_a_histogram_is_a_density_also_where_values_lie_outside(texts: Callable[[Figure], list[str]]) -> None:
    z = np.zeros((100, 1))
    z[-1] = 50.0
    figure = aggregated_posterior(np.repeat(z, 40, axis=0))
    data = histogram(figure.axes[0])
    assert (data.values * np.diff(data.edges)).sum() <= 1 + 1e-9
    far = np.zeros((5000, 1))
    far[0] = 50.0
    assert any("1 of 5,000 values lie outside" in text for text in texts(aggregated_posterior(far)))


def test_each_panel_says_its_moments_and_no_more_than_24_are_drawn(texts: Callable[[Figure], list[str]]) -> None:
    z = np.tile([[-1.0], [3.0]], (1, 30))
    figure = aggregated_posterior(z)
    assert len(figure.axes) == 24
    assert figure.axes[0].get_title(loc="left") == "z₁   mean 1.00, sd 2.00"
    assert any("units 1 to 24 of 30" in text for text in texts(figure))


def test_a_single_code_makes_no_histogram() -> None:
    with pytest.raises(InputError, match="1 row, expected at least 2"):
        aggregated_posterior([[1.0, 2.0]])


def test_a_map_has_points_and_colours_but_no_units() -> None:
    figure = embedding_map(np.random.default_rng(0).standard_normal((40, 2)), np.arange(40) % 10)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)")
    figure.draw_without_rendering()
    assert not any(label.get_visible() and label.get_text() for label in axes.get_xticklabels() + axes.get_yticklabels())
    assert len(figure.axes) == 2


@pytest.mark.parametrize("units", [1, 3, 26])
def test_the_words_do_not_collide_for_any_number_of_units(units: int, overlapping_texts: Callable[[Figure], object]) -> None:
    rng = np.random.default_rng(units)
    assert overlapping_texts(kl_per_unit(rng.random(units), rng.random(units) > 0.2)) == []
    assert overlapping_texts(aggregated_posterior(rng.standard_normal((50, units)))) == []
    assert overlapping_texts(term_shares([row(e, 100 / e, 4.0) for e in range(1, units + 1)])) == []
