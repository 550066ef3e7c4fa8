"""Philox4x32-10 compiled: the blocks of a row are computed side by side, in 64-bit lanes that hold 32-bit words.

A lane is wide enough for the 32 x 32 -> 64 bit product, so a round is multiply, shift, mask and exclusive or on vectors. Normal numbers
are few in a row: there the blocks of many rows are side by side.

uniform_rows and normal_rows are given the address of their scratch: a row of words, or some SIDE_BY_SIDE blocks with their counters, words
and normal numbers. So they allocate nothing, and a compiled step can call them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.philox import SIDE_BY_SIDE, scratch_bytes
from npae.kernels.philox.box_muller import box_muller
from npae.kernels.philox.reference import LOW, MULTIPLIERS, ROUNDS, WEYL
from npae.kernels.step.memory import array_at, matrix_at

_U = np.uint64
_M0, _M1 = _U(MULTIPLIERS[0]), _U(MULTIPLIERS[1])
_W0, _W1 = _U(WEYL[0]), _U(WEYL[1])
_LOW, _WORD, _BYTE, _UINT32 = _U(LOW), _U(32), np.uint32(8), np.uint32(0)


@jit(STRICT)
def _philox(key: tuple[int, int], block: Any, row: Any, step: Any, stream: Any) -> tuple[Any, Any, Any, Any]:
    """The four words of one block."""
    c0, c1, c2, c3 = block, row, step, stream
    k0, k1 = _U(key[0]), _U(key[1])
    for _ in range(ROUNDS):
        p0, p1 = _M0 * (c0 & _LOW), _M1 * (c2 & _LOW)  # the one instruction that multiplies lower halves: nothing is masked
        c0, c1, c2, c3 = (p1 >> _WORD) ^ c1 ^ k0, p1, (p0 >> _WORD) ^ c3 ^ k1, p0
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0 & _LOW, c1 & _LOW, c2 & _LOW, c3 & _LOW


@jit(STRICT)
def _row_of_words(key: tuple[int, int], stream: int, step: int, row: int, words: Array) -> None:
    """words (4 blocks,) uint32: the blocks 0, 1, 2, ... of that row."""
    for block in range(len(words) // 4):
        w0, w1, w2, w3 = _philox(key, _U(block), _U(row), _U(step), _U(stream))
        words[4 * block], words[4 * block + 1] = np.uint32(w0), np.uint32(w1)
        words[4 * block + 2], words[4 * block + 3] = np.uint32(w2), np.uint32(w3)


@jit(STRICT)
def _bits(key: tuple[int, int], stream: int, step: int, rows: Array, out: Array) -> None:
    words = np.empty((out.shape[1] + 3) // 4 * 4, np.uint32)
    for b in range(len(rows)):
        _row_of_words(key, stream, step, rows[b], words)
        out_b = out[b]
        for c in range(out.shape[1]):
            out_b[c] = words[c]


@jit(STRICT)
def uniform_rows(key: tuple[int, int], stream: int, step: int, rows: Array, out: Array, scratch: int) -> None:
    """philox_uniform for compiled callers: key is (seed mod 2^32, seed div 2^32)."""
    words = array_at(_UINT32, scratch, (out.shape[1] + 3) // 4 * 4)
    scale = out.dtype.type(2.0**-24)  # times a whole number of 24 bits: exact
    for b in range(len(rows)):
        _row_of_words(key, stream, step, rows[b], words)
        out_b = out[b]
        for c in range(out.shape[1]):
            out_b[c] = out_b.dtype.type(np.int32(words[c] >> _BYTE)) * scale


@jit(STRICT)
def _words_of_rows(key: tuple[int, int], stream: int, step: int, rows: Array, blocks: int, counters: Array, words: Array) -> None:
    """words (4, rows * blocks) uint64: word k of block i mod blocks of row i div blocks; counters (2, rows * blocks) is scratch."""
    for b in range(len(rows)):
        for block in range(blocks):
            counters[0, b * blocks + block], counters[1, b * blocks + block] = _U(block), _U(rows[b])
    of_block, of_row, w0, w1, w2, w3 = counters[0], counters[1], words[0], words[1], words[2], words[3]
    for i in range(len(rows) * blocks):
        w0[i], w1[i], w2[i], w3[i] = _philox(key, of_block[i], of_row[i], _U(step), _U(stream))


@jit(STRICT)
def normal_rows(key: tuple[int, int], stream: int, step: int, rows: Array, out: Array, scratch: int) -> None:
    """philox_normal for compiled callers: as many rows at a time as make SIDE_BY_SIDE blocks, or one."""
    columns = out.shape[1]
    blocks = (columns + 3) // 4
    together = max(1, SIDE_BY_SIDE // max(1, blocks))
    size = together * blocks
    counters, words = matrix_at(_U(0), scratch, 2, size), matrix_at(_U(0), scratch + 16 * size, 4, size)
    normals, first = matrix_at(0.0, scratch + 48 * size, 4, size), 0
    while first < len(rows):
        some = rows[first : first + together]
        _words_of_rows(key, stream, step, some, blocks, counters, words)
        count = len(some) * blocks
        for pair in range(0, 4, 2):
            box_muller(words[pair, :count], words[pair + 1, :count], normals[pair, :count], normals[pair + 1, :count])
        for b in range(len(some)):
            out_b = out[first + b]
            for c in range(columns):
                out_b[c] = normals[c & 3, b * blocks + (c >> 2)]
        first += together


def philox_bits(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C) uint32: all 32 bits."""
    _bits((seed & LOW, seed >> 32), stream, step, rows, out)


def philox_uniform(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C): the upper 24 bits of each word, times 2^-24."""
    scratch = np.empty(scratch_bytes(out.shape[1]), np.uint8)
    uniform_rows((seed & LOW, seed >> 32), stream, step, rows, out, scratch.ctypes.data)


def philox_normal(seed: int, stream: int, step: int, rows: Array, out: Array) -> None:
    """out (B, C): Box-Muller on each pair of columns."""
    scratch = np.empty(scratch_bytes(out.shape[1]), np.uint8)
    normal_rows((seed & LOW, seed >> 32), stream, step, rows, out, scratch.ctypes.data)
