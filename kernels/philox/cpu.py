"""Philox4x32-10 compiled: the blocks of a row are computed side by side, in 64-bit lanes that hold 32-bit words.

A lane is wide enough for the 32 x 32 -> 64 bit product, so a round is multiply, shift, mask and exclusive or on vectors. Box-Muller then
calls the C library's log, cos and sin in float64. Scratch: one row of words.
"""

from __future__ import annotations

import math

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.philox.reference import LOW, MULTIPLIERS, ROUNDS, WEYL

_U = np.uint64
_M0, _M1 = _U(MULTIPLIERS[0]), _U(MULTIPLIERS[1])
_W0, _W1 = _U(WEYL[0]), _U(WEYL[1])
_LOW, _WORD, _BYTE = _U(LOW), _U(32), _U(8)


@jit(STRICT)
def _row_of_words(key: tuple[int, int], stream: int, step: int, row: int, words: Array) -> None:
    """words (4 blocks,) uint64: the blocks 0, 1, 2, ... of that row."""
    first_key, second_key, row_word, step_word, stream_word = _U(key[0]), _U(key[1]), _U(row), _U(step), _U(stream)
    for block in range(len(words) // 4):
        c0, c1, c2, c3 = _U(block), row_word, step_word, stream_word
        k0, k1 = first_key, second_key
        for _ in range(ROUNDS):
            p0, p1 = _M0 * c0, _M1 * c2
            c0, c1, c2, c3 = (p1 >> _WORD) ^ c1 ^ k0, p1 & _LOW, (p0 >> _WORD) ^ c3 ^ k1, p0 & _LOW
            k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
        words[4 * block] = c0
        words[4 * block + 1] = c1
        words[4 * block + 2] = c2
        words[4 * block + 3] = c3


@jit(STRICT)
def _bits(key: tuple[int, int], stream: int, step: int, rows: Array, out: Array) -> None:
    words = np.empty((out.shape[1] + 3) // 4 * 4, np.uint64)
    for b in range(len(rows)):
        _row_of_words(key, stream, step, rows[b], words)
        out_b = out[b]
        for c in range(out.shape[1]):
            out_b[c] = words[c]


@jit(STRICT)
def uniform_rows(key: tuple[int, int], stream: int, step: int, rows: Array, out: Array) -> None:
    """philox_uniform for compiled callers: key is (seed mod 2^32, seed div 2^32)."""
    words = np.empty((out.shape[1] + 3) // 4 * 4, np.uint64)
    for b in range(len(rows)):
        _row_of_words(key, stream, step, rows[b], words)
        out_b = out[b]
        for c in range(out.shape[1]):
            out_b[c] = np.float64(np.int64(words[c] >> _BYTE)) * 2.0**-24


@jit(STRICT)
def normal_rows(key: tuple[int, int], stream: int, step: int, rows: Array, out: Array) -> None:
    """philox_normal for compiled callers."""
    columns = out.shape[1]
    words = np.empty((columns + 3) // 4 * 4, np.uint64)
    for b in range(len(rows)):
        _row_of_words(key, stream, step, rows[b], words)
        for c in range(0, columns, 2):
            radius = math.sqrt(-2.0 * math.log((np.float64(words[c]) + 0.5) * 2.0**-32))
            angle = 2.0 * math.pi * ((np.float64(words[c + 1]) + 0.5) * 2.0**-32)
            out[b, c] = radius * math.cos(angle)
            if c + 1 < columns:
                out[b, c + 1] = radius * math.sin(angle)


def philox_bits(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C) uint32: all 32 bits."""
    _bits((seed & LOW, seed >> 32), stream, step, rows, out)


def philox_uniform(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C): the upper 24 bits of each word, times 2^-24."""
    uniform_rows((seed & LOW, seed >> 32), stream, step, rows, out)


def philox_normal(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C): Box-Muller on each pair of columns."""
    normal_rows((seed & LOW, seed >> 32), stream, step, rows, out)
