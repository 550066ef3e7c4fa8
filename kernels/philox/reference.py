"""Philox4x32-10, as in section 3.3 of Salmon et al. 2011: ten rounds of two 32 x 32 -> 64 bit products.        words < 2^32 in uint64"""

from __future__ import annotations

import numpy as np

from npae.kernels.kernel import Array

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
LOW = 0xFFFFFFFF


def philox4x32(counter: tuple[Array, Array, Array, Array], key: tuple[int, int]) -> tuple[Array, Array, Array, Array]:
    """The four words of each counter's block (broadcast together)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & LOW, (p0 >> 32) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + WEYL[0]) & LOW, (k1 + WEYL[1]) & LOW
    return c0, c1, c2, c3


def _blocks(seed: int, stream: int, step: int, rows: Array, columns: int) -> Array:
    """The words of each row's first blocks, enough for that many columns: (B, 4 blocks) uint64."""
    block = np.arange(-(-columns // 4), dtype=np.uint64)[None, :]
    row = rows.astype(np.uint64)[:, None]
    zero = np.zeros_like(row * block)
    counter = (block + zero, row + zero, np.uint64(step) + zero, np.uint64(stream) + zero)
    words = philox4x32(counter, (seed & LOW, seed >> 32))
    return np.stack(words, axis=-1).reshape(len(rows), -1)


def philox_bits(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C) uint32: all 32 bits."""
    out[...] = _blocks(seed, stream, step, rows, out.shape[1])[:, : out.shape[1]]


def philox_uniform(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C): the upper 24 bits of each word, times 2^-24."""
    bits = _blocks(seed, stream, step, rows, out.shape[1])[:, : out.shape[1]]
    out[...] = (bits >> 8) * 2.0**-24


def philox_normal(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C): Box-Muller on each pair of columns."""
    u = (_blocks(seed, stream, step, rows, out.shape[1]) + 0.5) * 2.0**-32
    radius, angle = np.sqrt(-2.0 * np.log(u[:, 0::2])), 2.0 * np.pi * u[:, 1::2]
    pairs = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1)
    out[...] = pairs.reshape(len(rows), -1)[:, : out.shape[1]]
