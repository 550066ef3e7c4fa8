"""The loss curves: panels, lines, scales and the words for what lies outside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from npae import models
from npae.errors import InputError, NonFiniteError
from npae.figures.loss_curves import UNITS, loss_curves
from npae.figures.panel_scale import panel_scale

Row = dict[str, Any]


def rows(**columns: list[float]) -> list[Row]:
    """A history without validation: one row for each value."""
    n = len(next(iter(columns.values())))
    return [{"epoch": e + 1, "step": 10 * e, "train": {k: v[e] for k, v in columns.items()}, "validation": None} for e in range(n)]


def panel(figure: Figure, term: str) -> Axes:
    """The panel that carries this title."""
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == term)


def test_each_term_has_its_panel_and_the_total_comes_first() -> None:
    figure = loss_curves(rows(nll=[3.0, 2.0], kl=[0.1, 0.2], total=[3.1, 2.2]))
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()] == ["total", "nll", "kl"]


def test_a_total_that_is_one_term_alone_is_not_drawn_twice() -> None:
    history = rows(total=[1.7, 1.6], generator=[1.7, 1.6], discriminator=[0.7, 0.8])
    assert [axes.get_title(loc="left") for axes in loss_curves(history).axes] == ["generator", "discriminator"]
    history[1]["validation"] = {"total": 1.5, "generator": 1.4}  # they part here
    assert [axes.get_title(loc="left") for axes in loss_curves(history).axes] == ["total", "generator", "discriminator"]


@pytest.mark.parametrize("n_terms", [1, 3, 4, 7])
def test_any_number_of_terms_has_as_many_visible_panels(n_terms: int, overlapping_texts: Callable[[Figure], object]) -> None:
    figure = loss_curves(rows(**{f"reconstruction {i}": [540.0, 130.0, 101.0, 100.5, 100.0] for i in range(n_terms)}))
    assert sum(axes.get_visible() for axes in figure.axes) == n_terms
    assert overlapping_texts(figure) == []


def test_train_is_solid_and_validation_is_dashed_at_the_epochs_it_was_measured() -> None:
    history = rows(total=[3.0, 2.0, 1.5])
    history[1]["validation"] = {"total": 2.5}
    train, validation = panel(loss_curves(history), "total").get_lines()
    assert (train.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    np.testing.assert_array_equal(train.get_xydata(), [[1, 3], [2, 2], [3, 1.5]])
    np.testing.assert_array_equal(validation.get_xydata(), [[2, 2.5]])


def test_the_legend_names_only_what_is_drawn() -> None:
    history = rows(total=[3.0, 2.0])
    assert [text.get_text() for text in loss_curves(history).legends[0].get_texts()] == ["train"]
    history[0]["validation"] = {"total": 2.5}
    names = [text.get_text() for text in loss_curves(history, best_epoch=2).legends[0].get_texts()]
    assert names == ["train", "validation", "best epoch 2"]


def test_the_unit_stands_at_the_axis() -> None:
    assert panel(loss_curves(rows(total=[1.0]), unit="nats per row"), "total").get_ylabel() == "nats per row"


def test_a_term_of_another_unit_says_its_own_wherever_its_panel_stands() -> None:
    figure = loss_curves(rows(total=[21.0], reconstruction=[20.0], mmd=[0.1]), unit="squared error per image")
    assert panel(figure, "total").get_ylabel() == "squared error per image"
    assert panel(figure, "mmd").get_ylabel() == "MMD²"
    assert panel(figure, "reconstruction").get_ylabel() == ""  # as the panel at its left


def test_the_terms_with_a_unit_of_their_own_are_terms_of_some_model() -> None:
    sources = "".join(path.read_text() for path in Path(models.__file__).parent.glob("*.py"))
    for term in UNITS:
        assert f'"{term}"' in sources or f"{term}=" in sources, term


def test_a_single_epoch_is_seen_as_a_point_and_200_are_a_plain_line() -> None:
    (line,) = panel(loss_curves(rows(total=[3.0])), "total").get_lines()
    assert line.get_marker() == "o"
    (line,) = panel(loss_curves(rows(total=[2.0] * 200)), "total").get_lines()
    assert line.get_marker() == ""


def test_the_best_epoch_is_a_line_in_every_panel() -> None:
    figure = loss_curves(rows(total=[3.0, 2.0, 2.5], kl=[0.1, 0.2, 0.3]), best_epoch=2)
    for axes in figure.axes:
        assert np.asarray(axes.get_lines()[-1].get_xdata()).tolist() == [2, 2]


def test_first_epochs_that_dwarf_the_rest_leave_the_panel_and_are_named(texts: Callable[[Figure], list[str]]) -> None:
    figure = loss_curves(rows(total=[540.0, 300.0, *np.linspace(101, 100, 18)]))
    low, high = panel(figure, "total").get_ylim()
    assert 99 < low < 100
    assert 101 < high < 102
    assert "epochs 1–2 off scale, up to 540" in texts(figure)


def test_a_first_epoch_far_below_the_rest_is_named_too(texts: Callable[[Figure], list[str]]) -> None:
    figure = loss_curves(rows(kl=[-3.25, *np.linspace(20, 21, 9)]))
    assert "epoch 1 off scale, down to −3.25" in texts(figure)


def test_a_steady_fall_over_decades_is_logarithmic_and_hides_nothing(texts: Callable[[Figure], list[str]]) -> None:
    figure = loss_curves(rows(total=[1000 / e for e in range(1, 101)]))
    axes = panel(figure, "total")
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert low < 10
    assert high > 1000
    assert not any("off scale" in text for text in texts(figure))


def test_negative_values_are_linear_with_a_line_at_zero() -> None:
    axes = panel(loss_curves(rows(mmd=[0.9, -0.001, 0.002, -0.003])), "mmd")
    assert axes.get_yscale() == "linear"
    assert np.asarray(axes.get_lines()[-1].get_ydata()).tolist() == [0, 0]


def test_a_small_term_beside_a_large_one_fills_its_own_panel() -> None:
    figure = loss_curves(rows(nll=[501.0, 500.0, 499.0], kl=[1e-4, 2e-4, 3e-4]))
    low, high = panel(figure, "kl").get_ylim()
    assert 0 < high - low < 3e-4


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(-1e9, 1e9) | st.floats(1e-9, 1.0), min_size=1, max_size=2), min_size=1, max_size=60))
def test_a_scale_shows_all_rows_but_the_hidden_ones_of_the_first_fifth(values: list[list[float]]) -> None:
    scale = panel_scale(values)
    assert 0 <= scale.hidden <= len(values) // 5
    assert np.isfinite([scale.low, scale.high]).all()
    assert scale.low < scale.high
    assert not scale.log or (scale.low > 0 and scale.hidden == 0)
    assert all(scale.low <= value <= scale.high for row in values[scale.hidden :] for value in row)


@settings(deadline=None)
@given(st.lists(st.floats(1.0, 1e9), min_size=5, max_size=60))
def test_settled_rows_fill_about_a_quarter_of_the_panel(values: list[float]) -> None:
    scale = panel_scale([[value] for value in values])
    settled = np.array(values[len(values) // 5 :])
    if settled.max() - settled.min() > 1e-3 * settled.max():
        shown = np.log(settled) if scale.log else settled
        low, high = (np.log([scale.low, scale.high])) if scale.log else (scale.low, scale.high)
        assert (shown.max() - shown.min()) / (high - low) > 0.25 / 1.1 - 1e-6


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([], "no rows"),
        ([{"train": {"total": 1.0}}], "row 0: no 'epoch'"),
        ([{"epoch": 1}], "row 0: no 'train'"),
        ([{"epoch": 1, "train": {}}], "no row has a term"),
        ([{"epoch": "one", "train": {"total": 1.0}}], "epoch: 'one'"),
        ([{"epoch": 2, "train": {"total": 1.0}}, {"epoch": 2, "train": {"total": 1.0}}], "epoch 2 comes after epoch 2"),
        ([{"epoch": 1, "train": {"total": "high"}}], "epoch 1, train total: 'high'"),
        ([{"epoch": 1, "train": {"total": 1.0}, "validation": {"total": True}}], "epoch 1, validation total: True"),
    ],
)
def test_a_history_that_cannot_be_drawn_is_refused_in_one_line(history: list[Row], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        loss_curves(history)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_named_by_epoch_and_term(value: float) -> None:
    with pytest.raises(NonFiniteError, match="epoch 2, train kl"):
        loss_curves(rows(kl=[1.0, value]))


def test_a_best_epoch_outside_the_history_is_refused() -> None:
    with pytest.raises(InputError, match="best_epoch: 7 is not in the history, which has epochs 1 to 2"):
        loss_curves(rows(total=[2.0, 1.0]), best_epoch=7)
