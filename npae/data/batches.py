"""Which rows each step of an epoch takes.

    permutation = argsort(keys)    keys (N,) uint64: two Philox words of (seed, stream SHUFFLE, step = epoch, row)

The order depends on (n, seed, epoch) alone: not on the backend, nor on how many epochs ran before, so a resumed run takes the same batches.
Equal keys (about n^2 / 2^65 of the time) keep the order of their rows. Without shuffling the rows come as they lie.
Raises InputError for sizes that give no batch.
"""

from __future__ import annotations

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.kernels.registry import resolve
from npae.noise import SHUFFLE, check_seed


def batch_count(n: int, batch_size: int, drop_last: bool) -> int:
    """How many batches n rows make; `drop_last` leaves out a last one that is not full."""
    if n < 1:
        raise InputError(f"{n} rows make no batch; expected at least one row")
    if batch_size < 1:
        raise InputError(f"batch size {batch_size} is not a positive number; choose --batch-size 1 or more")
    if drop_last and batch_size > n:
        raise InputError(
            f"batch size {batch_size} is larger than the {n} rows, and an incomplete batch is dropped; choose --batch-size {n} or less"
        )
    return n // batch_size if drop_last else -(-n // batch_size)


def batch_indices(n: int, batch_size: int, *, seed: int, epoch: int, shuffle: bool, drop_last: bool) -> list[Array]:
    """The row numbers (int64) of every batch of that epoch, in order."""
    count = batch_count(n, batch_size, drop_last)
    order = _permutation(n, seed, epoch) if shuffle else np.arange(n, dtype=np.int64)
    return [order[start : start + batch_size] for start in range(0, count * batch_size, batch_size)]


def _permutation(n: int, seed: int, epoch: int) -> Array:
    words = np.empty((n, 2), dtype=np.uint32)
    # The reference form: tens of milliseconds an epoch, and nothing to compile before the first batch.
    resolve("philox_bits", "reference")(check_seed(seed), SHUFFLE, epoch, np.arange(n, dtype=np.int64), words)
    keys = words[:, 0].astype(np.uint64) << np.uint64(32) | words[:, 1]
    return np.argsort(keys, kind="stable").astype(np.int64, copy=False)
