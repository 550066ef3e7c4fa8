"""Operations as rows of two tables that compiled code walks through.

An operation's whole numbers go to a row of `program`, behind the code of its kind, its floats to one of `numbers`, both in the order in
which they stand in operations.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_type_hints

import numpy as np

from npae.kernels.kernel import Array
from npae.kernels.step.operations import KINDS, Operation

CODES = {kind: code for code, kind in enumerate(KINDS)}
FIELDS = {kind: get_type_hints(kind) for kind in KINDS}
INTS = 1 + max(list(fields.values()).count(int) for fields in FIELDS.values())
FLOATS = max(list(fields.values()).count(float) for fields in FIELDS.values())


def encode(operations: Sequence[Operation]) -> tuple[Array, Array]:
    """program (n, INTS) int64, whose first column is the kind; numbers (n, FLOATS) float64."""
    program, numbers = np.zeros((len(operations), INTS), np.int64), np.zeros((len(operations), FLOATS))
    for row, operation in enumerate(operations):
        fields = FIELDS[type(operation)].values()
        whole = [value for value, field in zip(operation, fields, strict=True) if field is int]
        real = [value for value, field in zip(operation, fields, strict=True) if field is float]
        program[row, 0] = CODES[type(operation)]
        program[row, 1 : 1 + len(whole)] = whole
        numbers[row, : len(real)] = real
    return program, numbers
