"""What a kernel is: one operation in several forms that must agree.

A form is "module:function", imported when it is first used, so that a program that runs one form never loads the libraries of another.
Every form of a kernel has the same signature. It writes into arrays that the caller gives and returns a number, some numbers or None.

    examples(rng, size, dtype)    arguments of a call at that size; float arrays have that dtype, outputs start as NaN or as a valid state
    outputs                       which of those arguments the call writes
    tolerances[dtype]             (rtol, atol): every output and returned number x of a form satisfies, against the reference's x* on the
                                  same input in float64,  max |x - x*| <= rtol max |x*| + atol.
                                  EXACT: the reference runs in the same dtype, and the two agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Examples: TypeAlias = "Callable[[np.random.Generator, int, str], tuple[Any, ...]]"  # as text: numpy.random is not loaded for its name

EXACT = (0.0, 0.0)


@dataclass(frozen=True)
class Kernel:
    """One operation: its name, its forms, and what a test or a benchmark needs to call it."""

    name: str
    reference: str
    implementations: Mapping[str, str]
    examples: Examples
    outputs: tuple[int, ...]
    sizes: tuple[int, ...]
    tolerances: Mapping[str, tuple[float, float]]

    @property
    def forms(self) -> dict[str, str]:
        """Every form by name, the reference first."""
        return {"reference": self.reference, **self.implementations}


def unwritten(shape: tuple[int, ...], dtype: str) -> Array:
    """An output that nobody has written yet: NaN, so that an element left out is seen."""
    return np.full(shape, np.nan, dtype)
