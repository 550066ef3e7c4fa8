"""A .csv file: one row of numbers a line, separated by commas.

The first line is a header if it has a cell `label` or if none of its cells is a number. The column headed `label` holds class numbers;
every other column is a feature. Empty lines are skipped. Rows are counted from 1 and the header is one of them, as a spreadsheet does.
Raises InputError with row, column and value for text, an empty cell, NaN or infinity, a row of another length, and a column without a name.
"""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from npae.data.raw import Raw
from npae.errors import InputError

LABEL = "label"


class Columns(NamedTuple):
    """How many cells a row has, which one is the label (or none), and what they are called in a message."""

    width: int
    label: int | None
    names: list[str] | None

    def describe(self, column: int) -> str:
        """`column 3`, or `column 3 ('width')`, counted from 1."""
        return f"column {column + 1}" + (f" ('{self.names[column]}')" if self.names else "")


def read_csv(path: Path) -> Raw:
    """Features as float64 (N, F), and labels where there is a column of them."""
    values, labels = array("d"), array("d")
    with path.open(newline="", encoding="utf-8-sig") as stream:
        try:
            rows = _rows(csv.reader(stream, strict=True))
            number, cells = next(rows, (1, None))
            if cells is None:
                raise InputError(f"{path}: is empty; expected rows of numbers separated by commas")
            columns = _columns(cells, path)
            if columns.names is None:
                _append(cells, number, columns, values, labels, path)
            for number, cells in rows:
                _append(cells, number, columns, values, labels, path)
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not a text file of comma-separated numbers ({error}); save it as CSV in UTF-8") from error
    features = columns.width - (columns.label is not None)
    if not values or not features:
        raise InputError(f"{path}: has no numbers beside its header and labels; expected at least one row and one feature")
    train_labels = None if columns.label is None else np.array(labels).astype(np.int64)
    return Raw(str(path), np.frombuffer(values, dtype=np.float64).reshape(-1, features), train_labels)


def _rows(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells) of the lines that are not empty."""
    return ((number, cells) for number, cells in enumerate(lines, start=1) if cells)


def _columns(first: list[str], path: Path) -> Columns:
    """The columns as the first row shows them."""
    names = [name.strip() for name in first]
    if LABEL not in names and any(_numbers([name]) for name in names):
        return Columns(len(first), None, None)
    if names.count(LABEL) > 1:
        raise InputError(f"{path}: {names.count(LABEL)} columns are called '{LABEL}'; expected one at most: rename or drop the others")
    if "" in names:
        raise InputError(
            f"{path}: column {names.index('') + 1} has no name in the header (an index?); drop it: DataFrame.to_csv(index=False)"
        )
    return Columns(len(first), names.index(LABEL) if LABEL in names else None, names)


def _append(cells: list[str], row: int, columns: Columns, values: array[float], labels: array[float], path: Path) -> None:
    """Add one row's numbers to `values`, and its label to `labels`."""
    if len(cells) != columns.width:
        raise InputError(f"{path}: row {row} has {len(cells)} cells; expected {columns.width} as in the first row: fill or drop the row")
    numbers = _numbers(cells)
    if numbers is None or not all(map(math.isfinite, numbers)):
        column = next(column for column, cell in enumerate(cells) if not math.isfinite(_number(cell)))
        raise InputError(
            f"{path}: row {row}, {columns.describe(column)} is '{cells[column]}'; expected a finite number: fix or drop the row"
        )
    if columns.label is not None:
        label = numbers.pop(columns.label)
        if not label.is_integer() or abs(label) >= 2**53:
            raise InputError(
                f"{path}: row {row}, {columns.describe(columns.label)} is '{cells[columns.label]}'; expected a class number such as 3"
            )
        labels.append(label)
    values.extend(numbers)


def _numbers(cells: list[str]) -> list[float] | None:
    """The numbers in the cells, or None when one is text. Python would read 1_000 as a number; a table means something else by it."""
    try:
        return None if "_" in "".join(cells) else list(map(float, cells))
    except ValueError:
        return None


def _number(cell: str) -> float:
    """The number in a cell, NaN for text."""
    numbers = _numbers([cell])
    return math.nan if numbers is None else numbers[0]
