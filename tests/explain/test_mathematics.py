"""One formula, two faces: a line that reads as the docstrings do, and MathML that a browser typesets."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from npae.explain import matrices
from npae.explain.mathematics import mathml, plain


@pytest.mark.parametrize(
    ("latex", "line"),
    [
        (r"dW = x^\top dy", "dW = x^T dy"),
        (r"\frac{\partial L}{\partial W_{io}} = \sum_b dy_{bo} x_{bi}", "∂L/∂W_io = Σ_b dy_bo x_bi"),
        (r"y = \frac{1}{1 + e^{-x}}", "y = 1/(1 + e^(-x))"),
        (r"\frac{x + 1}{2 n} - \frac{a}{n(n-1)}", "(x + 1)/(2 n) - a/(n(n - 1))"),
        (r"-\log p(x) = -x \log p - (1 - x) \log(1 - p)", "-log p(x) = -x log p - (1 - x) log(1 - p)"),
        (r"d_{bj}^2 \lVert W_j \rVert^2", "d_bj^2 ||W_j||^2"),
        (r"\operatorname{KL}(q \,\|\, p)", "KL(q || p)"),
        (r"f'(x) = e^{2s}", "f'(x) = e^(2s)"),
        (r"a = 1 \qquad b = 2", "a = 1    b = 2"),
        (r"E[z] + 2 (x - y) [x \ge 0]", "E[z] + 2(x - y)[x ≥ 0]"),
        (r"\frac{m}{\sqrt{v} + \epsilon}", "m/(sqrt(v) + ϵ)"),
        (r"\text{scale} \left( \hat{m} \odot \tilde{x} \right)", "scale (m_hat o x~)"),
    ],
)
def test_a_formula_reads_as_one_writes_by_hand(latex: str, line: str) -> None:
    assert plain(latex) == line


def test_mathml_is_one_well_formed_element_without_names_of_entities() -> None:
    text = mathml(r"\sum_{i \ne j} \frac{\partial k}{\partial \sigma^2} \lVert x \rVert^2")
    tree = ElementTree.fromstring(text)
    assert tree.tag == "{http://www.w3.org/1998/Math/MathML}math"
    assert tree.get("display") == "block"
    assert "&#" not in text
    assert {"munder", "mfrac", "msup"} <= {element.tag.partition("}")[2] for element in tree.iter()}
    assert mathml("x", block=False).count('display="inline"') == 1


def test_a_prime_stands_beside_its_letter_and_a_norm_does_not_stretch() -> None:
    tree = ElementTree.fromstring(mathml(r"f_k'(x) \lVert x \rVert"))
    tags = [element.tag.partition("}")[2] for element in tree.iter()]
    assert "msubsup" not in tags
    assert "msub" in tags
    assert [element.get("stretchy") for element in tree.iter() if element.text == "‖"] == ["false", "false"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([[1.0, 2.5], [0.0, -1.0]], ["y = [ 1   2.5 ]", "    [ 0  -1   ]"]),
        (0.1 + 0.2, ["y = 0.3"]),
        (1 / 3, ["y = 0.3333"]),
        (np.array([1, 2]), ["y = [ 1  2 ]"]),
        (1.5e-8, ["y = 1.5e-08"]),
        (np.array([True, False]), ["y = [ 1  0 ]"]),
        (-0.0, ["y = 0"]),
    ],
)
def test_numbers_take_no_more_digits_than_they_need(value: object, expected: list[str]) -> None:
    assert [line.rstrip() for line in matrices.lines("y", value)] == expected


def test_every_row_of_a_matrix_is_as_wide_as_the_others() -> None:
    lines = matrices.lines("W", np.array([[1.25, -10, 0], [100, 0.5, 1e-5]]))
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("name", "latex"),
    [("dW1", r"dW_{\text{1}}"), ("dmu", r"d\mu "), ("sigma2", r"\sigma^2"), ("total", r"\text{total}"), ("k_zw", r"k_{\text{zw}}")],
)
def test_a_name_of_the_code_becomes_a_symbol(name: str, latex: str) -> None:
    assert matrices.symbol(name) == latex


def test_arrays_of_another_shape_are_never_equal() -> None:
    assert matrices.difference(np.zeros((2, 3)), np.zeros(3)) == float("inf")
    assert matrices.difference([100.0, 1.0], [101.0, 1.0]) == pytest.approx(1 / 101)
