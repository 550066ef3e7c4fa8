"""The picture of the gradient's flow and that of the hardest rows show the numbers they are given."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from npae.errors import InputError
from npae.figures.gradient_flow import gradient_flow
from npae.figures.influential import influential
from npae.figures.style import encoded
from npae.inspection.flow import Flow, lay_open
from npae.inspection.reach import coming_rows
from npae.models import VAE
from npae.optim import Adam
from npae.training.loop import Trainer
from npae.training.repro import Step


@pytest.fixture(scope="module")
def flow() -> Flow:
    """A step of a small VAE."""
    model = VAE(12, (7,), 3, backend="numpy", initialiser="pytorch")
    trainer = Trainer(model, Adam(model.parameters), np.random.default_rng(0).random((20, 12)).astype(np.float32), epochs=1, batch_size=10)
    return lay_open(Step.of(trainer, coming_rows(trainer), ""), repeats=0)


def test_each_node_with_a_gradient_has_its_line_and_its_root_mean_square(flow: Flow) -> None:
    scales, updates, shares = gradient_flow(flow).axes
    nodes = [node for node in flow.nodes if node.dy_norm is not None]
    assert [label.get_text() for label in scales.get_yticklabels()] == [f"{node.node}  {node.kind}" for node in nodes]
    lines = {str(line.get_label()): line for line in scales.get_lines()}
    expected = [(node.dy_norm or 0) / math.sqrt(math.prod(node.shape)) for node in nodes]
    np.testing.assert_allclose(np.asarray(lines["dy"].get_xdata(), float), expected)
    of_weights = {str(line.get_label()): line for line in updates.get_lines()}["W"]
    np.testing.assert_allclose(np.asarray(of_weights.get_xdata(), float), [node.update["W"] or 0.0 for node in nodes if "W" in node.update])
    assert shares.get_xlim() == (0, 1)


def test_it_is_the_same_picture_each_time(flow: Flow) -> None:
    assert encoded(gradient_flow(flow), "svg") == encoded(gradient_flow(flow), "svg")


def test_a_step_without_gradients_is_no_picture(flow: Flow) -> None:
    with pytest.raises(InputError, match="no flow to draw"):
        gradient_flow(replace(flow, nodes=tuple(replace(node, dy_norm=None) for node in flow.nodes)))


def test_the_hardest_rows_are_named_with_their_norm_beside_the_median() -> None:
    figure = influential(np.random.default_rng(0).random((10, 12)), range(40, 50), np.arange(10, 0, -1), 2.0, (3, 4), note="a note")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="center") for axes in shown][:2] == ["row 40\n5.0 x median", "row 41\n4.5 x median"]
    assert len(shown) == 10


@pytest.mark.parametrize(("rows", "median"), [(range(9), 1.0), (range(10), 0.0)])
def test_rows_that_do_not_fit_the_images_are_refused(rows: range, median: float) -> None:
    with pytest.raises(InputError, match="expected one of each"):
        influential(np.zeros((10, 12)), rows, np.ones(10), median, (3, 4))
