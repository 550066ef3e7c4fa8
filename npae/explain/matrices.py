"""Small arrays of numbers, as a person writes them: in brackets, with no more digits than it takes.

lines("y", [[1, 2.5], [0, -1]])        y = [ 1   2.5 ]
                                           [ 0  -1   ]
latex("y", [[1, 2.5], [0, -1]])        the same as a matrix
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from npae.backend import Array

DECIMALS = 4  # at most
GREEK = ("alpha", "beta", "delta", "epsilon", "eps", "eta", "gamma", "lambda", "mu", "rho", "sigma", "theta")


def written(values: Any) -> list[list[str]]:
    """Rows of numbers, or of words, as texts."""
    table = np.atleast_2d(np.asarray(values))
    if table.ndim > 2:
        table = table.reshape(-1, table.shape[-1])
    if table.dtype.kind == "U":
        return [[str(word).replace("_", " ") for word in row] for row in table.tolist()]
    if table.dtype == bool:
        table = table.astype(int)
    if np.issubdtype(table.dtype, np.integer):
        return [[str(value) for value in row] for row in table.tolist()]
    decimals = [_decimals(column) for column in table.T]
    return [[_number(value, digits) for value, digits in zip(row, decimals, strict=True)] for row in table.tolist()]


def lines(name: str, values: Any) -> list[str]:
    """The array under its name, a line a row."""
    rows = written(values)
    if np.ndim(values) == 0:
        return [f"{name} = {rows[0][0].strip()}"]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    body = ["[ " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) + " ]" for row in rows]
    indent = " " * (len(name) + 3)
    return [f"{name} = {body[0]}", *(indent + line for line in body[1:])]


def latex(name: str, values: Any) -> str:
    """The array under its name, as LaTeX."""
    rows = written(values)
    if np.ndim(values) == 0:
        return f"{symbol(name)} = {_latex_number(rows[0][0])}"
    body = r" \\ ".join(" & ".join(_latex_number(text) for text in row) for row in rows)
    return rf"{symbol(name)} = \begin{{bmatrix}} {body} \end{{bmatrix}}"


def symbol(name: str) -> str:
    """A name of the code as LaTeX: dW1 is dW with a 1 below, sigma2 a square, log_w and total are words."""
    if name in ("sigma2", "dsigma2"):
        return rf"{name.removesuffix('sigma2')}\sigma^2"
    stem, _, below = name.partition("_")
    match = re.fullmatch(r"(d?)([A-Za-z]|" + "|".join(GREEK) + r")(\d*)", stem)
    if match is None:
        return rf"\text{{{name.replace('_', ' ')}}}"
    head, letter, digits = match.groups()
    greek = rf"\{'varepsilon' if letter == 'eps' else letter} " if letter in GREEK else letter
    script = " ".join(part for part in (digits, below.replace("_", " ")) if part)
    return f"{head}{greek}" + (rf"_{{\text{{{script}}}}}" if script else "")


def difference(one: Any, other: Any) -> float:
    """The largest difference of two arrays of one shape, relative to the largest number where that is above 1."""
    a, b = np.asarray(one, float), np.asarray(other, float)
    if a.shape != b.shape:
        return float("inf")
    return float(np.max(np.abs(a - b), initial=0.0) / max(1.0, float(np.max(np.abs(b), initial=0.0))))


def _decimals(column: Array) -> int:
    """The fewest that say every number, up to DECIMALS."""
    for decimals in range(DECIMALS):
        if np.allclose(np.round(column, decimals), column, rtol=0, atol=1e-12):
            return decimals
    return DECIMALS


def _number(value: float, decimals: int) -> str:
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}"
    text = f"{value:.{decimals}f}"
    if "." in text:
        kept = text.rstrip("0")
        text = (kept[:-1] if kept.endswith(".") else kept).ljust(len(text))
    return "0".ljust(len(text)) if text.strip() == "-0" else text


def _latex_number(text: str) -> str:
    if text[0].isalpha():
        return rf"\text{{{text}}}"
    mantissa, e, exponent = text.strip().partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else mantissa
