"""Counter-based random numbers, Philox4x32-10: a number is a function of where it is used, not of what was drawn before.

    philox_bits(seed, stream, step, rows (B,) int64, out (B, C) uint32) -> None
    philox_uniform(seed, stream, step, rows (B,) int64, out (B, C)) -> None          float32 or float64
    philox_normal(seed, stream, step, rows (B,) int64, out (B, C)) -> None           float32 or float64

The 128-bit counter is (block, row, step, stream), lowest word first, and the key (seed mod 2^32, seed div 2^32). A block is four 32-bit
words: column c is word c mod 4 of block c div 4. So element (b, c) depends on (seed, stream, step, rows[b], c) only: a row's numbers are
the same however a batch is split, in whatever order the rows are asked for, and a longer row begins with the shorter one.
0 <= seed < 2^64; stream, step and each row in 0 .. 2^32 - 1. Outputs are C-contiguous.
On a GPU `step` may be a 0-d int64 array there, so that a captured step draws other numbers each time it is replayed; one launch.

    uniform   u = floor(bits / 2^8) 2^-24, in [0, 1): exact, hence the same number in float32 and float64
    normal    columns 2k and 2k+1 are  r cos(t)  and  r sin(t)   (Box and Muller 1958), from their own two words
              r = sqrt(-2 log((bits_2k + 1/2) 2^-32))        t = 2 pi (bits_2k+1 + 1/2) 2^-32
              computed in float64 (within 4e-15 in every form) and then rounded to the dtype; |normal| < 6.77

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3; its known answers are in the tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import EXACT, Kernel, unwritten

SIDE_BY_SIDE = 256  # blocks of four words that compiled normal numbers are made of at a time

_SIZES = (1, 2, 3, 4, 5, 31, 32, 33, 100, 257)


def scratch_bytes(columns: int) -> int:
    """What the compiled forms put aside for rows of so many columns: two counters, four words and four numbers for each block."""
    return 8 * (2 + 4 + 4) * max(SIDE_BY_SIDE, (columns + 3) // 4)


def _where(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    seed, stream, step = int(rng.integers(2**64, dtype=np.uint64)), int(rng.integers(2**32)), int(rng.integers(2**32))
    return seed, stream, step, rng.integers(2**32, size=size, dtype=np.int64)


def _bits_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    return *_where(rng, size), np.zeros((size, 1 + size % 21), np.uint32)


def _float_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    return *_where(rng, size), unwritten((size, 1 + size % 21), dtype)


def _kernel(name: str, examples: Any, tolerances: dict[str, tuple[float, float]]) -> Kernel:
    return Kernel(
        name=name,
        reference=f"npae.kernels.philox.reference:{name}",
        implementations={"cpu": f"npae.kernels.philox.cpu:{name}", "gpu": f"npae.kernels.philox.gpu:{name}"},
        examples=examples,
        outputs=(4,),
        sizes=_SIZES,
        tolerances=tolerances,
    )


KERNELS = (
    _kernel("philox_bits", _bits_examples, {"float32": EXACT, "float64": EXACT}),
    _kernel("philox_uniform", _float_examples, {"float32": EXACT, "float64": EXACT}),
    _kernel("philox_normal", _float_examples, {"float32": (6e-8, 0.0), "float64": (4e-15, 0.0)}),
)
