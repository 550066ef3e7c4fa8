"""Counter-based random streams: (seed, stream, step, row) -> numbers, the same on every backend, batch split and rank count.

A number depends on where it is used and on nothing else, so a step can be replayed, a gradient checked with its noise frozen, and a
batch split over ranks without changing a digit. Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".

    normal(backend, seed, stream, step, rows, out (B, C))      standard normal
    uniform(backend, seed, stream, step, rows, out (B, C))     uniform on [0, 1)

Streams are constants below: two uses never share one. `Noise` holds what one training step needs, by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from npae.backend import Array, Backend
from npae.errors import InputError

INITIALISE, SHUFFLE, BINARISE, POSTERIOR, PRIOR, SAMPLE, CODES, EVALUATE, CORRUPT, LOCAL = range(10)
DROPOUT = 64  # the k-th dropout layer of a model uses stream DROPOUT + k


class Noise(Mapping[str, Array]):
    """The random numbers of one step, by name: `noise.eps` (B, Z), `noise.prior` (B, Z), `noise.dropout0` (B, H), ..."""

    def __init__(self, **arrays: Array) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._arrays:
            raise InputError(
                f"noise has no '{name}' (it has: {', '.join(self._arrays) or 'nothing'}); draw it with model.draw(seed, step, rows)"
            )
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def rows(self, chosen: slice | Array) -> Noise:
        """The same numbers for some of the rows."""
        return Noise(**{name: array[chosen] for name, array in self._arrays.items()})


def check_seed(seed: int) -> int:
    """A seed is a whole number that fits Philox's 64-bit key."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise InputError(f"seed {seed!r} is not a whole number from 0 to 2^64 - 1")
    return int(seed)


def evaluation_seed(seed: int) -> int:
    """The seed of validation's and evaluation's noise: never the one that trains."""
    return (seed + 2**63) % 2**64


def row_numbers(rows: int | range | Array) -> Array:
    """`rows` of a draw as indices: a count n means rows 0 .. n-1 of the step's whole batch."""
    if isinstance(rows, int | np.integer):
        return np.arange(rows, dtype=np.int64)
    numbers = np.ascontiguousarray(rows)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
        raise InputError(f"rows {rows!r} are not whole numbers: give a count, a range, or an array of row numbers")
    return numbers.astype(np.int64, copy=False)


def check_step(step: int) -> int:
    """A step number is a whole number that fits Philox's 32-bit counter."""
    if isinstance(step, bool) or not isinstance(step, int | np.integer) or not 0 <= step < 2**32:
        raise InputError(f"step {step!r} is not a whole number from 0 to 2^32 - 1")
    return int(step)


def normal(backend: Backend, seed: int, stream: int, step: int | Array, rows: Array, out: Array) -> Array:
    """Standard normal numbers for those rows, written to `out` (B, C)."""
    backend.kernel("philox_normal")(seed, stream, step, backend.from_host(rows), out)
    return out


def uniform(backend: Backend, seed: int, stream: int, step: int | Array, rows: Array, out: Array) -> Array:
    """Uniform numbers on [0, 1) for those rows, written to `out` (B, C)."""
    backend.kernel("philox_uniform")(seed, stream, step, backend.from_host(rows), out)
    return out
